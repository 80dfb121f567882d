"""Finds what `-l` and `-L` mean, as a linker would.

`-lNAME` is `libNAME.so`, else `libNAME.a`, in the first directory that has one: those of `-L` in
order, then the system's. `-l:FILE` is exactly that file name. On glibc systems `libm.so` and
`libc.so` are texts that tell a linker where to go on; the dynamic loader can't open them, so the
versioned library beside them is taken. `NAME` with a slash in it is a path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from lazyjit.errors import LibraryNotFound

__all__ = ["SYSTEM", "find_library", "is_archive"]

SYSTEM = (
    "/usr/local/lib",
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
)


def _directories(first: Sequence[str], system: bool) -> Iterator[Path]:
    yield from map(Path, first)
    if not system:
        return
    yield from (Path(part) for part in os.environ.get("LD_LIBRARY_PATH", "").split(":") if part)
    yield from map(Path, SYSTEM)


def _is_elf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"\x7fELF"
    except OSError:
        return False


def is_archive(path: Path) -> bool:
    """Whether the file says that it is an archive, thin ones included. False if unreadable."""
    try:
        with path.open("rb") as file:
            return file.read(8) in (b"!<arch>\n", b"!<thin>\n")
    except OSError:
        return False


def _version(path: Path) -> list[int]:
    return [int(part) for part in path.name.split(".so.")[-1].split(".") if part.isdigit()]


def find_library(
    name: str,
    first: Sequence[str] = (),
    *,
    system: bool = True,
    scripts: bool = False,
    archives: bool = False,
) -> Path:
    """The shared library or archive that `-l name` means; `first` is what `-L` gave.

    Without `system`, no other directory is searched. With `scripts` a linker script will do; with
    `archives` nothing but an archive will. Any thread. Raises LibraryNotFound.
    """
    if "/" in name:
        return Path(name)
    for directory in _directories(first, system):
        if name.startswith(":"):
            exact = directory / name[1:]
            if exact.is_file():
                return exact
            continue
        shared = directory / f"lib{name}.so"
        archive = directory / f"lib{name}.a"
        if archives:
            if is_archive(archive):
                return archive
            continue
        if _is_elf(shared):
            return shared
        if scripts:
            for candidate in (shared, archive):
                if candidate.is_file():
                    return candidate
        # A text libm.so may come with a text libm.a; skip both for the library that they name.
        if is_archive(archive) and not shared.exists():
            return archive
        versioned = sorted(directory.glob(f"lib{name}.so.*"), key=_version, reverse=True)
        for candidate in versioned:
            if _is_elf(candidate):
                return candidate
    raise LibraryNotFound(
        f"-l{name}: no library of this name in the directories of -L"
        + (" or the system's" if system else " (-search-sys-lib adds the system's)")
    )
