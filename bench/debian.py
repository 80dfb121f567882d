"""Real programs' sources: Debian's source packages, kept outside the repository.

A package's folder comes from an environment variable that names it or, when that is unset, from
`apt-get source` where that works: fetched once into the cache, and a failure is not tried again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.toolchain import Absent, cache_dir

__all__ = ["LUA", "ZLIB", "SourcePackage"]


@dataclass(frozen=True)
class SourcePackage:
    """A package, and how to know its folder of C files."""

    #: Its name in Debian.
    name: str
    #: The variable that names the folder on machines without `apt-get source`.
    variable: str
    #: A file of that folder, relative to what the package unpacks to.
    marker: str

    @property
    def hint(self) -> str:
        """What to do on a machine where it can't be fetched."""
        where = Path(self.marker).parent
        folder = "the folder" if where == Path() else f"the {where} folder"
        return f"set {self.variable} to {folder} of Debian's {self.name} source package"

    def folder(self) -> Path:
        """The folder of its C files; raises Absent when there is none and none can be fetched."""
        configured = os.environ.get(self.variable)
        if configured:
            folder = Path(configured)
            marker = Path(self.marker).name
            if not (folder / marker).is_file():
                raise Absent(f"{self.variable}={configured} does not hold {marker}")
            return folder
        return self._fetched()

    def _fetched(self) -> Path:
        home = cache_dir() / f"{self.name}-source"
        if found := self._markers(home):
            return found[0].parent
        failure = cache_dir() / f"{self.name}-source-failed"
        if failure.exists():
            why = failure.read_text().strip()
            raise Absent(f"{why}; {self.hint}, or delete {failure} to try again")
        apt = shutil.which("apt-get")
        if apt is None:
            raise Absent(f"no source of {self.name}: {self.hint}")
        with tempfile.TemporaryDirectory(dir=cache_dir()) as work:
            words = _fetch(apt, self.name, Path(work))
            if not self._markers(Path(work)):
                reason = f"apt-get source {self.name} failed ({words})"
                failure.write_text(reason)
                raise Absent(f"{reason}; {self.hint}")
            # Renamed as one: another process may be fetching it too, and the first one wins.
            if not home.exists():
                Path(work).rename(home)
                Path(work).mkdir()
        return self._markers(home)[0].parent

    def _markers(self, home: Path) -> list[Path]:
        return sorted(home.glob(f"*/{self.marker}"))


def _fetch(apt: str, name: str, folder: Path) -> str:
    """Fetch and unpack; the last words of what went wrong, if something did."""
    try:
        done = subprocess.run(
            [apt, "source", name],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    except subprocess.TimeoutExpired:
        return "no answer within two minutes"
    words = done.stderr.strip().splitlines()
    return words[-1] if words else "no reason given"


LUA = SourcePackage("lua5.4", "LAZYJIT_LUA_SOURCE", "src/lua.c")
ZLIB = SourcePackage("zlib", "LAZYJIT_ZLIB_SOURCE", "zlib.h")
