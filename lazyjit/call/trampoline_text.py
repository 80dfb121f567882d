"""The IR of trampolines (see `lazyjit.call.trampoline`).

There are two shapes. The *plain* one, for numbers and pointers, hands its arguments on as they are,
with the place for a token before them; ctypes makes Python's objects of them, and C's value of the
result. The other one stores whatever there is into a block of memory. Both end alike: with no token
they return, with one they surface it.
"""

from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace
from typing import Final

from lazyjit import failures
from lazyjit.call.abi import lower, value_type
from lazyjit.call.native import SYMBOLS
from lazyjit.call.signature import Signature
from lazyjit.call.types import Block, Pointer, Scalar, Structure, Void, size_and_alignment
from lazyjit.errors import UsageError
from lazyjit.ir.naming import escaped

__all__ = ["plain_text", "text_of"]

_Lost: Final = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_char_p)


def plain_text(name: str, signature: Signature, entry: int) -> str:
    """The plain one: `entry` is `result entry(uint64_t *token, arguments...)`. Any thread."""
    types = []
    for argument in signature.arguments:
        assert isinstance(argument.type, Scalar | Pointer)
        types.append(value_type(argument.type))
    kind = signature.result
    assert isinstance(kind, Scalar | Pointer | Void)
    returned = "void" if isinstance(kind, Void) else value_type(kind)
    parameters = ", ".join(f"{each} %p{i}" for i, each in enumerate(types))
    given = ", ".join(["ptr %slot", *(f"{each} %p{i}" for i, each in enumerate(types))])
    assign, give = "", "  ret void"
    if returned != "void":
        assign = "%value = "
        give = f"""  %result = phi {returned} [ %value, %enter ], [ zeroinitializer, %raise ]
  ret {returned} %result"""
    return f"""define {returned} @"{escaped(name)}"({parameters}) noinline uwtable {{
enter:
  %slot = alloca i64, align 8
  store i64 0, ptr %slot, align 8
  %entry = inttoptr i64 {entry} to ptr
  {assign}call {returned} %entry({given})
  %token = load i64, ptr %slot, align 8
  %fine = icmp eq i64 %token, 0
  br i1 %fine, label %give, label %raise
raise:
{_SURFACE}
  br label %give
give:
{give}
}}
"""


def text_of(name: str, signature: Signature, entry: int) -> str:
    """The other: `entry` is `uint64_t entry(const void *arguments, void *result)`. Any thread.

    Raises UsageError for values that only IR has.
    """
    lowered = lower(signature)
    parameters: list[str] = []
    stores: list[str] = []
    at = 0

    def store(kind: str, value: str) -> None:
        nonlocal at
        stores.append(f"%at{at} = getelementptr i8, ptr %arguments, i64 {8 * at}")
        stores.append(f"store {kind} {value}, ptr %at{at}, align 8")
        at += 1

    way = lowered.result
    returned = way.types[0] if len(way.types) == 1 else f"{{ {', '.join(way.types)} }}"
    kind = signature.result
    words = 1
    if not isinstance(kind, Void):
        assert isinstance(kind, Scalar | Pointer | Structure | Block)
        words = -(-size_and_alignment(kind)[0] // 8)
    result = f"[{words} x i64]"
    if way.how == "memory":
        parameters.append(f"ptr sret({result}) align 8 %sret")
        returned = "void"
    for argument, each in zip(signature.arguments, lowered.arguments, strict=True):
        if each.how == "memory":
            assert isinstance(argument.type, Scalar | Structure)
            count = -(-size_and_alignment(argument.type)[0] // 8)
            parameter = f"%p{len(parameters)}"
            parameters.append(f"ptr byval([{count} x i64]) align 8 {parameter}")
            for i in range(count):
                stores.append(f"%from{at} = getelementptr i8, ptr {parameter}, i64 {8 * i}")
                stores.append(f"%word{at} = load i64, ptr %from{at}, align 8")
                store("i64", f"%word{at}")
        elif each.how == "first class":
            raise UsageError(f"{argument} is a value of IR's own; a trampoline speaks C")
        else:
            for piece in each.types:
                parameter = f"%p{len(parameters)}"
                parameters.append(f"{piece} {parameter}")
                store(piece, parameter)
    place = "%sret" if way.how == "memory" else "%result"
    give = ["ret void"]
    if returned != "void":
        give = [f"%value = load {returned}, ptr %result, align 8", f"ret {returned} %value"]
    body = [
        f"%arguments = alloca [{max(at, 1)} x i64], align 8",
        f"%result = alloca {result}, align 8",
        f"store {result} zeroinitializer, ptr {place}, align 8",
        *stores,
        f"%entry = inttoptr i64 {entry} to ptr",
        f"%token = call i64 %entry(ptr %arguments, ptr {place})",
        "%fine = icmp eq i64 %token, 0",
        "br i1 %fine, label %give, label %raise",
    ]
    surface = [
        f"store {result} zeroinitializer, ptr {place}, align 8",
        "br label %give",
    ]
    return "\n".join(
        [
            f'define {returned} @"{escaped(name)}"({", ".join(parameters)}) noinline uwtable {{',
            *(f"  {line}" for line in body),
            "raise:",
            _SURFACE,
            *(f"  {line}" for line in surface),
            "give:",
            *(f"  {line}" for line in give),
            "}\n",
        ]
    )


def _report_lost(token: int, why: bytes | None) -> None:
    error = failures.exception(token)
    words = "can't be raised" + (f": {why.decode()}" if why else "")
    sys.unraisablehook(
        SimpleNamespace(
            exc_type=type(error),
            exc_value=error,
            exc_traceback=error.__traceback__,
            err_msg=f"Exception in a Python function that native code called {words}",
            object=None,
        )
    )


_lost: Final = _Lost(_report_lost)
_lost_address: Final = ctypes.cast(_lost, ctypes.c_void_p).value or 0
# Only where nobody can be told does the call of the guard come back.
_SURFACE: Final = f"""  %guard = inttoptr i64 {SYMBOLS["lj_guard_raise"]} to ptr
  %why = call ptr %guard(i64 %token)
  %lost = inttoptr i64 {_lost_address} to ptr
  call void %lost(i64 %token, ptr %why)"""
