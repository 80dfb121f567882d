"""The code between Python's call and the function's: generated as LLVM IR.

A wrapper has the shape of a vectorcall function:

    ptr @wrapper(ptr %self, ptr %arguments, i64 %count, ptr %keywords)

It looks at the number of arguments, turns each into C's value, calls `%self->target`, and makes an
object of the result. What it depends on is the signature alone; the function, the names for
complaints and the defaults come from `%self`, so that all functions of a signature share a wrapper.

The common case of each conversion is inline: an exact float, a small int, True and False are told
by one comparison with the address of their type, and their value is loaded from where this build of
Python has it. The other cases are calls of native/call_convert.c. Nothing here knows of guards,
counts of calls or removal: that is in the gate (native/call_object.c) and behind `target`.

Beside it there may be a *quick* wrapper, for functions of plain numbers: it knows the common cases
and nothing else. From its first instruction to its last no Python code can run, and the GIL is
held, so that nobody can remove anything meanwhile: such a call needs no counting, and the quick
wrapper can be the gate itself. It is for functions that call nothing at all
(`lazyjit.layers.self_contained`); whatever is uncommon goes on to the counted gate.
"""

from __future__ import annotations

from typing import NamedTuple

from lazyjit.call.abi import Lowered, first_class_type, lower
from lazyjit.call.emitter import Emitter, unit_of
from lazyjit.call.native import layout
from lazyjit.call.signature import Signature
from lazyjit.call.types import (
    Array,
    Block,
    Out,
    Pointer,
    Scalar,
    Structure,
    Type,
    Void,
    leaves,
    memory_type,
    size_and_alignment,
)
from lazyjit.call.unboxing import Unboxer
from lazyjit.records import Record

__all__ = ["Wrapper", "generate"]


class Wrapper(Record):
    """A wrapper's IR, with `@wrapper` for its name, and what its calls put on the stack.

    With `quick`, the IR has `@quick` too.
    """

    text: str
    stack_bytes: int
    quick: bool


class _Passed(NamedTuple):
    """An argument on its way."""

    #: Of the call, as IR writes them.
    pieces: list[str]
    #: The array's view, to be released afterwards.
    view: str | None = None
    #: The memory that an `out` argument points to.
    out: str | None = None


def generate(signature: Signature, *, nogil: bool = False) -> Wrapper:
    """The wrapper of a signature; with `nogil` it lets go of the GIL around the call. Any thread.

    Raises UsageError for what this ABI can't pass.
    """
    lowered = lower(signature)
    code = Emitter("wrapper")
    unboxer = Unboxer(code)
    inputs = signature.inputs
    start = _arrange(code, len(inputs))
    passed: list[_Passed] = []
    place = 0
    for argument, way in zip(signature.arguments, lowered.arguments, strict=True):
        if isinstance(argument.type, Out):
            memory = code.slot(memory_type(argument.type.target), zeroed=True)
            passed.append(_Passed([f"ptr {memory}"], out=memory))
            continue
        value = code.value(f"load ptr, ptr {code.offset(start, 8 * place)}")
        passed.append(_pass(code, unboxer, argument.type, way.types, way.how, value, place))
        place += 1
    # From here on every argument is C's.
    result, memory = _call(code, signature, lowered, passed, nogil)
    code.failure_check()
    boxes = _results(code, signature, result, memory, passed)
    code.release_views()
    code.line(f"ret ptr {boxes}")
    functions = [code]
    if not nogil and not layout.no_gil and _is_plain(signature):
        functions.append(_quick(signature, lowered))
    return Wrapper(unit_of(functions), lowered.stack_bytes, len(functions) > 1)


def _is_plain(signature: Signature) -> bool:
    """Whether all that comes and goes are numbers that can be unboxed and boxed without Python."""
    kinds = [argument.type for argument in signature.arguments]
    if not isinstance(signature.result, Void):
        kinds.append(signature.result)
    return signature.fixed is None and all(
        isinstance(kind, Scalar) and kind.kind != "c" for kind in kinds
    )


def _quick(signature: Signature, lowered: Lowered) -> Emitter:
    code = Emitter("quick", otherwise="lj_callable_counted")
    unboxer = Unboxer(code)
    count = len(signature.arguments)
    number = code.value("and i64 %count, 9223372036854775807")
    as_many = code.value(f"icmp eq i64 {number}, {count}")
    positional = code.value("icmp eq ptr %keywords, null")
    go = code.new_block()
    code.branch(code.value(f"and i1 {as_many}, {positional}"), go, "otherwise")
    code.start(go)
    passed = []
    for place, (argument, way) in enumerate(
        zip(signature.arguments, lowered.arguments, strict=True)
    ):
        value = code.value(f"load ptr, ptr {code.offset('%arguments', 8 * place)}")
        passed.append(_pass(code, unboxer, argument.type, way.types, way.how, value, place))
    result, memory = _call(code, signature, lowered, passed, nogil=False)
    code.line(f"ret ptr {_results(code, signature, result, memory, passed)}")
    return code


def _arrange(code: Emitter, count: int) -> str:
    """The address of the arguments in the signature's order."""
    number = code.value("and i64 %count, 9223372036854775807")  # a flag is above
    as_many = code.value(f"icmp eq i64 {number}, {count}")
    positional = code.value("icmp eq ptr %keywords, null")
    plain = code.value(f"and i1 {as_many}, {positional}")
    before = code.block_name
    slow, go = code.new_block(), code.new_block()
    code.branch(plain, go, slow)
    code.start(slow)
    sorted_here = code.slot(f"[{max(count, 1)} x ptr]")
    code.checked_call(
        "lj_call_arrange",
        f"ptr %self, ptr %arguments, i64 {number}, ptr %keywords, ptr {sorted_here}, i64 {count}",
    )
    end = code.block_name
    code.jump(go)
    code.start(go)
    return code.value(f"phi ptr [ %arguments, %{before} ], [ {sorted_here}, %{end} ]")


def _pass(
    code: Emitter,
    unboxer: Unboxer,
    kind: Type,
    types: tuple[str, ...],
    how: str,
    value: str,
    place: int,
) -> _Passed:
    if isinstance(kind, Array):
        view = code.view()
        unboxer.array(kind, value, place, view)
        pieces = [f"ptr {code.value(f'load ptr, ptr {code.offset(view, layout.array_data)}')}"]
        for wanted, base in (
            (kind.passes_shape, layout.array_shape),
            (kind.passes_strides, layout.array_strides),
        ):
            for i in range(len(kind.shape) if wanted else 0):
                each = code.value(f"load i64, ptr {code.offset(view, base + 8 * i)}")
                pieces.append(f"i64 {each}")
        return _Passed(pieces, view=view)
    if how == "direct":
        assert isinstance(kind, Scalar | Pointer)
        unboxed = unboxer.value(kind, value, place)
        return _Passed([f"{types[0]} {_extension(kind)}{unboxed}"])
    assert isinstance(kind, Scalar | Structure)
    size, _ = size_and_alignment(kind)
    memory = code.slot(f"[{-(-size // 8)} x i64]", zeroed=True)
    unboxer.store(kind, value, place, memory)
    if how == "first class":
        return _Passed([f"{types[0]} {_aggregate(code, kind, memory)}"])
    if how == "memory":
        return _Passed([f"ptr byval([{-(-size // 8)} x i64]) align 8 {memory}"])
    pieces = []
    for i, each in enumerate(types):
        piece = code.value(f"load {each}, ptr {code.offset(memory, 8 * i)}")
        pieces.append(f"{each} {piece}")
    return _Passed(pieces)


def _extension(kind: Scalar | Pointer) -> str:
    """Callers extend small integers to 32 bits; compilers have come to rely on it."""
    if isinstance(kind, Scalar) and kind.kind in "iub" and kind.size < 4:
        return "signext " if kind.kind == "i" else "zeroext "
    return ""


def _aggregate(code: Emitter, kind: Scalar | Structure, memory: str) -> str:
    """The value that IR has for a structure in memory."""
    whole = first_class_type(kind)
    if isinstance(kind, Scalar):
        return code.value(f"load {whole}, ptr {memory}")
    value = "poison"
    for (offset, leaf), path in zip(leaves(kind), _paths(kind), strict=True):
        part = memory_type(leaf)
        element = code.value(f"load {part}, ptr {code.offset(memory, offset)}")
        if isinstance(leaf, Scalar) and leaf.kind == "b":
            part, element = "i1", code.value(f"trunc i8 {element} to i1")
        value = code.value(f"insertvalue {whole} {value}, {part} {element}, {path}")
    return value


def _paths(kind: Structure) -> list[str]:
    """The indices of each leaf in an aggregate."""
    found = []
    for i, each in enumerate(kind.fields):
        if isinstance(each, Structure):
            found += [f"{i}, {rest}" for rest in _paths(each)]
        else:
            found.append(str(i))
    return found


def _call(
    code: Emitter, signature: Signature, lowered: Lowered, passed: list[_Passed], nogil: bool
) -> tuple[str, str]:
    """The call itself: the result as a value, and the memory that holds it if it is there."""
    pieces = [piece for each in passed for piece in each.pieces]
    way, memory = lowered.result, ""
    kind = signature.result
    if isinstance(kind, Scalar | Pointer | Structure | Block) and way.how != "direct":
        size, _ = size_and_alignment(kind)
        memory = code.slot(f"[{-(-size // 8)} x i64]", zeroed=True)
    returned = {
        "memory": "void",
        "pieces": way.types[0] if len(way.types) == 1 else f"{{ {', '.join(way.types)} }}",
    }.get(way.how, way.types[0])
    if way.how == "memory":
        size, _ = size_and_alignment(kind)  # type: ignore[arg-type]  # void is direct
        pieces.insert(0, f"ptr sret([{-(-size // 8)} x i64]) align 8 {memory}")
    called = returned
    if signature.fixed is not None:
        # C promotes what goes through "..."; the caller says types that it can be.
        ways = lowered.arguments[: signature.fixed]
        types = [each for way in ways for each in way.types]
        if way.how == "memory":
            types.insert(0, "ptr")
        called = f"{returned} ({', '.join([*types, '...'])})"
    target = code.value(f"load ptr, ptr {code.offset('%self', layout.target)}")
    state = ""
    if nogil:
        code.use("PyEval_SaveThread", "ptr ()")
        state = code.value("call ptr @PyEval_SaveThread()")
    call = f"call {called} {target}({', '.join(pieces)})"
    result = ""
    if returned == "void":
        code.line(call)
    else:
        result = code.value(call)
    if nogil:
        code.use("PyEval_RestoreThread", "void (ptr)")
        code.line(f"call void @PyEval_RestoreThread(ptr {state})")
    if way.how == "pieces":
        for i, each in enumerate(way.types):
            piece = result
            if len(way.types) > 1:
                piece = code.value(f"extractvalue {returned} {result}, {i}")
            code.line(f"store {each} {piece}, ptr {code.offset(memory, 8 * i)}")
    elif way.how == "first class":
        _store_aggregate(code, kind, result, memory)
    return result, memory


def _store_aggregate(code: Emitter, kind: Type, value: str, memory: str) -> None:
    if isinstance(kind, Block | Scalar):
        code.line(f"store {first_class_type(kind)} {value}, ptr {memory}")
        return
    assert isinstance(kind, Structure)
    whole = first_class_type(kind)
    for (offset, leaf), path in zip(leaves(kind), _paths(kind), strict=True):
        element = code.value(f"extractvalue {whole} {value}, {path}")
        part = memory_type(leaf)
        if isinstance(leaf, Scalar) and leaf.kind == "b":
            element = code.value(f"zext i1 {element} to i8")
        code.line(f"store {part} {element}, ptr {code.offset(memory, offset)}")


def _results(
    code: Emitter, signature: Signature, result: str, memory: str, passed: list[_Passed]
) -> str:
    """Everything that the call gives, as one object."""
    boxes = []
    if not isinstance(signature.result, Void):
        if memory:
            boxes.append(code.box_memory(signature.result, memory, 0))
        else:
            assert isinstance(signature.result, Scalar | Pointer)
            boxes.append(code.box(signature.result, result))
    for argument, each in zip(signature.arguments, passed, strict=True):
        if isinstance(argument.type, Out):
            assert each.out is not None
            boxes.append(code.box_memory(argument.type.target, each.out, len(boxes)))
    if not boxes:
        return code.none()
    return boxes[0] if len(boxes) == 1 else code.tuple(boxes)
