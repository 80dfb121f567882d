"""Where compilers are found and where what they build is kept.

Nothing is built inside the repository. `cache_dir()` is a folder of its own under the user's cache
directory (`LAZYJIT_BENCH_CACHE` moves it), and `built()` fills it: a product's path holds a hash of
everything that went into it, so a changed source or flag makes a new product and an unchanged one
is built once. A product is written under another name and renamed when complete: two processes that
build the same thing at once do the work twice, and neither sees half a file.

What is absent is not an error of the benchmarks: `Absent` carries the reason, and the caller turns
it into a skipped test or a row that says so.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

__all__ = ["Absent", "built", "cache_dir", "compile_program", "digest", "run", "tool"]

#: The LLVM that lazyjit binds (through llvmlite), so the one whose tools may write our input.
LLVM_MAJOR = 22


class Absent(Exception):
    """Something that this machine does not have; the message says what and how to get it."""


def tool(name: str) -> str:
    """The path of one of LLVM's tools at the version that we bind (`clang` means clang-22)."""
    found = shutil.which(f"{name}-{LLVM_MAJOR}")
    if found is None:
        raise Absent(f"{name}-{LLVM_MAJOR} is not installed")
    return found


def system_tool(name: str) -> str:
    """The path of a tool of the system's, whatever its version (`gcc`, `ar`)."""
    found = shutil.which(name)
    if found is None:
        raise Absent(f"{name} is not installed")
    return found


def cache_dir() -> Path:
    """The folder for everything that is built: made when it is not there."""
    configured = os.environ.get("LAZYJIT_BENCH_CACHE")
    if configured:
        path = Path(configured)
    else:
        path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lazyjit-bench"
    path.mkdir(parents=True, exist_ok=True)
    return path


def digest(parts: Iterable[str | bytes | Path]) -> str:
    """A short hash of strings and of the contents of files."""
    state = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part
        data = data.encode() if isinstance(data, str) else data
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.hexdigest()[:16]


def run(command: Sequence[str | Path], *, cwd: Path | None = None) -> str:
    """Run a tool and return what it printed; its own words are the error when it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout)[-2000:]
        raise RuntimeError(f"{Path(command[0]).name} ended with {done.returncode}:\n{words}")
    return done.stdout


def built(name: str, key: str, build: Callable[[Path], object]) -> Path:
    """The product `name` (with its suffix) for `key`, made by `build(path)` when not yet there."""
    shown = Path(name)
    product = cache_dir() / f"{shown.stem}-{key}{shown.suffix}"
    if product.exists():
        return product
    with tempfile.TemporaryDirectory(dir=cache_dir()) as work:
        unfinished = Path(work) / name
        build(unfinished)
        unfinished.replace(product)
    return product


def compile_program(
    sources: Sequence[Path],
    *,
    flags: Sequence[str] = (),
    kind: str,
    libraries: Sequence[str] = (),
    name: str | None = None,
) -> Path:
    """Compile C or C++ with clang into one file, in the cache.

    `kind` is "native" (an executable, linked with `libraries`), "ll" or "bc" (one linked module).
    The same `flags` go into all three, so the native binary is the module's twin.
    """
    cplusplus = any(source.suffix in {".cpp", ".cc"} for source in sources)
    clang = tool("clang++" if cplusplus else "clang")
    stem = name or sources[0].stem
    headers = sorted(header for source in sources for header in source.parent.glob("*.h"))
    key = digest([*sources, *headers, clang, *flags, kind, *libraries])

    def build(product: Path) -> None:
        folder = product.parent / "parts"
        folder.mkdir()
        parts = []
        for source in sources:
            part = folder / f"{source.stem}.bc"
            run([clang, *flags, "-emit-llvm", "-c", source, "-o", part])
            parts.append(part)
        if kind == "native":
            # From the same bitcode: the twin differs in who generates the code, not in what it is.
            level = [flag for flag in flags if flag.startswith("-O")]
            run(
                [
                    clang,
                    *level,
                    *parts,
                    "-o",
                    product,
                    "-rdynamic",
                    "-Wno-unused-command-line-argument",
                    *libraries,
                ]
            )
        else:
            text = ["-S"] if kind == "ll" else []
            run([tool("llvm-link"), *text, *parts, "-o", product])

    return built(f"{stem}.{kind}" if kind != "native" else f"{stem}.exe", key, build)
