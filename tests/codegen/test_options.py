"""Options are checked where they are made, and filled in from the host and the level."""

from __future__ import annotations

import dataclasses

import pytest

from lazyjit import errors, llvmlib
from lazyjit.codegen import CompilerOptions, LLVMCompiler, host_cpu, host_features, host_triple


def test_the_host_is_described_in_llvms_words():
    assert host_triple().startswith("x86_64-")
    assert host_cpu()
    assert "+sse2" in host_features().split(",")


def test_the_host_is_the_default():
    options = CompilerOptions().resolved()
    assert (options.triple, options.cpu, options.features) == llvmlib.host()


def test_another_cpu_does_not_get_the_hosts_features():
    assert CompilerOptions(cpu="x86-64").resolved().features == ""
    assert CompilerOptions(cpu="x86-64", features="+avx2").resolved().features == "+avx2"


@pytest.mark.parametrize("level", range(4))
def test_codegen_and_tuning_follow_the_level(level):
    options = CompilerOptions(opt_level=level).resolved()
    assert options.codegen_level == level
    heavy = (options.loop_vectorize, options.slp_vectorize, options.loop_unroll)
    assert heavy == (level >= 2,) * 3


def test_what_is_said_is_kept():
    options = CompilerOptions(opt_level=3, codegen_level=0, loop_unroll=False).resolved()
    assert options.codegen_level == 0
    assert options.loop_unroll is False
    assert options.loop_vectorize is True
    assert options.resolved() == options


def test_options_are_values():
    assert CompilerOptions() == CompilerOptions()
    assert hash(CompilerOptions()) == hash(CompilerOptions())
    with pytest.raises(dataclasses.FrozenInstanceError):
        CompilerOptions().opt_level = 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"opt_level": 4},
        {"opt_level": -1},
        {"opt_level": "2"},
        {"opt_level": True},
        {"codegen_level": 7},
        {"relocation_model": "PIC"},
        {"code_model": "tiny"},
        {"cpu": 3},
        {"cpu": "a\0b"},
        {"features": b"+avx"},
    ],
    ids=str,
)
def test_what_is_out_of_range_is_a_usage_error(wrong):
    with pytest.raises(errors.UsageError):
        CompilerOptions(**wrong)


@pytest.mark.parametrize(
    "unknown",
    [{"cpu": "z80"}, {"features": "+warp"}, {"triple": "nonsense-unknown-none"}],
    ids=str,
)
def test_what_llvm_does_not_know_is_a_usage_error(unknown):
    with pytest.raises(errors.UsageError) as caught:
        LLVMCompiler(CompilerOptions(**unknown))
    assert next(iter(unknown.values())).strip("+") in str(caught.value)
