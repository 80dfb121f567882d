"""Real programs: Debian's packages, kept outside the repository.

A package's files come from a place that an environment variable names or, when that is unset, from
`apt-get` where that works: fetched once into the cache, and a failure is not tried again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.toolchain import Absent, cache_dir

__all__ = ["LUA", "SQLITE", "ZLIB", "BinaryPackage", "Package"]


@dataclass(frozen=True)
class Package:
    """A package, and a file of it that is wanted."""

    #: Its name in Debian.
    name: str
    #: The variable that names the file's folder on machines without `apt-get`.
    variable: str
    #: The file, relative to what the package unpacks to.
    wanted: str

    def file(self) -> Path:
        """The wanted file; raises Absent when there is none and none can be fetched."""
        configured = os.environ.get(self.variable)
        if configured:
            file = Path(configured) / Path(self.wanted).name
            if not file.is_file():
                raise Absent(f"{self.variable}={configured} does not hold {file.name}")
            return file
        return self._fetched()

    def folder(self) -> Path:
        """The folder of the wanted file; raises Absent."""
        return self.file().parent

    def _fetched(self) -> Path:
        home = cache_dir() / f"{self.name}-package"
        if found := sorted(home.glob(self.wanted)):
            return found[0]
        hint = f"set {self.variable} to the folder of its {Path(self.wanted).name}"
        failure = cache_dir() / f"{self.name}-package-failed"
        if failure.exists():
            why = failure.read_text().strip()
            raise Absent(f"{why}; {hint}, or delete {failure} to try again")
        apt = shutil.which("apt-get")
        if apt is None:
            raise Absent(f"no {self.name} of Debian's: {hint}")
        with tempfile.TemporaryDirectory(dir=cache_dir()) as work:
            words = self.fetch(apt, Path(work))
            if not list(Path(work).glob(self.wanted)):
                reason = f"apt-get did not fetch {self.name} ({words})"
                failure.write_text(reason)
                raise Absent(f"{reason}; {hint}")
            # Renamed as one: another process may be fetching it too, and the first one wins.
            if not home.exists():
                Path(work).rename(home)
                Path(work).mkdir()
        return sorted(home.glob(self.wanted))[0]

    def fetch(self, apt: str, folder: Path) -> str:
        """Fetch and unpack into `folder`; the last words of what went wrong, if something did."""
        return _words([apt, "source", self.name], folder)


class BinaryPackage(Package):
    """A package of compiled files."""

    def fetch(self, apt: str, folder: Path) -> str:
        """Fetch and unpack into `folder`; the last words of what went wrong, if something did."""
        words = _words([apt, "download", self.name], folder)
        unpack = shutil.which("dpkg-deb")
        if unpack is None:
            return "dpkg-deb is not installed"
        for package in folder.glob("*.deb"):
            words = _words([unpack, "-x", package, folder], folder)
        return words


def _words(command: Sequence[str | Path], folder: Path) -> str:
    """Run a command; its last words of complaint."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=120
        )
    except subprocess.TimeoutExpired:
        return "no answer within two minutes"
    words = done.stderr.strip().splitlines()
    return words[-1] if words else "no reason given"


LUA = Package("lua5.4", "LAZYJIT_LUA_SOURCE", "*/src/lua.c")
ZLIB = Package("zlib", "LAZYJIT_ZLIB_SOURCE", "*/zlib.h")
SQLITE = BinaryPackage("libsqlite3-dev", "LAZYJIT_SQLITE_LIBRARY", "usr/lib/*/libsqlite3.a")
