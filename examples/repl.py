"""A tiny language, line by line: parsed, written as IR, and compiled when it is called.

    def square(x) = x * x                            a function of numbers
    def fac(n) = if n < 2 then 1 else n * fac(n - 1)
    square(3) + sin(fac(4))                          some of the C library's functions are there

    python examples/repl.py                          reads standard input; control-D ends it

A line becomes a module of its own. So it may call what only a later line defines, as long as it
is called later still. What is wrong with a line is told, and the next one is read.
"""

import contextlib
import re
import sys

import lazyjit
from lazyjit.errors import LazyJITError

OPERATORS = {"<": (1, "fcmp olt"), "+": (2, "fadd"), "-": (2, "fsub"), "*": (3, "fmul")}
OPERATORS["/"] = (3, "fdiv")
LIBRARY = {"cos": 1, "exp": 1, "log": 1, "sin": 1, "sqrt": 1, "hypot": 2, "pow": 2}


class Line:
    """One line on its way from words to IR."""

    def __init__(self, text):
        self.words = [*re.findall(r"\d+\.?\d*|[A-Za-z]\w*|\S", text, re.ASCII), "the end"]
        self.code, self.block, self.made = [], "entry", 0
        self.parameters, self.callees = [], {}

    def take(self, *expected):
        """The next word, one of these if there are any."""
        if expected and self.words[0] not in expected:
            raise SyntaxError(f"{' or '.join(expected)} was expected, not {self.words[0]}")
        return self.words.pop(0) if len(self.words) > 1 else self.words[0]

    def name(self):
        """A name for a value or block."""
        self.made += 1
        return f"t.{self.made}"

    def emit(self, instruction):
        """An instruction; its result."""
        self.code.append(f"  %{(name := self.name())} = {instruction}")
        return f"%{name}"

    def begin(self, block):
        """What follows is in this block."""
        self.code.append(f"{block}:")
        self.block = block

    def listed(self, item):
        """Items in parentheses."""
        items = []
        self.take("(")
        while self.words[0] != ")":
            items.append(item())
            if self.words[0] != ")":
                self.take(",")
        self.take(")")
        return items

    def value(self, above=0):
        """Operands, and the operators between them that bind more tightly than `above`."""
        left = self.operand()
        while OPERATORS.get(self.words[0], (0,))[0] > above:
            strength, instruction = OPERATORS[self.take()]
            left = self.emit(f"{instruction} double {left}, {self.value(strength)}")
            if strength == 1:
                left = self.emit(f"uitofp i1 {left} to double")
        return left

    def operand(self):
        """A number, a parameter, a call, a choice, or something in parentheses."""
        word = self.take()
        if word == "(":
            value = self.value()
            self.take(")")
            return value
        if word == "-":
            return self.emit(f"fneg double {self.operand()}")
        if word == "if":
            return self.choice()
        if word[0].isdigit():
            return repr(float(word))
        if word in self.parameters:
            return f"%p.{word}"
        if self.words[0] != "(":
            raise SyntaxError(f"{word} is not a value")
        arguments = [f"double {each}" for each in self.listed(self.value)]
        if self.callees.setdefault(word, len(arguments)) != len(arguments):
            raise SyntaxError(f"{word} with {len(arguments)} numbers?")
        return self.emit(f"call double @{symbol(word)}({', '.join(arguments)})")

    def choice(self):
        """`if` has been taken: condition, `then`, value, `else`, value."""
        yes, no, after, ways = self.name(), self.name(), self.name(), []
        condition = self.emit(f"fcmp one double {self.value()}, 0.0")
        self.code.append(f"  br i1 {condition}, label %{yes}, label %{no}")
        for word, block in (("then", yes), ("else", no)):
            self.take(word)
            self.begin(block)
            ways.append(f"[ {self.value()}, %{self.block} ]")
            self.code.append(f"  br label %{after}")
        self.begin(after)
        return self.emit(f"phi double {', '.join(ways)}")

    def module(self, name):
        """All of the line as a module with one function."""
        value = self.value()
        self.take("the end")
        parameters = ", ".join(f"double %p.{each}" for each in self.parameters)
        callees = {symbol(each): n for each, n in self.callees.items() if symbol(each) != name}
        heads = [f"declare double @{c}({', '.join(['double'] * n)})" for c, n in callees.items()]
        heads.append(f"define double @{name}({parameters}) {{\nentry:")
        return "\n".join([*heads, *self.code, f"  ret double {value}", "}"])


def symbol(word):
    """What a function is called in IR: not like any other function of this process."""
    return word if word in LIBRARY else f"my.{word}"


def run(jit, text, known):
    """Do what a line says: define a function, or give an expression's value."""
    line, name = Line(text), None
    if line.words[0] == "def":
        line.take()
        name = line.take()
        if not name.isidentifier() or name in LIBRARY:
            raise SyntaxError(f"{name} can't be defined")
        line.parameters = line.listed(line.take)
        line.callees[name] = len(line.parameters)
        line.take("=")
    module = line.module(symbol(name or "line"))
    for callee, numbers in line.callees.items():
        if known.get(callee, numbers) != numbers:
            raise SyntaxError(f"{callee} takes {known[callee]} numbers, not {numbers}")
    tracker = jit.add(module, name=text)
    if name is not None:
        known.update(line.callees)
        return name
    try:
        return jit[symbol("line")]()
    finally:
        tracker.remove()


def lines():
    """Standard input's, with a prompt if somebody sits there."""
    prompt = "> " if sys.stdin.isatty() else ""
    with contextlib.suppress(EOFError):
        while True:
            yield input(prompt)


with lazyjit.JIT() as jit:
    known = dict(LIBRARY)
    for text in filter(str.strip, lines()):
        try:
            print(run(jit, text.strip(), known))
        except (SyntaxError, LazyJITError) as error:
            print("error:", error)
