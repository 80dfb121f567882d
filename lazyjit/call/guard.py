"""A guard as an object: the way into native code whose first calls may fail (`native/guard.h`)."""

from __future__ import annotations

from typing import Any

from lazyjit._native import check, ffi, lib, owned


class Guard:
    """A thunk at `address` that calls `target` guarded, for as long as this object lives.

    `stack_bytes` of stack arguments are passed on; an upper bound will do. Raises MemoryError,
    ResourceError. Any thread.
    """

    __slots__ = ("_thunk", "address")

    def __init__(self, target: int, stack_bytes: int = 0) -> None:
        out = ffi.new("uint64_t *")
        check(lib.lj_guard_new(target, stack_bytes, out))
        #: Where the thunk is.
        self.address = int(out[0])
        self._thunk = owned(ffi.cast("char *", out[0]), _free)


def _free(thunk: Any) -> None:
    lib.lj_guard_free(int(ffi.cast("uint64_t", thunk)))
