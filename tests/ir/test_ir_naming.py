"""Names as IR writes them: what LLVM prints is what `escaped` says, and what Python reads back."""

from __future__ import annotations

import llvmlite.binding as llvm
import numpy as np
import pytest

from lazyjit import JIT
from lazyjit.ir.naming import escaped

NAMES = ["x y", 'a"b', "a\\b", "a\\22", "1a", "café", "a\nb", "\x7f", "$-._", "@x", "%d"]


@pytest.mark.parametrize("name", [*NAMES, "\udcff"])
def test_llvm_prints_names_so(name: str) -> None:
    module = llvm.parse_assembly(f'@"{escaped(name)}" = global i8 0')
    printed = str(module)
    assert f'@"{escaped(name)}" = ' in printed or f"@{name} = " in printed


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("linkage", ["", "weak "], ids=["inlined", "called"])
def test_loops_are_made_of_functions_of_any_name(jit: JIT, name: str, linkage: str) -> None:
    jit.add(
        f'define {linkage}double @"{escaped(name)}"(double %x) {{\n'
        "  %r = fmul double %x, %x\n  ret double %r\n}\n"
    )
    square = jit.ufunc(name)
    assert square(np.arange(3.0)).tolist() == [0.0, 1.0, 4.0]


@pytest.mark.parametrize("name", [*NAMES, "\udcff"])
def test_python_functions_are_called_by_any_name(jit: JIT, name: str) -> None:
    def twice(x: float) -> float:
        return 2 * x

    jit.define(name, twice)
    jit.add(
        f'declare double @"{escaped(name)}"(double)\ndefine double @go(double %x) {{\n'
        f'  %r = call double @"{escaped(name)}"(double %x)\n  ret double %r\n}}\n'
    )
    assert jit["go"](2.0) == 4.0
