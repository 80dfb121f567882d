"""The units of ufunc loops: a function's code, carved and wrapped, compiled and linked.

Each dtype's loop is a unit of its own in the function's dylib. The function's body is part of it,
so that it is inlined and vectorized; what the body refers to is found as the function itself would
find it. A function that has no IR, or that another definition may replace, is called where it is.
"""

from __future__ import annotations

import itertools

from lazyjit.call.ir_head import Head, read_head
from lazyjit.call.ufunc_loop import declared, write_loops
from lazyjit.call.ufunc_operands import Operands
from lazyjit.call.ufunc_unit import Body, take_in
from lazyjit.codegen import CompilerOptions, LLVMCompiler, print_module
from lazyjit.core import (
    ExecutionSession,
    JITDylib,
    MaterializationResponsibility,
    MaterializationUnit,
    ResourceTracker,
    SymbolState,
)
from lazyjit.errors import IRError
from lazyjit.ir import carve
from lazyjit.ir.naming import escaped
from lazyjit.layers.object_linking import ObjectLinkingLayer
from lazyjit.layers.on_demand import CompileOnDemandLayer
from lazyjit.layers.self_contained import is_self_contained
from lazyjit.records import Record, replace
from lazyjit.symbols import SymbolFlags

__all__ = ["Function", "Loop", "LoopMaker", "LoopUnit"]

#: What carries the code of small callees into a loop, in bytes of IR text.
_INLINE_BUDGET = 16 << 10


class Function(Record):
    """A function that a loop is to be made of."""

    name: str
    address: int
    tracker: ResourceTracker
    #: A signature in any form, or the types of a gufunc ("dd->d"), or None.
    given: object


class LoopMaker:
    """What loops are made with. Every method: any thread."""

    def __init__(
        self,
        session: ExecutionSession,
        objects: ObjectLinkingLayer,
        modules: CompileOnDemandLayer,
    ) -> None:
        """For the functions of `modules`."""
        self.session = session
        self.objects = objects
        self.modules = modules
        self.numbers = itertools.count()
        self._compiler: LLVMCompiler | None = None

    def compiler(self) -> LLVMCompiler:
        """The compiler of loops: the session's, but one that always vectorizes."""
        compiler = self._compiler
        if compiler is None:  # two are no harm
            given = self.modules.compiler
            base = given.options if isinstance(given, LLVMCompiler) else CompilerOptions()
            options = replace(
                base,
                opt_level=3,
                codegen_level=3,
                loop_vectorize=True,
                slp_vectorize=True,
                loop_unroll=True,
            )
            compiler = self._compiler = LLVMCompiler(options)
        return compiler


class Loop:
    """One dtype's loop."""

    def __init__(self, owner: LoopMaker, dylib: JITDylib, function: Function) -> None:
        self.owner = owner
        self.function = function
        self.definition = owner.modules.definition(
            dylib, function.tracker, function.name, function.address
        )
        # Its home sees what the function sees, hidden symbols included.
        self.dylib = self.definition[0].dylib if self.definition is not None else dylib
        number = next(owner.numbers)
        self.name = f"{function.name}$loop.{number}"
        self.exact = f"{function.name}$exact.{number}"
        self.operands: Operands
        self.body: Body | None = None
        self.epoch: int | None = None

    def head(self) -> Head | None:
        """What the IR says of the function."""
        if self.definition is None:
            return None
        table, entity = self.definition
        function = table.function_behind(entity)
        if not table.is_function(function):
            return None
        index = table.index
        return read_head(index.source(function), lambda: carve(index, [function]).text)

    def text(self, fast_math: bool, alone: bool) -> tuple[bytes, bool]:
        """The unit, and whether it carries code of others for inlining; `alone`, it doesn't.

        Raises IRError with the line in the module.
        """
        body, carries = self._inlined(fast_math, alone)
        if body is None:
            body = declared(self.operands, self.function.name)
        text = write_loops(self.operands, body)
        has_exact = "@lazyjit.exact.loop(" in text
        text = text.replace("@lazyjit.loop(", f'@"{escaped(self.name)}"(')
        if has_exact:
            text = text.replace("@lazyjit.exact.loop(", f'@"{escaped(self.exact)}"(')
        else:
            text += f'@"{escaped(self.exact)}" = constant i8 0\n'
        self.body = body
        return text.encode("utf-8", "surrogateescape"), carries

    def _inlined(self, fast_math: bool, alone: bool) -> tuple[Body | None, bool]:
        if self.definition is None:
            return None, False
        table, entity = self.definition
        function = table.function_behind(entity)
        index = table.index
        if (
            not table.is_function(function)
            or index.flags(function).overridable()
            or len(index.together(function)) > 1
        ):
            return None, False
        unit = carve(index, [function], inline_budget=0 if alone else _INLINE_BUDGET)
        try:
            printed = print_module(unit.text, table.name)
        except IRError as error:
            if unit.carried and not alone:
                return self._inlined(fast_math, True)  # it may be another's mistake
            line = unit.original_line(error.line) if error.line else None
            raise IRError(error.reason, file=error.file, line=line) from None
        body_name = index.name(function, body=True)
        text = printed.decode("utf-8", "surrogateescape")
        return take_in(text, body_name, fast_math=fast_math), unit.carried > 0

    def needs_guard(self) -> bool:
        """Whether something that the loop calls may turn out not to compile."""
        if self.definition is None or self.body is None:
            return True
        owner = self.owner
        table, entity = self.definition
        order = self.dylib.link_order

        def of_process(name: str) -> bool:
            found = owner.session.lookup(order, [name], SymbolState.READY, weak=[name])
            return name in found and found[name].address not in owner.objects.arena

        return not is_self_contained(table.index, table.function_behind(entity), of_process)


class LoopUnit(MaterializationUnit):
    """The code of one loop."""

    def __init__(self, loop: Loop, fast_math: bool, *, alone: bool = False) -> None:
        """As the symbols `loop.name` and `loop.exact`; `alone`, without others' code."""
        flags = SymbolFlags.CALLABLE
        super().__init__(loop.name, {loop.name: flags, loop.exact: flags})
        self.loop = loop
        self.fast_math = fast_math
        self.alone = alone

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Carve, wrap, compile and link it."""
        owner = self.loop.owner
        text, carries = self.loop.text(self.fast_math, self.alone)

        def without_others() -> bool:
            # What a callee lacks, perhaps one never called, must not fail the loop.
            responsibility.replace(LoopUnit(self.loop, self.fast_math, alone=True))
            return True

        with owner.compiler().compile(text, self.name) as compiled:
            owner.objects.emit(
                responsibility,
                (compiled.address, compiled.size),
                file=self.name,
                on_missing=without_others if carries and not self.alone else None,
            )
