"""A function's unit, made ready to be inlined into a loop.

The unit comes as LLVM prints it, so its shape is known: heads are on one line, a body ends with a
brace at the start of one, attributes are in numbered groups. The function becomes internal, under
the name `lazyjit.body`, and gets a twin, `lazyjit.exact`, that is never optimized
(`lazyjit.call.ufunc_loop` says what for). What keeps a function from being inlined, or compiled for
this very processor, is taken out: an unoptimized build marks everything `noinline optnone`, and any
build names a processor.

All of it is text, since LLVM's C API has nothing for it; and text that isn't as expected is no
error: the loop then calls the function where it is.
"""

from __future__ import annotations

import re

from lazyjit.ir.naming import escaped
from lazyjit.records import Record

__all__ = ["Body", "take_in"]


class Body(Record):
    """A unit with `@lazyjit.body` and `@lazyjit.exact`, and a number that no metadata has."""

    text: str
    next_metadata: int
    #: Whether optimized code may set floating-point flags that the function does not.
    hazardous: bool
    #: Bytes of the body's text.
    size: int


_LINKAGE = (
    r"(?:(?:private|internal|available_externally|linkonce|weak|linkonce_odr|weak_odr|external"
    r"|default|hidden|protected|dso_local|dso_preemptable|unnamed_addr|local_unnamed_addr) )*"
)
_UNWANTED = re.compile(
    r"\b(?:noinline|optnone|alwaysinline|inlinehint|optsize|minsize) (?!=)"
    r'|"(?:target-cpu|target-features|tune-cpu|stack-protector-buffer-size)"="[^"]*" ?'
    r"|\b(?:sspstrong|ssp|sspreq) "
)
_GROUP = re.compile(r"^attributes #\d+ = \{.*\}$", re.MULTILINE)

#: Instructions that look at nothing and choose nothing: vector code for them sets the same flags.
_PLAIN = re.compile(
    r"\b(?:fcmp|select|br|switch|indirectbr|phi|invoke|callbr)\b"
    r"|\bcall\b(?![^\n]*@llvm\.(?:fma|fmuladd|sqrt|fabs|copysign|dbg|lifetime|assume))"
)
_FAST = re.compile(
    r"(= (?:tail |musttail |notail )?"
    r"(?:fadd|fsub|fmul|fdiv|frem|fneg|fcmp|(?:call(?= (?:[\w]+ )*(?:float|double|<\d+ x "
    r"(?:float|double)>) @))) )"
    r"((?:(?:fast|nnan|ninf|nsz|arcp|contract|afn|reassoc) )*)"
)


#: `fmax` as an intrinsic becomes an instruction that sets `invalid` for any NaN; this one doesn't.
_QUIET = """
define internal {kind} @lazyjit.{name}({kind} %a, {kind} %b) noinline optnone {{
  %no.b = fcmp uno {kind} %b, 0.0
  br i1 %no.b, label %first, label %look
look:
  %no.a = fcmp uno {kind} %a, 0.0
  br i1 %no.a, label %second, label %compare
compare:
  %choice = fcmp {comparison} {kind} %a, %b
  br i1 %choice, label %first, label %second
first:
  ret {kind} %a
second:
  ret {kind} %b
}}
"""
_LARGER = re.compile(r"@llvm\.((max|min)num\.(f32|f64))\(")


def _quietly(body: str) -> tuple[str, str]:
    """The body with such intrinsics replaced, and what replaces them."""
    used = {match.groups() for match in _LARGER.finditer(body)}
    helpers = [
        _QUIET.format(
            name=name,
            kind="float" if width == "f32" else "double",
            comparison="ogt" if which == "max" else "olt",
        )
        for name, which, width in sorted(used)
    ]
    return _LARGER.sub(r"@lazyjit.\1(", body), "".join(helpers)


def take_in(unit: str, name: str, *, fast_math: bool) -> Body | None:
    """The unit that defines `name`, changed; None if it can't be. Any thread."""
    quoted = re.escape(escaped(name))
    head = re.compile(
        rf'^define (?P<linkage>{_LINKAGE})(?P<type>[^@\n]*)@(?:"{quoted}"|{quoted})'
        r"(?P<rest>\(.*)\{$",
        re.MULTILINE,
    )
    match = head.search(unit)
    if match is None or "blockaddress(" in unit or "musttail " in unit:
        return None
    end = unit.find("\n}", match.end())
    if end < 0:
        return None
    inside = unit[match.end() : end + 2]
    itself = re.compile(rf'@(?:"{quoted}"|{quoted}(?![-\w.$]))')
    inside = itself.sub("@lazyjit.body", inside)  # where it is recursive
    if fast_math:
        inside = _FAST.sub(r"\1fast ", inside)
    rest = re.sub(r" comdat(?:\([^)]*\))?", "", match["rest"])
    kind = "alwaysinline" if len(inside) < 8192 else "inlinehint"
    grouped = re.search(r" #\d+", rest)
    plain = re.sub(r" #\d+", "", rest)
    definition = (
        f"define internal {match['type']}@lazyjit.body{_with(plain, kind, grouped)}{{{inside}"
    )
    twin_rest = re.sub(r" ![\w.]+ !\d+", "", plain)
    twin_inside = re.sub(r"@lazyjit.body\b(?![-\w.$])", "@lazyjit.exact", inside)
    twin_inside = re.sub(r", ![\w.]+ !\d+", "", twin_inside)
    twin_inside, helpers = _quietly(twin_inside)
    twin_inside = re.sub(r"^\s*#dbg_.*\n", "", twin_inside, flags=re.MULTILINE)
    twin = (
        f"define internal {match['type']}@lazyjit.exact{_with(twin_rest, 'noinline optnone', None)}"
        f"{{{twin_inside}"
    )
    others = itself.sub("@lazyjit.body", unit[: match.start()] + unit[end + 2 :])
    # A group may not be empty, so each gets a word that LLVM knows nothing of.
    others = _GROUP.sub(
        lambda group: _UNWANTED.sub("", group[0]).replace("= {", '= { "lazyjit"', 1), others
    )
    numbers = [int(each) for each in re.findall(r"^!(\d+) = ", others, re.MULTILINE)]
    return Body(
        f"{others}\n{definition}\n{twin}\n{helpers}",
        max(numbers, default=-1) + 1,
        _PLAIN.search(inside) is not None,
        len(inside),
    )


def _with(rest: str, words: str, group: re.Match[str] | None) -> str:
    """The end of a head with attributes put where they belong: behind the parameters."""
    depth, quoted, at = 0, False, 0
    for at, each in enumerate(rest):  # noqa: B007  # where the loop ends is what counts
        if each == '"':
            quoted = not quoted
        elif not quoted:
            depth += {"(": 1, ")": -1}.get(each, 0)
            if depth == 0:
                break
    parameters, behind = rest[: at + 1], rest[at + 1 :]
    # Attributes that aren't in a group come with the rest.
    unwanted = r"\b(?:noinline|optnone|alwaysinline|inlinehint|unnamed_addr|local_unnamed_addr) "
    behind = re.sub(unwanted, "", behind)
    return f"{parameters} {words}{group[0] if group else ''}{behind}"
