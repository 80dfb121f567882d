"""SymPy expressions as compiled functions: a front end in one file.

    x, y = sympy.symbols("x y")
    f = lambdify([x, y], sympy.sqrt(x**2 + y**2))
    f(3.0, 4.0)                     # 5.0
    f(numpy.arange(4.0), 1.0)       # arrays, element by element, broadcast

It shows what a front end for lazyjit has to do, and it is little: walk the expression, write a line
of IR for each node, hand over the text. Common subexpressions are found by SymPy and computed once.
Two functions are written. One takes and gives numbers, the other has a loop that LLVM vectorizes
where it can, for arrays. Each is compiled when it is first called.

Everything is in double precision. What IR has no instruction for is called by name: intrinsics
for the functions that LLVM knows, the C library's for the rest, and what neither has is written by
others, where SymPy's printers of C do so. Conditions are only evaluated to values: both sides of a
`Piecewise` are computed and one is selected, as NumPy's `where` does.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import struct
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import sympy
from sympy.codegen import cfunctions
from sympy.logic import boolalg

from lazyjit.core import ResourceTracker
from lazyjit.errors import InputError, SessionClosed
from lazyjit.jit import JIT

__all__ = ["SymPyFunction", "UnsupportedExpression", "emit", "lambdify"]


class UnsupportedExpression(InputError):
    """An expression that can't be compiled; `expression` is the part that is the reason."""

    def __init__(self, reason: str, expression: Any) -> None:
        super().__init__(reason)
        self.expression = expression


#: LLVM's intrinsics (it computes some itself, and calls the C library for others).
_INTRINSICS: Final = {
    sympy.sin: "sin", sympy.cos: "cos", sympy.tan: "tan", sympy.exp: "exp", sympy.log: "log",
    sympy.Abs: "fabs", sympy.floor: "floor", sympy.ceiling: "ceil",
    sympy.asin: "asin", sympy.acos: "acos", sympy.atan: "atan",
    sympy.sinh: "sinh", sympy.cosh: "cosh", sympy.tanh: "tanh",
    cfunctions.exp2: "exp2", cfunctions.log2: "log2", cfunctions.log10: "log10",
    cfunctions.Sqrt: "sqrt", cfunctions.fma: "fma",
}  # fmt: skip
#: The C library's.
_LIBRARY: Final = {
    sympy.atan2: "atan2", sympy.asinh: "asinh", sympy.acosh: "acosh", sympy.atanh: "atanh",
    sympy.erf: "erf", sympy.erfc: "erfc", sympy.gamma: "tgamma", sympy.loggamma: "lgamma",
    cfunctions.expm1: "expm1", cfunctions.log1p: "log1p", cfunctions.Cbrt: "cbrt",
    cfunctions.hypot: "hypot",
}  # fmt: skip
#: By those above. There are no complex numbers here.
_OTHERWISE: Final[dict[Any, Callable[[Any], Any]]] = {
    sympy.sec: lambda a: 1 / sympy.cos(a), sympy.sech: lambda a: 1 / sympy.cosh(a),
    sympy.csc: lambda a: 1 / sympy.sin(a), sympy.csch: lambda a: 1 / sympy.sinh(a),
    sympy.cot: lambda a: 1 / sympy.tan(a), sympy.coth: lambda a: 1 / sympy.tanh(a),
    sympy.asec: lambda a: sympy.acos(1 / a), sympy.asech: lambda a: sympy.acosh(1 / a),
    sympy.acsc: lambda a: sympy.asin(1 / a), sympy.acsch: lambda a: sympy.asinh(1 / a),
    sympy.acot: lambda a: sympy.atan(1 / a), sympy.acoth: lambda a: sympy.atanh(1 / a),
    sympy.re: lambda a: a, sympy.im: lambda a: sympy.S.Zero, sympy.conjugate: lambda a: a,
    sympy.UnevaluatedExpr: lambda a: a,
}  # fmt: skip
#: What SymPy writes by these.
_REWRITTEN: Final = {
    **dict.fromkeys((sympy.factorial, sympy.factorial2, sympy.binomial, sympy.beta, sympy.catalan,
                     sympy.RisingFactorial, sympy.FallingFactorial), sympy.gamma),
    sympy.Heaviside: sympy.Piecewise, sympy.SingularityFunction: sympy.Piecewise,
    sympy.fibonacci: sympy.sqrt, sympy.lucas: sympy.sqrt, sympy.sinc: sympy.sin,
    sympy.frac: sympy.floor, sympy.erf2: sympy.erf, sympy.KroneckerDelta: sympy.Piecewise,
}  # fmt: skip
_COMPARISONS: Final = {
    sympy.StrictLessThan: "olt", sympy.LessThan: "ole", sympy.StrictGreaterThan: "ogt",
    sympy.GreaterThan: "oge", sympy.Equality: "oeq", sympy.Unequality: "une",
}  # fmt: skip


class _Emitter:
    """Writes the lines of one body, a value of IR for each node."""

    def __init__(self, values: dict[Any, str]) -> None:
        """`values` are the symbols' names in IR."""
        self.values = dict(values)
        self.lines: list[str] = []
        self.declared: set[str] = set()

    def line(self, text: str) -> str:
        name = f"%v{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        return name

    def call(self, function: str, *arguments: str) -> str:
        types = ", ".join(["double"] * len(arguments))
        # Neither touches memory that anybody looks at (errno, which nobody reads here).
        self.declared.add(f"declare double @{function}({types}) nounwind willreturn memory(none)")
        return self.line(f"call double @{function}({', '.join(f'double {a}' for a in arguments)})")

    def number(self, node: Any) -> str:
        """A node's value, as a double."""
        found = self.values.get(node)
        if found is None:
            found = self.values[node] = self._number(node)
        return found

    def _number(self, node: Any) -> str:
        if isinstance(node, sympy.Symbol) or not isinstance(node, sympy.Basic):
            what = "among the arguments" if isinstance(node, sympy.Symbol) else "an expression"
            raise UnsupportedExpression(f"{node} is not {what}", node)
        if node.is_Number or node.is_NumberSymbol:
            return _value(node)
        if isinstance(node, sympy.Add | sympy.Mul):
            return self._fold("fadd" if isinstance(node, sympy.Add) else "fmul", node.args)
        if isinstance(node, sympy.Pow):
            return self._power(*node.args)
        if isinstance(node, sympy.Piecewise):
            return self._piecewise(node)
        if isinstance(node, sympy.Min | sympy.Max):
            word = "llvm.minimum.f64" if isinstance(node, sympy.Min) else "llvm.maximum.f64"
            value = self.number(node.args[0])
            for each in node.args[1:]:
                value = self.call(word, value, self.number(each))
            return value
        if isinstance(node, sympy.sign):
            return self._sign(self.number(node.args[0]))
        if isinstance(node, sympy.Mod):
            return self._modulo(*map(self.number, node.args))
        arguments = node.args
        if node.func in _INTRINSICS:
            return self.call(f"llvm.{_INTRINSICS[node.func]}.f64", *map(self.number, arguments))
        if node.func in _LIBRARY:
            return self.call(_LIBRARY[node.func], *map(self.number, arguments))
        if node.func in _OTHERWISE:
            return self.number(_OTHERWISE[node.func](arguments[0]))
        if node.func in _REWRITTEN:
            other = node.rewrite(_REWRITTEN[node.func])
            if other.func is not node.func:
                return self.number(other)
        if isinstance(node, boolalg.Boolean):
            return self.line(f"uitofp i1 {self.truth(node)} to double")
        if node.is_number and node.is_extended_real:
            return _value(node)  # zeta(3), a root of a polynomial
        raise UnsupportedExpression(f"{node.func.__name__} can't be compiled: {node}", node)

    def _fold(self, operation: str, nodes: Sequence[Any]) -> str:
        if operation == "fmul":
            # SymPy has no quotient: a/b is a*b**-1. One division is nearer, and faster.
            below = [n for n in nodes if isinstance(n, sympy.Pow) and n.exp == -1]
            above = [n for n in nodes if n not in below]
            if below and above:
                divisor = self._fold("fmul", [n.base for n in below])
                return self.line(f"fdiv double {self._fold('fmul', above)}, {divisor}")
        value = self.number(nodes[0])
        for each in nodes[1:]:
            value = self.line(f"{operation} double {value}, {self.number(each)}")
        return value

    def _power(self, base: Any, exponent: Any) -> str:
        if base is sympy.E:
            return self.call("llvm.exp.f64", self.number(exponent))
        value = self.number(base)
        if exponent == sympy.Rational(1, 2):
            return self.call("llvm.sqrt.f64", value)
        if exponent == -sympy.Rational(1, 2):
            return self.line(f"fdiv double 1.0, {self.call('llvm.sqrt.f64', value)}")
        if exponent.is_Integer and 0 < abs(int(exponent)) <= 64:
            power = self._integral_power(value, abs(int(exponent)))
            return self.line(f"fdiv double 1.0, {power}") if exponent < 0 else power
        return self.call("llvm.pow.f64", value, self.number(exponent))

    def _integral_power(self, value: str, exponent: int) -> str:
        result = ""
        while True:
            if exponent & 1:
                result = self.line(f"fmul double {result}, {value}") if result else value
            exponent >>= 1
            if not exponent:
                return result
            value = self.line(f"fmul double {value}, {value}")

    def _piecewise(self, node: Any) -> str:
        value = constant(math.nan)  # where no condition holds, as in SymPy
        for expression, condition in reversed(node.args):
            if condition == sympy.true:
                value = self.number(expression)
            else:
                test, here = self.truth(condition), self.number(expression)
                value = self.line(f"select i1 {test}, double {here}, double {value}")
        return value

    def _sign(self, value: str) -> str:
        one = self.call("llvm.copysign.f64", "1.0", value)
        other = self.line(f"fcmp une double {value}, 0.0")
        sign = self.line(f"select i1 {other}, double {one}, double 0.0")
        nan = self.line(f"fcmp uno double {value}, 0.0")
        return self.line(f"select i1 {nan}, double {value}, double {sign}")

    def _modulo(self, value: str, divisor: str) -> str:
        # With the divisor's sign, as Python has it; C's has the other's.
        rest = self.line(f"frem double {value}, {divisor}")
        product = self.line(f"fmul double {rest}, {divisor}")
        wrong = self.line(f"fcmp olt double {product}, 0.0")
        more = self.line(f"fadd double {rest}, {divisor}")
        return self.line(f"select i1 {wrong}, double {more}, double {rest}")

    def truth(self, node: Any) -> str:
        """A node's value, as an i1."""
        if node in (sympy.true, sympy.false):
            return str(bool(node)).lower()
        if node.func in _COMPARISONS:
            left, right = map(self.number, node.args)
            return self.line(f"fcmp {_COMPARISONS[node.func]} double {left}, {right}")
        words = {sympy.And: "and", sympy.Or: "or", sympy.Xor: "xor"}
        if node.func in words:
            value = self.truth(node.args[0])
            for each in node.args[1:]:
                value = self.line(f"{words[node.func]} i1 {value}, {self.truth(each)}")
            return value
        if isinstance(node, sympy.Not):
            return self.line(f"xor i1 {self.truth(node.args[0])}, true")
        if isinstance(node, sympy.ITE):
            test, here, there = map(self.truth, node.args)
            return self.line(f"select i1 {test}, i1 {here}, i1 {there}")
        if isinstance(node, sympy.Implies):
            return self.truth(sympy.Or(sympy.Not(node.args[0]), node.args[1], evaluate=False))
        if isinstance(node, sympy.Equivalent):
            return self.truth(
                sympy.Or(sympy.And(*node.args), sympy.And(*map(sympy.Not, node.args)))
            )
        if isinstance(node, sympy.Symbol) or not isinstance(node, boolalg.Boolean):
            return self.line(f"fcmp une double {self.number(node)}, 0.0")
        raise UnsupportedExpression(f"{node.func.__name__} can't be compiled: {node}", node)


def _value(node: Any) -> str:
    """A number of SymPy's, as a constant."""
    try:
        return constant(float(node))
    except (OverflowError, TypeError, ValueError):
        raise UnsupportedExpression(f"{node} is no double", node) from None


def constant(value: float) -> str:
    """A double as IR spells it: its bits, which lose nothing."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def emit(arguments: Sequence[Any], expressions: Sequence[Any], *, cse: bool = True) -> str:
    """A module with `@scalar` and `@elements` for expressions of these symbols.

    `scalar(double..., ptr...)` writes the value of each expression to a pointer of its own.
    `elements(ptr..., ptr..., i64 strides..., i64 n)` does so for n elements; an argument's stride
    (in elements) is 1, or 0 for one number. Any thread. Raises UnsupportedExpression.
    """
    shared, reduced = sympy.cse(list(expressions)) if cse else ([], list(expressions))
    code = _Emitter({symbol: f"%x{i}" for i, symbol in enumerate(arguments)})
    for symbol, node in shared:
        if isinstance(node, boolalg.Boolean):
            # The name of a condition: compared with zero where it is used.
            code.values[symbol] = code.line(f"uitofp i1 {code.truth(node)} to double")
        else:
            code.values[symbol] = code.number(node)
    results = [code.number(node) for node in reduced]
    body = "\n".join(f"  {line}" for line in code.lines)
    inputs, outputs = range(len(arguments)), range(len(results))
    stores = "\n".join(f"  store double {results[i]}, ptr %o{i}" for i in outputs)
    loads = "\n".join(
        f"  %k{i} = mul i64 %i, %s{i}\n"
        f"  %p{i} = getelementptr double, ptr %a{i}, i64 %k{i}\n"
        f"  %x{i} = load double, ptr %p{i}"
        for i in inputs
    )
    writes = "\n".join(
        f"  %q{i} = getelementptr double, ptr %o{i}, i64 %i\n  store double {results[i]}, ptr %q{i}"
        for i in outputs
    )
    numbers = [f"double %x{i}" for i in inputs]
    places = [f"ptr noalias %o{i}" for i in outputs]
    pointers = [f"ptr %a{i}" for i in inputs] + places
    strides = [f"i64 %s{i}" for i in inputs]
    return f"""{chr(10).join(sorted(code.declared))}
define void @scalar({", ".join([*numbers, *places])}) {{
{body}
{stores}
  ret void
}}
define void @elements({", ".join([*pointers, *strides, "i64 %n"])}) {{
entry:
  %none = icmp eq i64 %n, 0
  br i1 %none, label %done, label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
{loads}
{body}
{writes}
  %next = add nuw nsw i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}}
"""


class SymPyFunction:
    """A compiled expression. Call it with numbers or arrays, as many as it has arguments."""

    def __init__(self, jit: JIT, arguments: Sequence[Any], expr: Any, cse: bool) -> None:
        """Use `lambdify`."""
        #: What several results are given in, as in SymPy: a list for a list.
        self._several = type(expr) if isinstance(expr, list | tuple) else None
        expressions = [sympy.sympify(each) for each in (expr if self._several else [expr])]
        #: The symbols, in the order of the arguments.
        self.arguments = tuple(arguments)
        #: The module, as it was handed to the JIT.
        self.ir = emit(self.arguments, expressions, cse=cse)
        count, self._results = len(self.arguments), len(expressions)
        mark = f"sympy.{next(_numbers)}."
        text = self.ir.replace("@scalar(", f"@{mark}scalar(").replace(
            "@elements(", f"@{mark}elements("
        )
        tracker = jit.add_module(text, name="<sympy>")
        # The code goes with this object.
        weakref.finalize(self, _remove, jit, tracker).atexit = False
        numbers = ["double"] * count + ["out double"] * self._results
        self._scalar: Callable[..., Any] = jit.callable(
            f"{mark}scalar", f"void({', '.join(numbers)})"
        )
        places = ["ptr"] * (count + self._results) + ["int64"] * (count + 1)
        self._elements: Callable[..., Any] = jit.callable(
            f"{mark}elements", f"void({', '.join(places)})", nogil=True
        )

    def __call__(self, *values: Any) -> Any:
        """The value: a float for numbers, an array where an argument is one. Any thread.

        Arrays are broadcast, and of float64 or cast to it. A list of expressions gives a list, a
        tuple of them a tuple. Raises TypeError for a wrong number or type of arguments, ValueError
        for shapes that don't fit.
        """
        if len(values) != len(self.arguments):
            raise TypeError(f"takes {len(self.arguments)} arguments, not {len(values)}")
        if not any(hasattr(each, "__len__") or isinstance(each, np.ndarray) for each in values):
            value = self._scalar(*values)
            if self._several is None or (self._several is tuple and self._results > 1):
                return value
            return self._several(value if self._results > 1 else [value] * self._results)
        arrays = [np.asarray(each).astype(np.float64, casting="same_kind", copy=False)
                  for each in values]  # fmt: skip
        shape = np.broadcast_shapes(*(each.shape for each in arrays))
        arrays = [
            each.reshape(1) if each.size == 1 and len(shape) >= each.ndim else
            np.ascontiguousarray(np.broadcast_to(each, shape))
            for each in arrays
        ]  # fmt: skip
        results = [np.empty(shape) for _ in range(self._results)]
        total = math.prod(shape)
        strides = [0 if each.shape == (1,) else 1 for each in arrays]
        places = [each.ctypes.data for each in (*arrays, *results)]
        self._elements(*places, *strides, total)
        return self._several(results) if self._several else results[0]


_numbers = itertools.count()
_shared: list[JIT] = []


def _remove(jit: JIT, tracker: ResourceTracker) -> None:
    # An object may go in the middle of anything, so another thread does it.
    with contextlib.suppress(SessionClosed):
        jit.after_calls(tracker.remove)


def lambdify(args: Any, expr: Any, *, jit: JIT | None = None, cse: bool = True) -> SymPyFunction:
    """A compiled function of the symbols `args` for an expression, or a list of several.

    It is added to `jit` (None: one that all share) and compiled when it is called; `cse` finds
    common subexpressions first. Any thread. Raises UnsupportedExpression with the part at fault.
    """
    symbols = list(args) if isinstance(args, list | tuple) else [args]
    for each in symbols:
        if not isinstance(each, sympy.Symbol):
            raise UnsupportedExpression(f"an argument is a Symbol, not {each!r}", each)
    if jit is None:
        if not _shared:
            _shared.append(JIT(compile_threads=1, speculate=False))
        jit = _shared[0]
    return SymPyFunction(jit, symbols, expr, cse)
