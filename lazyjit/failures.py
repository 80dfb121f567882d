"""Failures of first calls, on their way from a pool thread to the call that ran into them.

A function is compiled on a pool thread; whoever calls it first may be deep in native code. Should
it fail, the stub is told a *token*, a number that native code can carry up the caller's stack, and
the exception waits here under that number until a Python call raises it (`lazyjit.call`). A stub
that failed fails every call, on any thread, so an exception is raised as many times as it takes:
as a fresh copy each time, for a traceback belongs to one raise. What Python code raised that was
called back (`lazyjit.call.trampoline`) takes the same way, once, as it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Final

from lazyjit.errors import InternalError, SessionClosed, SymbolRemoved

__all__ = ["FIRST_TOKEN", "exception", "find", "forget", "register", "register_once"]

#: Smaller tokens are native code's own; the enum in native/stubs.h has their meaning.
FIRST_TOKEN: Final = 16

_own: Final[dict[int, Callable[[], Exception]]] = {
    1: lambda: SessionClosed(
        "a function that is not compiled was called after its session was closed"
    ),
    2: lambda: SymbolRemoved("a function that native code called"),  # its stub has no name any more
    3: lambda: MemoryError("out of memory at the first call of a function"),
}

_tokens = itertools.count(FIRST_TOKEN)
_failures: dict[int, BaseException] = {}
_once: dict[int, BaseException] = {}


def register(error: BaseException) -> int:
    """A token for `error`. Any thread."""
    token = next(_tokens)
    _failures[token] = error
    return token


def register_once(error: BaseException) -> int:
    """A token for `error` that is good for one raise, of the very object. Any thread."""
    token = next(_tokens)
    _once[token] = error
    return token


def forget(tokens: Iterable[int]) -> None:
    """Drop the exceptions of these tokens; no stub has them any more. Any thread."""
    for token in tokens:
        _failures.pop(token, None)


def exception(token: int) -> BaseException:
    """What to raise for a token: a copy of what was registered, or what was, once. Any thread."""
    error = find(token)
    return error or InternalError(f"a failed call carries the unknown token {token}")


def find(token: int) -> BaseException | None:
    """As `exception`; None if it was forgotten, because what had failed is gone. Any thread."""
    if token in _own:
        return _own[token]()
    error = _once.pop(token, None)
    if error is not None:
        return error
    error = _failures.get(token)
    return None if error is None else _copy(error)


def _copy(error: BaseException) -> BaseException:
    # copy.copy would call the class with error.args, which our own errors don't take.
    kind = type(error)
    try:
        twin = kind.__new__(kind, *error.args)
        twin.args = error.args
        twin.__dict__.update(error.__dict__)
    except Exception:  # an exception class of somebody's that refuses; share the object then
        return error
    twin.__cause__ = error.__cause__
    twin.__context__ = error.__context__
    twin.__suppress_context__ = error.__suppress_context__
    return twin
