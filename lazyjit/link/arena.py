"""The session's memory for code and data, as Python sees it.

An arena is one contiguous range of addresses, near libc, in three regions: TEXT (executable),
RODATA (read-only) and DATA (writable). Code and constants are written through a second mapping,
so that no page is ever writable and executable. `native/arena.h` says how; the linker and the
stub pools allocate from native code, with `handle`. This class owns the mapping's life and carries
it over fork.
"""

from __future__ import annotations

import ctypes
import enum
import threading
from typing import Any, NamedTuple

from lazyjit import forking
from lazyjit._native import check, ffi, lib, new_fault
from lazyjit.errors import SessionClosed

__all__ = ["Arena", "ArenaKind", "ArenaStatistics", "Region", "RegionStatistics", "Span"]

#: Three regions of 256 MiB each: address space, not memory.
DEFAULT_SIZE = 768 << 20


class Region(enum.IntEnum):
    """A part of the arena, by what its pages allow."""

    #: Read and execute at the target address; written through the working view.
    TEXT = 0
    #: Read at the target address; written through the working view.
    RODATA = 1
    #: Read and write; working view and target are the same.
    DATA = 2


class ArenaKind(enum.IntEnum):
    """What tools an arena is made for. `native/arena.c` says how the kinds differ."""

    #: None in particular.
    PLAIN = 0
    #: perf finds symbols of its code in `/tmp/perf-PID.map`.
    PROFILED = 1
    #: Debuggers can write breakpoints into its code. An object's code takes whole pages.
    DEBUGGED = 2


class Span(NamedTuple):
    """A piece of arena memory with its two faces."""

    #: Where the program sees it.
    target: int
    #: Where it is written; equal to `target` in DATA.
    working: int
    #: Bytes, rounded up from what was asked for.
    size: int


class RegionStatistics(NamedTuple):
    """One region's figures, in bytes but for `spans`."""

    #: Address range.
    reserved: int
    #: Pages ever handed out.
    committed: int
    #: Bytes in live spans.
    used: int
    #: Number of live spans.
    spans: int


class ArenaStatistics(NamedTuple):
    """A snapshot of the three regions."""

    text: RegionStatistics
    rodata: RegionStatistics
    data: RegionStatistics


def libc_address() -> int:
    """An address inside the C library that this process runs on. Any thread."""
    return ctypes.cast(ctypes.CDLL(None).memcpy, ctypes.c_void_p).value or 0


class Arena:
    """One contiguous address range for code and data. Every method may be called from any thread.

    `size` is in bytes of address space, `near` an address that everything should reach in 32 bits
    (default: libc; 0: no matter where). Raises ResourceError when the system refuses.
    """

    def __init__(
        self,
        size: int = DEFAULT_SIZE,
        near: int | None = None,
        kind: ArenaKind = ArenaKind.PLAIN,
    ) -> None:
        fault = new_fault()
        out = ffi.new("lj_arena **")
        near = libc_address() if near is None else near
        check(lib.lj_arena_new_for(kind, size, near, out, fault), fault)
        self.kind = kind
        self._handle: Any = out[0]
        self._lock = threading.Lock()
        bounds = ffi.new("uint64_t[2]")
        lib.lj_arena_bounds(self._handle, bounds, bounds + 1)
        #: First address, and the first after the arena.
        self.start: int = bounds[0]
        self.end: int = bounds[1]
        forking.join(forking.Phase.MEMORY, self)

    @property
    def handle(self) -> Any:
        """The `lj_arena *` for native code. Raises SessionClosed after `close`."""
        handle = self._handle
        if handle is None:
            raise SessionClosed("the arena was closed")
        return handle

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._handle is None

    def __contains__(self, address: int) -> bool:
        return self.start <= address < self.end

    def alloc(self, region: Region, size: int, align: int = 16) -> Span:
        """A zeroed span of `size` bytes or more, at a multiple of `align` (2**n, up to 2 MiB).

        Raises ArenaFull when the region has no such span.
        """
        out = ffi.new("lj_span *")
        status = lib.lj_arena_alloc(self.handle, region, size, align, out)
        if status:
            fault = new_fault()
            check(lib.lj_arena_tell(self.handle, region, status, size, fault), fault)
        return Span(out.target, int(ffi.cast("uintptr_t", out.working)), out.size)

    def free(self, region: Region, target: int) -> None:
        """Take back the span at `target`. The caller guarantees that nobody uses it any more.

        Raises InternalError for what is not the start of a live span.
        """
        check(lib.lj_arena_free(self.handle, region, target))

    def working(self, target: int) -> int:
        """The writable alias of an address inside the arena. Raises ValueError outside it."""
        alias = lib.lj_arena_working(self.handle, target)
        if not alias:
            raise ValueError(f"{target:#x} is not in the arena")
        return int(ffi.cast("uintptr_t", alias))

    def write(self, target: int, data: bytes) -> None:
        """Copy `data` to `target` by the working view. Raises ValueError outside the arena."""
        if data and target + len(data) > self.end:
            raise ValueError(f"{target:#x} + {len(data)} bytes is not in the arena")
        ffi.memmove(ffi.cast("void *", self.working(target)), data, len(data))

    def statistics(self) -> ArenaStatistics:
        """Sizes now, each region's taken at one moment. Raises SessionClosed after `close`."""
        out = ffi.new("lj_arena_statistics *")
        with self._lock:  # it may be asked for while the session is closed
            lib.lj_arena_statistics_get(self.handle, out)
        return ArenaStatistics(
            *(
                RegionStatistics(out.reserved[i], out.committed[i], out.used[i], out.spans[i])
                for i in range(3)
            )
        )

    def close(self) -> None:
        """Unmap everything. The caller guarantees that nobody runs in it or holds its addresses.

        A second call does nothing. An arena that is dropped without closing stays mapped: code
        in it may have been registered with the system (unwinder, atexit, other threads).
        """
        with self._lock:
            handle, self._handle = self._handle, None
            if handle is not None:
                lib.lj_arena_dispose(handle)

    def before_fork(self) -> None:
        """For `lazyjit.forking`: stop allocating, and copy what fork would leave shared."""
        self._lock.acquire()
        if self._handle is not None:
            lib.lj_arena_before_fork(self._handle)

    def after_fork(self, in_child: bool) -> None:
        """For `lazyjit.forking`: go on; a child's code and constants are its own from here on.

        Raises InternalError in a child for whose copy there was no memory: its code runs, but it
        can't add to it.
        """
        try:
            if self._handle is not None:
                check(lib.lj_arena_after_fork(self._handle, in_child))
        finally:
            self._lock.release()
