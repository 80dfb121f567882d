"""The subjects of the benchmarks: LLVM's own JITs, llvmlite's, and lazyjit, each in its process.

`llvm_peer.cpp` holds LLJIT and LLLazyJIT, `llvmlite_peer.py` MCJIT and LLJIT as llvmlite offers
them, `lazyjit_peer.py` us. All take `--times FILE INPUT [argument ...]` behind their own options
and write the report that llvm_peer.cpp describes. This file builds the first and makes the command
lines.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Subject
from bench.toolchain import LLVM_MAJOR, Absent, built, digest, run, tool

__all__ = [
    "lazyjit",
    "llvm",
    "llvm_linking",
    "llvm_peer",
    "llvmlite",
    "native",
    "peer_versions",
    "script",
]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SOURCE = HERE / "llvm_peer.cpp"


def llvm_peer() -> Path:
    """The C++ peer, built in the cache; raises Absent without clang++-22 and LLVM's headers.

    It is linked against LLVM's shared library, as Debian's own lli is; linked statically it was as
    fast, within 1%, where that was tried.
    """
    compiler, config = tool("clang++"), tool("llvm-config")
    flags = shlex.split(run([config, "--cxxflags"]))
    wanted = ["--ldflags", "--link-shared", "--libs", "orcjit", "native", "irreader"]
    try:
        libraries = shlex.split(run([config, *wanted]))
    except RuntimeError as error:  # the tools of LLVM are here, and not what one links against
        raise Absent(f"llvm-{LLVM_MAJOR}-dev is not installed ({error})") from None

    def build(product: Path) -> None:
        run([compiler, "-O2", *flags, SOURCE, "-o", product, *libraries])

    return built("llvm_peer.exe", digest([SOURCE, compiler, *flags, *libraries]), build)


def llvm(kind: str, codegen_level: int, threads: int, program: Sequence[str | Path]) -> Subject:
    """LLVM's `lljit` or `lllazyjit`; 0 threads: the calling thread compiles."""
    peer = llvm_peer()
    name = {"lljit": "LLVM LLJIT", "lllazyjit": "LLVM LLLazyJIT"}[kind]
    options = ["--kind", kind, "--codegen-level", str(codegen_level), "--threads", str(threads)]
    return Subject(
        f"{name}, codegen {codegen_level}, {max(threads, 1)} thr.",
        lambda times: [peer, *options, "--times", times, *program],
    )


def llvm_linking(count: int, source: Path) -> Subject:
    """LLVM's LLJIT, linking one object again and again."""
    peer = llvm_peer()
    options = ["--link-repeatedly", str(count)]
    return Subject("LLVM LLJIT", lambda times: [peer, *options, "--times", times, source])


def llvmlite(kind: str, codegen_level: int, program: Sequence[str | Path]) -> Subject:
    """llvmlite's `mcjit` or `lljit`."""
    name = {"mcjit": "llvmlite MCJIT", "lljit": "llvmlite LLJIT"}[kind]
    command = [sys.executable, HERE / "llvmlite_peer.py", "--kind", kind]
    return Subject(
        f"{name}, codegen {codegen_level}",
        lambda times: [*command, "--codegen-level", str(codegen_level), "--times", times, *program],
    )


def lazyjit(
    program: Sequence[str | Path],
    *,
    opt_level: int,
    codegen_level: int | None = None,
    threads: int,
    options: Sequence[str] = (),
    name: str | None = None,
) -> Subject:
    """lazyjit; `options` are more of lazyjit_peer.py's, `name` replaces the usual one."""
    levels = ["--opt-level", str(opt_level)]
    if codegen_level is not None:
        levels += ["--codegen-level", str(codegen_level)]
    else:
        codegen_level = opt_level
    shown = f"lazyjit -O{opt_level}, codegen {codegen_level}, {threads} thr."
    chosen = [*levels, "--threads", str(threads), *options]
    return script(name or shown, "lazyjit_peer", *chosen, program=program)


def script(name: str, module: str, *options: str, program: Sequence[str | Path] = ()) -> Subject:
    """One of the programs beside this file, in a process of its own."""
    command = [sys.executable, "-m", f"bench.peers.{module}", *options]
    return Subject(
        name,
        lambda times: [*command, "--times", times, *program],
        environment={"PYTHONPATH": python_path()},
    )


def native(program: Sequence[str | Path]) -> Subject:
    """The native binary: it has no report, so it serves for its output only."""
    return Subject("native", lambda times: list(program))


def python_path() -> str:
    """Where a child finds `bench`: this checkout after what the parent imports from."""
    return ":".join([*(path for path in sys.path if path), str(ROOT)])


def peer_versions() -> dict[str, str]:
    """What is measured, by version; the reason where it is not."""
    import platform
    from importlib import metadata

    versions = {"Python": platform.python_version()}
    try:
        versions["LLVM (LLJIT, LLLazyJIT)"] = run([llvm_peer(), "--version"]).strip()
    except Absent as reason:
        versions["LLVM (LLJIT, LLLazyJIT)"] = f"left out: {reason}"
    for package in ("llvmlite", "lazyjit", "numpy"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "from the checkout"
    try:
        import llvmlite.binding as binding

        versions["llvmlite's LLVM"] = ".".join(map(str, binding.llvm_version_info))
    except ImportError:
        versions["llvmlite's LLVM"] = "left out: llvmlite is not installed"
    return {**versions, **clang_version(), **numba_versions()}


def clang_version() -> dict[str, str]:
    """What C is compiled by."""
    try:
        words = run([tool("clang"), "--version"]).split()
        return {"clang": words[words.index("version") + 1]}
    except Absent as reason:
        return {"clang": f"left out: {reason}"}


def numba_versions() -> dict[str, str]:
    """Of what may live in another interpreter, that of LAZYJIT_BENCH_NUMBA."""
    python = os.environ.get("LAZYJIT_BENCH_NUMBA", sys.executable)
    versions = {}
    for package in ("numba", "numexpr"):
        code = f"from importlib import metadata; print(metadata.version({package!r}))"
        try:
            versions[package] = run([python, "-c", code]).strip()
        except (RuntimeError, OSError):
            versions[package] = "left out: not installed"
    return versions
