"""C and C++ programs, compiled by clang to IR at -O0 and -O2, end under lazyjit as natively."""

from __future__ import annotations

import itertools
from pathlib import Path

import acceptance
import pytest
from acceptance import Configuration

from bench.toolchain import compile_program

PROGRAMS = sorted([*(acceptance.HERE / "c").glob("*.c"), *(acceptance.HERE / "cpp").glob("*.cpp")])
ARGUMENTS = ["5", "two words", "", "--flag"]

#: `variant` is the level at which clang compiled the program to IR.
EVERY = [
    Configuration(opt_level, threads, kind, variant, eager)
    for eager, kind, variant, threads, opt_level in itertools.product(
        (False, True), ("ll", "bc"), ("clangO0", "clangO2"), (1, 2, 8), (0, 2, 3)
    )
]
SHORT = [
    Configuration(0, 2, "ll", "clangO0"),
    Configuration(2, 2, "bc", "clangO2"),
    Configuration(2, 1, "ll", "clangO0"),
    Configuration(0, 8, "ll", "clangO2"),
]
#: Without contraction a host with fused multiply-add computes what one without it does.
FLAGS = ["-ffp-contract=off", "-w"]


def built(source: Path, kind: str, variant: str) -> Path:
    flags = [*FLAGS, f"-O{variant[-1]}"]
    if source.suffix == ".cpp":
        flags.append("-std=c++20")
    libraries = ["-lm", "-lpthread"]
    return acceptance.or_skip(
        lambda: compile_program([source], flags=flags, kind=kind, libraries=libraries)
    )


@pytest.mark.parametrize(
    ("source", "configuration"),
    [
        pytest.param(source, configuration, id=f"{source.stem}-{configuration}")
        for number, source in enumerate(PROGRAMS)
        for configuration in (EVERY if acceptance.FULL else acceptance.some(1, SHORT, number))
    ],
)
def test_a_program_ends_as_it_does_natively(
    source: Path, configuration: Configuration, tmp_path: Path
) -> None:
    module = built(source, configuration.kind, configuration.variant)
    binary = built(source, "native", configuration.variant)
    native = acceptance.run_native(binary, ARGUMENTS, tmp_path / "native", name=module)
    jit = acceptance.run_jit(module, ARGUMENTS, tmp_path / "jit", configuration.options)
    acceptance.assert_same(jit, native)
