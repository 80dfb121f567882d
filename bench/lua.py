"""Lua 5.4 from Debian's source package, built outside the repository into one module of LLVM IR.

Lua is the real program of the benchmarks and of the acceptance tests: 650 functions in 33 files,
setjmp and longjmp, a computed goto over 83 labels, function tables, static data of every shape.

The sources (`bench.debian`) are compiled by clang at -O1 and linked to one module, twice: as they
are, with the interpreter's computed goto, and with `-DLUA_USE_JUMPTABLE=0`, a switch instead,
because LLVM's LLLazyJIT crashes on the former.
"""

from __future__ import annotations

import platform
from pathlib import Path

from bench.debian import LUA
from bench.toolchain import built, digest, run, tool

__all__ = ["LIBRARIES", "build", "compile_flags", "sources", "write_multiarch_header"]

#: What the native binary links with, beside the C library.
LIBRARIES = ("-lm", "-ldl")

#: The compiler's own program and the one that compiles scripts to files are not part of `lua`.
NOT_LUA = {"luac.c"}


def compile_flags() -> list[str]:
    """What its own makefile defines on Linux."""
    return ["-DLUA_USE_LINUX", "-DLUA_COMPAT_5_3"]


def sources() -> list[Path]:
    """The interpreter's C files. Raises Absent."""
    return sorted(path for path in LUA.folder().glob("l*.c") if path.name not in NOT_LUA)


def write_multiarch_header(folder: Path) -> None:
    """Write the header that Debian's patched luaconf.h asks for; Debian's build writes it too."""
    triplet = f"{platform.machine()}-linux-gnu"
    header = folder / "lua5.4-deb-multiarch.h"
    header.write_text(f'#define DEB_HOST_MULTIARCH "{triplet}"\n')


def build(kind: str, *, jumptable: bool = True, opt_level: int = 1) -> Path:
    """Lua as "ll", "bc" or "native", compiled at -O`opt_level`; raises Absent.

    `jumptable=False` compiles the interpreter's loop as a switch.
    """
    clang, link = tool("clang"), tool("llvm-link")
    files = sources()
    flags = [f"-O{opt_level}", *compile_flags()]
    if not jumptable:
        flags.append("-DLUA_USE_JUMPTABLE=0")
    key = digest([*files, *sorted(files[0].parent.glob("*.h")), clang, *flags])
    name = "lua" if jumptable else "lua-switch"

    def bitcode(product: Path) -> None:
        parts_folder = product.parent / "parts"
        include = product.parent / "include"
        parts_folder.mkdir()
        include.mkdir()
        write_multiarch_header(include)
        parts = []
        for source in files:
            part = parts_folder / f"{source.stem}.bc"
            run([clang, f"-I{include}", *flags, "-emit-llvm", "-c", source, "-o", part])
            parts.append(part)
        run([link, *parts, "-o", product])

    module = built(f"{name}.bc", key, bitcode)
    if kind == "bc":
        return module
    if kind == "ll":
        dis = tool("llvm-dis")
        return built(f"{name}.ll", key, lambda product: run([dis, module, "-o", product]))
    if kind == "native":
        # -rdynamic: as Lua's own makefile links it, for its C modules.
        command = [clang, f"-O{opt_level}", module, "-rdynamic", *LIBRARIES]
        return built(f"{name}.exe", key, lambda product: run([*command, "-o", product]))
    raise ValueError(f"no such kind: {kind}")
