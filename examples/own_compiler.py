"""A compiler of one's own: a materialization unit that makes code when somebody wants it.

The language: a file of formulas, one a line, in the variables x and y. The front end is Python's
own parser; the back end is lazyjit's rooms put together by hand: llvmlite.ir -> LLVMCompiler -> the
object linking layer. A formula that nobody looks up is never even parsed.
"""

import ast
import ctypes

from llvmlite import ir

from lazyjit.call import NativeFunction
from lazyjit.codegen import LLVMCompiler
from lazyjit.core import (
    ExecutionSession,
    MaterializationResponsibility,
    MaterializationUnit,
    ProcessSymbols,
)
from lazyjit.core.dispatch import ThreadPoolDispatcher
from lazyjit.layers.grace import GracePeriods
from lazyjit.layers.object_linking import ObjectLinkingLayer
from lazyjit.layers.statistics import Counters
from lazyjit.link.arena import Arena
from lazyjit.symbols import SymbolFlags

FORMULAS = """
mean = (x + y) / 2
distance = hypot(x, y)
error = 2 * mean(x, y) - sqrt(x * x
area = pi_times(x * x)
"""

DOUBLE = ir.DoubleType()


class Formula(MaterializationUnit):
    """One formula, `name = expression`: the symbol `name`, a double(double, double)."""

    def __init__(self, name: str, expression: str) -> None:
        super().__init__(name, {name: SymbolFlags.EXPORTED | SymbolFlags.CALLABLE})
        self.expression = expression

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Parse, generate IR, compile, link. What this raises fails the lookup."""
        print("compiling", self.name)
        module = generate(self.name, ast.parse(self.expression, mode="eval").body)
        with compiler.compile(str(module).encode(), self.name) as compiled:
            objects.emit(responsibility, (compiled.address, compiled.size), file=self.name)


def generate(name: str, tree: ast.expr) -> ir.Module:
    """A module with one function that computes `tree`."""
    module = ir.Module(name)
    function = ir.Function(module, ir.FunctionType(DOUBLE, [DOUBLE, DOUBLE]), name)
    builder = ir.IRBuilder(function.append_basic_block())
    variables = dict(zip("xy", function.args, strict=True))
    operators = {
        ast.Add: builder.fadd,
        ast.Sub: builder.fsub,
        ast.Mult: builder.fmul,
        ast.Div: builder.fdiv,
    }

    def value(node: ast.expr) -> ir.Value:
        match node:
            case ast.Constant(value=number):
                return DOUBLE(float(number))
            case ast.Name(id=variable):
                return variables[variable]
            case ast.BinOp(left=left, op=operator, right=right):
                return operators[type(operator)](value(left), value(right))
            case ast.Call(func=ast.Name(id=callee), args=arguments):
                kind = ir.FunctionType(DOUBLE, [DOUBLE] * len(arguments))
                target = module.globals.get(callee) or ir.Function(module, kind, callee)
                return builder.call(target, [value(each) for each in arguments])
        raise SyntaxError(f"{ast.unparse(node)} is not part of this language")

    builder.ret(value(tree))
    return module


compiler = LLVMCompiler()
arena, grace = Arena(), GracePeriods()
with ExecutionSession(ThreadPoolDispatcher(2)) as session:
    objects = ObjectLinkingLayer(session, arena, grace, Counters())
    formulas = session.create_dylib("formulas")
    formulas.add_generator(ProcessSymbols())  # hypot, sqrt, ...
    for line in FORMULAS.strip().splitlines():
        name, expression = line.split(" = ")
        formulas.define(Formula(name, expression))

    def function(name: str) -> NativeFunction:
        """The formula of this name as a Python callable."""
        address = session.lookup(formulas, [name])[name].address
        return NativeFunction(address, ctypes.c_double, [ctypes.c_double] * 2, name=name)

    print("distance:", function("distance")(3.0, 4.0))
    print("mean:", function("mean")(1.0, 2.0))
    for broken in ("error", "area"):
        try:
            function(broken)
        except Exception as problem:
            print(f"{type(problem).__name__}: {problem}")
objects.close()
arena.close()
