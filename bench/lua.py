"""Lua 5.4 from Debian's source package, built outside the repository into one module of LLVM IR.

Lua is the real program of the benchmarks and of the acceptance tests: 650 functions in 33 files,
setjmp and longjmp, a computed goto over 83 labels, function tables, static data of every shape.

The sources come from the folder that `LAZYJIT_LUA_SOURCE` names (the one that holds `lua.c`) or,
when it is unset, from `apt-get source lua5.4` where that works. They are compiled by clang at -O1
and linked to one module, twice: as they are, with the interpreter's computed goto, and with
`-DLUA_USE_JUMPTABLE=0`, a switch instead, because LLVM's LLLazyJIT crashes on the former.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.toolchain import Absent, built, cache_dir, digest, run, tool

__all__ = ["LIBRARIES", "build", "source_folder"]

#: What the native binary links with, beside the C library.
LIBRARIES = ("-lm", "-ldl")

#: The compiler's own program and the one that compiles scripts to files are not part of `lua`.
NOT_LUA = {"luac.c"}

HINT = "set LAZYJIT_LUA_SOURCE to the src folder of Debian's lua5.4 source package"


def source_folder() -> Path:
    """The folder of Lua's C files; raises Absent when there is none and none can be fetched."""
    configured = os.environ.get("LAZYJIT_LUA_SOURCE")
    if configured:
        folder = Path(configured)
        if not (folder / "lua.c").is_file():
            raise Absent(f"LAZYJIT_LUA_SOURCE={configured} does not hold lua.c")
        return folder
    return fetched()


def fetched() -> Path:
    """Debian's package, unpacked in the cache: fetched once, and a failure is not tried again."""
    home = cache_dir() / "lua-source"
    folders = sorted(home.glob("*/src/lua.c"))
    if folders:
        return folders[0].parent
    failure = cache_dir() / "lua-source-failed"
    if failure.exists():
        raise Absent(f"{failure.read_text().strip()}; {HINT}, or delete {failure} to try again")
    apt = shutil.which("apt-get")
    if apt is None:
        raise Absent(f"no Lua source: {HINT}")
    with tempfile.TemporaryDirectory(dir=cache_dir()) as work:
        try:
            done = subprocess.run(
                [apt, "source", "lua5.4"],
                cwd=work,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            words = done.stderr.strip().splitlines()
        except subprocess.TimeoutExpired:
            words = ["no answer within two minutes"]
        if not list(Path(work).glob("*/src/lua.c")):
            reason = f"apt-get source lua5.4 failed ({words[-1] if words else 'no reason given'})"
            failure.write_text(reason)
            raise Absent(f"{reason}; {HINT}")
        # Renamed as one: another process may be fetching it too, and the first one wins.
        if not home.exists():
            Path(work).rename(home)
            Path(work).mkdir()
    return next(iter(sorted(home.glob("*/src/lua.c")))).parent


def build(kind: str, *, jumptable: bool = True, opt_level: int = 1) -> Path:
    """Lua as "ll", "bc" or "native", compiled at -O`opt_level`; raises Absent.

    `jumptable=False` compiles the interpreter's loop as a switch.
    """
    clang, link = tool("clang"), tool("llvm-link")
    folder = source_folder()
    sources = sorted(path for path in folder.glob("l*.c") if path.name not in NOT_LUA)
    flags = [f"-O{opt_level}", "-DLUA_USE_LINUX", "-DLUA_COMPAT_5_3"]
    if not jumptable:
        flags.append("-DLUA_USE_JUMPTABLE=0")
    key = digest([*sources, *sorted(folder.glob("*.h")), clang, *flags])
    name = "lua" if jumptable else "lua-switch"

    def bitcode(product: Path) -> None:
        parts_folder = product.parent / "parts"
        include = product.parent / "include"
        parts_folder.mkdir()
        include.mkdir()
        # Debian's build writes this header; its patched luaconf.h asks for it.
        triplet = f"{platform.machine()}-linux-gnu"
        (include / "lua5.4-deb-multiarch.h").write_text(f'#define DEB_HOST_MULTIARCH "{triplet}"\n')
        parts = []
        for source in sources:
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
