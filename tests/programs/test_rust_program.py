"""A Rust program, with panics that unwind through lazily compiled code: as the native one."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import acceptance
import pytest

from bench.toolchain import LLVM_MAJOR, Absent, built, digest, run, system_tool

SOURCE = acceptance.HERE / "rust" / "program.rs"


@cache
def rustc() -> str:
    """rustc, if the LLVM in it writes IR that ours can read."""
    compiler = system_tool("rustc")
    version = re.search(r"LLVM version: (\d+)", run([compiler, "-vV"]))
    if version is None or int(version[1]) != LLVM_MAJOR:
        raise Absent(f"rustc is not one of LLVM {LLVM_MAJOR}")
    return compiler


def standard_library() -> Path:
    sysroot = run([rustc(), "--print", "target-libdir"]).strip()
    return next(iter(sorted(Path(sysroot).glob("libstd-*.so"))))


def build(kind: str, opt_level: int) -> Path:
    compiler = rustc()
    flags = ["-C", "prefer-dynamic", "-C", "codegen-units=1", "-C", f"opt-level={opt_level}"]
    flags += ["-C", f"link-arg=-Wl,-rpath,{standard_library().parent}", "--edition", "2021"]
    emit = {"ll": "llvm-ir", "native": "link"}[kind]
    name = {"ll": "program.ll", "native": "program.exe"}[kind]

    def compile_to(product: Path) -> None:
        # Run in the product's folder: rustc leaves its intermediate files beside it.
        command = [compiler, f"--emit={emit}", *flags, "--crate-name", "program", SOURCE]
        run([*command, "-o", product], cwd=product.parent)

    return built(name, digest([SOURCE, compiler, kind, *flags]), compile_to)


@pytest.mark.parametrize("level", [0, 2, 3] if acceptance.FULL else [2])
@pytest.mark.parametrize("rust_level", [0, 3] if acceptance.FULL else [1])
def test_a_rust_program_ends_as_it_does_natively(
    level: int, rust_level: int, tmp_path: Path
) -> None:
    module = acceptance.or_skip(lambda: build("ll", rust_level))
    binary = build("native", rust_level)
    native = acceptance.run_native(binary, [], tmp_path / "native", name=module)
    options = [f"-O{level}", "--compile-threads", "2", "--dlopen", standard_library()]
    jit = acceptance.run_jit(module, [], tmp_path / "jit", options)
    acceptance.assert_same(jit, native)


def test_the_native_rust_program_is_what_we_think(tmp_path: Path) -> None:
    binary = acceptance.or_skip(lambda: build("native", 1))
    done = subprocess.run([binary], stdout=subprocess.PIPE, check=False)
    assert done.returncode == 5
    assert b"hook: attempt to divide by zero" in done.stdout
