"""Generalized ufuncs: core dimensions, sizes and strides, and what is refused."""

import shutil
import subprocess

import numpy as np
import pytest

from lazyjit import JIT
from lazyjit.errors import FailedToMaterialize, UsageError

DOT = """
define void @dot(ptr %a, ptr %b, ptr %o, i64 %n, i64 %sa, i64 %sb) {
entry:
  %none = icmp eq i64 %n, 0
  br i1 %none, label %end, label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %i1, %loop ]
  %s = phi double [ 0.0, %entry ], [ %s1, %loop ]
  %ia = mul i64 %i, %sa
  %ib = mul i64 %i, %sb
  %pa = getelementptr i8, ptr %a, i64 %ia
  %pb = getelementptr i8, ptr %b, i64 %ib
  %x = load double, ptr %pa
  %y = load double, ptr %pb
  %m = fmul double %x, %y
  %s1 = fadd double %s, %m
  %i1 = add i64 %i, 1
  %more = icmp ult i64 %i1, %n
  br i1 %more, label %loop, label %end
end:
  %t = phi double [ 0.0, %entry ], [ %s1, %loop ]
  store double %t, ptr %o
  ret void
}
define double @scalar(double %x) {
  ret double %x
}
"""

MATVEC = """
#include <stdint.h>
void matvec(char *a, char *x, char *y, int64_t m, int64_t n, int64_t am, int64_t an, int64_t xn,
            int64_t ym) {
    for (int64_t i = 0; i < m; i++) {
        float sum = 0;
        for (int64_t j = 0; j < n; j++)
            sum += *(float *)(a + i * am + j * an) * *(float *)(x + j * xn);
        *(float *)(y + i * ym) = sum;
    }
}
"""


def test_a_dot_product_is_numpys(jit: JIT) -> None:
    jit.add(DOT)
    dot = jit.gufunc("dot", "(n),(n)->()")
    assert (dot.__name__, dot.signature, dot.types) == ("dot", "(n),(n)->()", ["dd->d"])
    a, b = np.arange(35.0).reshape(5, 7), np.arange(70.0).reshape(10, 7)[::-2]
    for x, y in ((a, b), (a[:, ::-1], b), (a, b[0]), (a[:, None], b[None]), (a[:0], b[:0])):
        np.testing.assert_array_equal(dot(x, y), np.einsum("...i,...i", x, y), strict=True)
    assert dot(a[:, :0], b[:, :0]).tolist() == [0.0] * 5
    np.testing.assert_array_equal(dot(a, b, axis=0), (a * b).sum(0))
    assert dot([1, 2], [3, 4]) == 11.0  # ints are cast
    out = np.zeros(5)
    assert dot(a, b, out=out) is out
    with pytest.raises(ValueError, match="core dimension"):
        dot(a, b[:, :6])


def test_a_matrix_times_vectors_from_c(jit: JIT) -> None:
    clang = shutil.which("clang-22") or shutil.which("clang")
    if clang is None:
        pytest.skip("needs clang")
    command = [clang, "-O1", "-S", "-emit-llvm", "-x", "c", "-", "-o", "-"]
    jit.add(
        subprocess.run(command, input=MATVEC, capture_output=True, text=True, check=True).stdout
    )
    matvec = jit.gufunc({"matvec": "ff->f"}, "(m,n),(n)->(m)")
    a = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    x = np.arange(4, dtype=np.float32)
    np.testing.assert_array_equal(matvec(a, x), a @ x, strict=True)
    np.testing.assert_array_equal(matvec(a.swapaxes(1, 2), x[:3]), a.swapaxes(1, 2) @ x[:3])


@pytest.mark.parametrize(
    "text", ["", "n->", "(n)", "(n)->", "(n),->()", "(n)->(n))", "(n-1)->()", 3]
)
def test_wrong_signatures_are_refused(jit: JIT, text: str) -> None:
    jit.add(DOT)
    with pytest.raises(UsageError, match="core dimensions"):
        jit.gufunc("dot", text, "dd->d")


@pytest.mark.parametrize(
    ("name", "signature", "types", "words"),
    [
        ("dot", "(n),(n)->()", "d->d", "type for each operand"),
        ("dot", "(n),(n)->()", "ddd", "type for each operand"),
        ("dot", "(n),(n)->()", "OO->O", "'O' is not a type"),
        ("dot", "(n),(m)->()", "dd->d", "needs void"),
        ("scalar", "(n)->()", "d->d", "needs void"),
    ],
)
def test_functions_that_do_not_fit_are_refused(
    jit: JIT, name: str, signature: str, types: str, words: str
) -> None:
    jit.add(DOT)
    with pytest.raises(UsageError, match=words):
        jit.gufunc(name, signature, types)


def test_a_first_call_that_fails_raises(jit: JIT) -> None:
    jit.add(
        "define void @bad(ptr %a, ptr %o, i64 %n, i64 %s) {\n"
        "  call void @nowhere()\n  ret void\n}\n"
        "declare void @nowhere()\n"
    )
    with pytest.raises(FailedToMaterialize, match="nowhere"):
        jit.gufunc("bad", "(n)->()")(np.ones((4, 3)))
