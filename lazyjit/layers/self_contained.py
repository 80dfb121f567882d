"""Functions that can't run into a first call: they need no guard.

A guard (native/guard.h) costs a typed call 2 ns of some 17. It is there for what the function
calls: another function of the session may turn out not to compile, or be removed meanwhile. A
numeric kernel mostly calls nothing of the kind, and that can be seen: it names no function but
intrinsics and those of the process that take only numbers (`sin`, not `qsort`, which calls back),
it makes no call through a pointer, and it has no assembly. Such a function is called directly, by
the address of its code, which its caller's count keeps in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lazyjit.ir import EntityFlag, Kind, ModuleIndex

__all__ = ["is_self_contained"]

#: A call through a pointer (`%f(`), or assembly. That both occur elsewhere too is no harm.
_UNKNOWN = re.compile(rb'%[-\w.$]+\s*\(|%"[^"]*"\s*\(|\basm\b|\bptrauth\b')


def is_self_contained(index: ModuleIndex, function: int, of_process: Callable[[str], bool]) -> bool:
    """Whether all that a compiled function may call is intrinsics, and functions of the process
    that can't call back. `of_process` tells whether a name leads out of the session. Any thread."""
    source = index.source(function)
    if index.flags(function).overridable() or _UNKNOWN.search(source):
        return False
    for reference in index.refs(function):
        if reference == function:
            return False  # it goes through its stub, which a removal would fail under it
        kind = index.kind(reference)
        if index.has(reference, EntityFlag.SPECIAL):
            continue
        if kind == Kind.UNDEFINED and index.source_name(reference).startswith("llvm."):
            continue
        if kind == Kind.DECLARATION:
            head = index.source(reference).partition(b"@")[2]
            if b"ptr" in head or b"..." in head or not of_process(index.name(reference)):
                return False
        elif kind not in (Kind.VARIABLE, Kind.EXTERNAL):
            return False
    return True
