"""The loops of ufuncs, written as LLVM IR around a scalar function.

    define void @lazyjit.loop(ptr %args, ptr %dims, ptr %steps, ptr %unused)

is what NumPy calls: the operands' addresses, the number of elements, the operands' steps in bytes.
At its top the steps are looked at, and one of several loops is chosen:

- every operand contiguous, or an input the same for all elements (step 0): a loop that LLVM
  vectorizes. For that it must know that no element's output is another's input: each output is
  either apart from each other operand or lies exactly on it, and the loop says so
  (`llvm.loop.parallel_accesses`). Where they lie askew, as in `accumulate`, it isn't taken.
- `reduce` (the first input and the output are one place, with step 0): the value stays in a
  register
- anything else: one element after the other.

`@lazyjit.exact.loop` is the plainest loop around the twin of the function that isn't optimized: it
sets the floating-point flags that the function sets, and no others (native/ufunc.h).

The loop of a generalized ufunc passes the sizes and strides of the core dimensions on. It calls the
function in two places: where the last core dimension of each operand is contiguous its stride is a
constant there, which is what vectorizing the function's own loops takes.
"""

from __future__ import annotations

import itertools

from lazyjit.call.ufunc_operands import Operands
from lazyjit.call.ufunc_unit import Body
from lazyjit.call.ufunc_writer import Writer
from lazyjit.ir.naming import escaped

__all__ = ["declared", "write_loops"]

#: Up to this many inputs each mixture of contiguous and scalar ones has a loop of its own, if the
#: body has at most so many bytes of text; with more there is one for all of them contiguous.
_MIXED_INPUTS, _MIXED_BYTES = 3, 4096


def _element(code: Writer, places: list[str], group: str, first: str = "") -> str:
    """Computes one element; `first`, if given, is the first input's value. The first output's value
    is stored, but in this case returned."""
    operands = code.operands
    count = len(operands.inputs)
    pieces, slots = [], {}
    for i, (operand, parts) in enumerate(operands.passed):
        if operand >= count:
            slots[operand] = code.slot(max(operands.all[operand].size, 8))
            pieces.append(f"ptr {slots[operand]}")
            continue
        if i == 0 and first:
            pieces.append(f"{parts[0][0]} {first}")
            continue
        for kind, offset in parts:
            pieces.append(f"{kind} {_load(code, kind, code.at(places[operand], offset), group)}")
    call = f"call {operands.returned} {code.callee}({', '.join(pieces)})"
    if operands.returned == "void":
        code.line(call)
    else:
        result = code.value(call)
        if first:
            return result
        _store_result(code, result, places[count:], group)
    for operand, slot in slots.items():
        _copy(code, operands.all[operand].size, slot, places[operand], group)
    return ""


def _load(code: Writer, kind: str, place: str, group: str) -> str:
    if kind == "i1":
        byte = code.value(f"load i8, ptr {place}{group}")
        return code.value(f"icmp ne i8 {byte}, 0")
    return code.value(f"load {kind}, ptr {place}, align {_alignment(kind)}{group}")


def _alignment(kind: str) -> int:
    """What NumPy aligns elements to: a complex number as its parts."""
    if kind in ("{ float, float }", "<2 x float>", "float", "i32"):
        return 4
    return {"i8": 1, "i16": 2}.get(kind, 8)


def _store_result(code: Writer, result: str, places: list[str], group: str) -> None:
    operands = code.operands
    alone = len(operands.result_outputs) == 1
    if alone and len(operands.result) == 1:
        _store(code, operands.result[0][0], result, places[0], group)
        return
    base = places[0] if alone else code.slot(operands.result_size)
    for i, (kind, offset) in enumerate(operands.result):
        part = result
        if operands.returned.startswith("{"):
            part = code.value(f"extractvalue {operands.returned} {result}, {i}")
        _store(code, kind, part, code.at(base, offset), group if alone else "")
    if alone:
        return
    for place, output, offset in zip(
        places, operands.outputs, operands.result_outputs, strict=False
    ):
        _copy(code, output.size, code.at(base, offset), place, group)


def _copy(code: Writer, size: int, source: str, place: str, group: str) -> None:
    """Moves a number as the bits that it has."""
    value = code.value(f"load i{8 * size}, ptr {source}, align 1")
    code.line(f"store i{8 * size} {value}, ptr {place}, align 1{group}")


def _store(code: Writer, kind: str, value: str, place: str, group: str) -> None:
    if kind == "i1":
        value, kind = code.value(f"zext i1 {value} to i8"), "i8"
    code.line(f"store {kind} {value}, ptr {place}, align {_alignment(kind)}{group}")


def _loop(
    code: Writer,
    pointers: list[str],
    steps: list[str],
    *,
    metadata: tuple[str, str] = ("", ""),
    reduce: bool = False,
) -> None:
    """A loop over all elements, and the end of the function. `%n` is at least 1."""
    operands = code.operands
    before, body, end = code.block, code.new_block(), code.new_block()
    kind = operands.passed[0][1][0][0] if reduce else ""
    start = _load(code, kind, pointers[0], "") if reduce else ""
    code.line(f"br label %{body}")
    code.start(body)
    index, next_index = f"%v{next(code.numbers)}", f"%v{next(code.numbers)}"
    code.line(f"{index} = phi i64 [ 0, %{before} ], [ {next_index}, %{body} ]")
    sofar = value = ""
    if reduce:
        sofar = f"%v{next(code.numbers)}"
        at = len(code.lines)
        code.line("")  # the phi, once the value is known
    places = []
    for pointer, step in zip(pointers, steps, strict=True):
        if step == "0":
            places.append(pointer)
            continue
        offset = code.value(f"mul i64 {index}, {step}")
        places.append(code.at(pointer, offset))
    value = _element(code, places, metadata[0], sofar)
    if reduce:
        code.lines[at] = f"  {sofar} = phi {kind} [ {start}, %{before} ], [ {value}, %{body} ]"
    code.line(f"{next_index} = add nuw nsw i64 {index}, 1")
    done = code.value(f"icmp eq i64 {next_index}, %n")
    code.line(f"br i1 {done}, label %{end}, label %{body}{metadata[1]}")
    code.start(end)
    if reduce:
        _store(code, kind, value, pointers[-1], "")
    code.line("ret void")


def _arguments(code: Writer) -> tuple[list[str], list[str]]:
    """The operands' addresses and steps; leaves when there is no element."""
    code.line("%n = load i64, ptr %dims")
    pointers, steps = [], []
    for i in range(len(code.operands.all)):
        pointers.append(code.value(f"load ptr, ptr {code.at('%args', 8 * i)}"))
        steps.append(code.value(f"load i64, ptr {code.at('%steps', 8 * i)}"))
    none, some, go = code.value("icmp slt i64 %n, 1"), code.new_block(), code.new_block()
    code.line(f"br i1 {none}, label %{some}, label %{go}")
    code.start(some)
    code.line("ret void")
    code.start(go)
    return pointers, steps


def _apart(code: Writer, pointers: list[str], steps: list[str]) -> str:
    """Whether each output is apart from each other operand, or exactly on it."""
    operands = code.operands
    ends = []
    for pointer, step, operand in zip(pointers, steps, operands.all, strict=True):
        spread = code.value(f"mul i64 {step}, %n")
        least = code.value(f"call i64 @llvm.umax.i64(i64 {spread}, i64 {operand.size})")
        ends.append(code.at(pointer, least))
    good = []
    first = len(operands.inputs)
    for out in range(first, len(pointers)):
        for other in range(out):
            below = code.value(f"icmp ule ptr {ends[out]}, {pointers[other]}")
            above = code.value(f"icmp ule ptr {ends[other]}, {pointers[out]}")
            fine = code.value(f"or i1 {below}, {above}")
            if operands.all[out].size == operands.all[other].size and other < first:
                same = code.value(f"icmp eq ptr {pointers[out]}, {pointers[other]}")
                equal = code.value(f"icmp eq i64 {steps[out]}, {steps[other]}")
                both = code.value(f"and i1 {same}, {equal}")
                fine = code.value(f"or i1 {fine}, {both}")
            good.append(fine)
    return code.conjunction(good)


def _mixtures(operands: Operands, size: int) -> list[tuple[bool, ...]]:
    """Which inputs are contiguous, for each vectorized loop."""
    count = len(operands.inputs)
    if count > _MIXED_INPUTS or size > _MIXED_BYTES:
        return [(True,) * count]
    return [each for each in itertools.product((True, False), repeat=count) if any(each)]


def _fast(operands: Operands, body: Body, metadata: str, callee: str) -> str:
    code = Writer(operands, callee)
    pointers, steps = _arguments(code)
    sizes = [str(operand.size) for operand in operands.all]
    count = len(operands.inputs)

    def choose(conditions: list[str]) -> tuple[str, str]:
        chosen, other = code.new_block(), code.new_block()
        code.line(f"br i1 {code.conjunction(conditions)}, label %{chosen}, label %{other}")
        code.start(chosen)
        return chosen, other

    contiguous = [
        code.value(f"icmp eq i64 {step}, {size}") for step, size in zip(steps, sizes, strict=True)
    ]
    fixed = [code.value(f"icmp eq i64 {step}, 0") for step in steps]
    if _reduces(operands):
        same = code.value(f"icmp eq ptr {pointers[0]}, {pointers[2]}")
        _, other = choose([same, fixed[0], fixed[2]])
        _, strided = choose([contiguous[1]])
        _loop(code, pointers, ["0", sizes[1], "0"], reduce=True)
        code.start(strided)
        _loop(code, pointers, ["0", steps[1], "0"], reduce=True)
        code.start(other)
    askew = code.new_block()
    go = code.new_block()
    ordered = code.conjunction([_apart(code, pointers, steps), *contiguous[count:]])
    code.line(f"br i1 {ordered}, label %{go}, label %{askew}")
    code.start(go)
    for i, mixture in enumerate(_mixtures(operands, body.size)):
        _, other = choose([contiguous[k] if each else fixed[k] for k, each in enumerate(mixture)])
        known = [sizes[k] if each else "0" for k, each in enumerate(mixture)] + sizes[count:]
        loop = body.next_metadata + 2 + i
        _loop(code, pointers, known, metadata=(metadata, f", !llvm.loop !{loop}"))
        code.start(other)
    code.line(f"br label %{askew}")
    code.start(askew)
    _loop(code, pointers, steps)
    return code.text("lazyjit.loop", "uwtable")


def _reduces(operands: Operands) -> bool:
    """Whether `reduce` can keep its value in a register."""
    if len(operands.inputs) != 2 or len(operands.outputs) != 1 or len(operands.result) != 1:
        return False
    (first, pieces), *_ = operands.passed
    return (
        first == 0
        and len(operands.passed) == 2
        and operands.inputs[0] == operands.outputs[0]
        and len(pieces) == 1
        and pieces[0] == operands.result[0]
    )


def write_loops(operands: Operands, body: Body) -> str:
    """The unit with `@lazyjit.loop`, and with `@lazyjit.exact.loop` where flags could be wrong.

    Any thread.
    """
    if operands.core is not None:
        return f"{body.text}\n{_core(operands)}\n"
    group = body.next_metadata
    loops = [_fast(operands, body, f", !llvm.access.group !{group}", "@lazyjit.body")]
    if body.hazardous:
        code = Writer(operands, "@lazyjit.exact")
        pointers, steps = _arguments(code)
        _loop(code, pointers, steps)
        loops.append(code.text("lazyjit.exact.loop", "uwtable noinline optnone"))
    mixtures = _mixtures(operands, body.size)
    notes = [
        f"!{group} = distinct !{{}}",
        f'!{group + 1} = !{{!"llvm.loop.parallel_accesses", !{group}}}',
        *(
            f"!{number} = distinct !{{!{number}, !{group + 1}}}"
            for number in range(group + 2, group + 2 + len(mixtures))
        ),
    ]
    umax = "" if "@llvm.umax.i64(" in body.text else "declare i64 @llvm.umax.i64(i64, i64)\n"
    return "\n".join([body.text, umax, *loops, *notes, ""])


def declared(operands: Operands, name: str) -> Body:
    """A body that calls the function where it is: one without IR, or one that can be replaced."""
    kinds = _kinds(operands)
    arguments = ", ".join(f"{kind} %{i}" for i, kind in enumerate(kinds))
    called = f'@"{escaped(name)}"'
    lines = [f"declare {operands.returned} {called}({', '.join(kinds)})"]
    result = "" if operands.returned == "void" else "%r = "
    back = "ret void" if operands.returned == "void" else f"ret {operands.returned} %r"
    lines += [
        f"define internal {operands.returned} @lazyjit.body({arguments}) alwaysinline {{",
        f"  {result}call {operands.returned} {called}({arguments})",
        f"  {back}",
        "}",
    ]
    return Body("\n".join(lines), 0, False, 0)


def _kinds(operands: Operands) -> list[str]:
    if operands.core is None:
        return [kind for _, parts in operands.passed for kind, _ in parts]
    core = operands.core
    numbers = len(core.dimensions) + sum(map(len, core.inputs + core.outputs))
    return ["ptr"] * len(operands.all) + ["i64"] * numbers


def _core(operands: Operands) -> str:
    """The loop of a generalized ufunc."""
    assert operands.core is not None
    code = Writer(operands, "@lazyjit.body")
    pointers, steps = _arguments(code)
    sizes = [
        code.value(f"load i64, ptr {code.at('%dims', 8 * (1 + i))}")
        for i in range(len(operands.core.dimensions))
    ]
    strides: list[str] = []
    constant: list[str] = []
    conditions: list[str] = []
    place = len(pointers)
    for operand, names in zip(
        operands.all, operands.core.inputs + operands.core.outputs, strict=True
    ):
        for i in range(len(names)):
            stride = code.value(f"load i64, ptr {code.at('%steps', 8 * place)}")
            place += 1
            strides.append(stride)
            last = i == len(names) - 1
            constant.append(str(operand.size) if last else stride)
            if last:
                conditions.append(code.value(f"icmp eq i64 {stride}, {operand.size}"))
    ways = [strides]
    if conditions:
        contiguous, other = code.new_block(), code.new_block()
        code.line(f"br i1 {code.conjunction(conditions)}, label %{contiguous}, label %{other}")
        code.start(contiguous)
        ways = [constant, strides]
    for i, way in enumerate(ways):
        if i:
            code.start(other)
        before, body, end = code.block, code.new_block(), code.new_block()
        code.line(f"br label %{body}")
        code.start(body)
        index, following = f"%v{next(code.numbers)}", f"%v{next(code.numbers)}"
        code.line(f"{index} = phi i64 [ 0, %{before} ], [ {following}, %{body} ]")
        places = []
        for pointer, step in zip(pointers, steps, strict=True):
            offset = code.value(f"mul i64 {index}, {step}")
            places.append(f"ptr {code.at(pointer, offset)}")
        numbers = [f"i64 {each}" for each in [*sizes, *way]]
        code.line(f"call void @lazyjit.body({', '.join(places + numbers)})")
        code.line(f"{following} = add nuw nsw i64 {index}, 1")
        done = code.value(f"icmp eq i64 {following}, %n")
        code.line(f"br i1 {done}, label %{end}, label %{body}")
        code.start(end)
        code.line("ret void")
    return code.text("lazyjit.loop", "uwtable")
