"""Stub pools, as Python sees them.

A stub is the one address of a function. It jumps to the function's code; as long as there is none,
calling it posts the stub's payload to the queue of a thread pool, and the caller sleeps, on
whatever thread it is, until the stub is resolved or fails. `native/stubs.h` has the contract.

Who makes stubs serves their requests (`ThreadPoolDispatcher.on_stub`), and must in the end resolve
or fail each: a caller waits for it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from lazyjit import failures, forking
from lazyjit._native import check, ffi, lib, owned
from lazyjit.errors import SessionClosed
from lazyjit.link.arena import Arena

__all__ = ["StubPool", "StubStatistics"]

#: Addresses or payloads.
Words = Sequence[int]


class StubStatistics(NamedTuple):
    """A pool's figures."""

    #: Stubs made and not freed, or freed while code refers to them.
    live: int
    #: Blocks of 254 stubs: a page of TEXT and half a page of DATA each.
    chunks: int
    #: First calls posted to the queue, ever.
    requests: int
    #: Calls that ran into a failed stub, ever.
    failures: int


def _words(values: Words) -> Any:
    return ffi.new("uint64_t[]", values if isinstance(values, list) else list(values))


class StubPool:
    """Makes stubs in an arena. Every method may be called from any thread, while stubs are called.

    `queue` is the `lj_queue *` of the thread pool that serves first calls. A stub is unresolved,
    resolved or failed, and may go from each to each at any time. Methods raise InternalError for
    what is not a stub of this pool.
    """

    def __init__(self, arena: Arena, queue: Any) -> None:
        out = ffi.new("lj_stubs **")
        check(lib.lj_stubs_new(arena.handle, queue, out))
        # Unless it was disposed of, stubs last longer than this object: native threads may call
        # them when Python is long gone. What is disposed of lasts as long as another thread, whose
        # call of native code came at the same time, has the handle.
        self._handle: Any = owned(out[0], lib.lj_stubs_dispose)
        self._arena = arena
        self._lock = threading.Lock()
        # Failures live as long as a stub that has failed with them: a call may be on its way up
        # with the token when the stub leads elsewhere already.
        self._tokens: dict[int, list[int]] = {}
        self._stubs_of: dict[int, int] = {}
        forking.join(forking.Phase.TABLE, self)

    @property
    def handle(self) -> Any:
        """The `lj_stubs *` for native code. Raises SessionClosed after `dispose`."""
        handle = self._handle
        if handle is None:
            raise SessionClosed("the stub pool was disposed of")
        return handle

    def create(self, payloads: Words) -> list[int]:
        """One unresolved stub for each payload: their addresses, in order.

        Raises ArenaFull (none is made then) and SessionClosed.
        """
        out = ffi.new("uint64_t[]", len(payloads))
        check(lib.lj_stubs_create(self.handle, len(payloads), _words(payloads), out))
        return list(out)

    def resolve(self, stubs: Words, targets: Words) -> None:
        """Point each stub at its target, and wake who waits for it. Best one call for a unit."""
        if len(stubs) != len(targets):
            raise ValueError(f"{len(stubs)} stubs for {len(targets)} targets")
        check(lib.lj_stubs_resolve(self.handle, len(stubs), _words(stubs), _words(targets)))

    def fail(self, stubs: Words, error: BaseException) -> None:
        """Have every call of these stubs, waiting or to come, raise a copy of `error`.

        The call that raises is the nearest `NativeFunction` call below on the caller's stack.
        """
        with self._failing(stubs, error) as (handle, token, message):
            check(lib.lj_stubs_fail(handle, len(stubs), _words(stubs), token, message))

    def fail_of(self, table: Any, entity: int, stub: int, error: BaseException) -> None:
        """`fail` for the stub that an `lj_table *` had for an entity, if that still has it.

        Another thread may give it back at any time, and then another function may get it.
        """
        with self._failing([stub], error) as (handle, token, message):
            done = ffi.new("int *")
            check(lib.lj_table_fail(table, handle, entity, stub, token, message, done))
            if not done[0]:
                self._unlink([stub], token)

    @contextlib.contextmanager
    def _failing(self, stubs: Words, error: BaseException) -> Iterator[tuple[Any, int, bytes]]:
        """What failing stubs takes: the handle, a token for `error`, and a message."""
        handle = self.handle
        token = failures.register(error)
        # First: as soon as they have failed, somebody may be told so, and give them back.
        with self._lock:
            self._stubs_of[token] = len(stubs)
            for stub in stubs:
                self._tokens.setdefault(int(stub), []).append(token)
        message = str(error) or type(error).__name__
        try:
            yield handle, token, message.encode("utf-8", "replace")
        except BaseException:
            self._unlink(stubs, token)
            raise

    def _unlink(self, stubs: Words, token: int) -> None:
        """These stubs have not failed with `token` after all."""
        with self._lock:
            for stub in map(int, stubs):
                left = [each for each in self._tokens.pop(stub, ()) if each != token]
                if left:
                    self._tokens[stub] = left
            self._stubs_of.pop(token, None)
        failures.forget([token])

    def reset(self, stubs: Words) -> None:
        """Make resolved and failed stubs unresolved: their next call posts a request again."""
        check(lib.lj_stubs_reset(self.handle, len(stubs), _words(stubs)))

    def free(self, stubs: Words) -> None:
        """Give stubs back for reuse. Until then, calling one raises SymbolRemoved.

        The caller guarantees that no call of theirs is on its way to raise what it failed with.
        """
        self.forget(stubs)
        check(lib.lj_stubs_free(self.handle, len(stubs), _words(stubs)))

    def hold(self, addresses: Words) -> list[int]:
        """Those of `addresses` that are stubs, which code refers to from now on: one that is freed
        is not reused before `let_go` was called as often. Raises SessionClosed.
        """
        held = ffi.new("uint64_t[]", len(addresses))
        count = lib.lj_stubs_hold(self.handle, len(addresses), _words(addresses), held)
        return ffi.unpack(held, count) if count else []

    def let_go(self, held: Words) -> None:
        """The code that referred to these, as `hold` gave them, is gone."""
        if held and self._handle is not None:
            lib.lj_stubs_let_go(self._handle, len(held), _words(held))

    def forget(self, stubs: Words) -> None:
        """Drop what these stubs have failed with. They are freed next, by native code maybe.

        Not later, for then they may be others', and have failed again.
        """
        with self._lock:
            if self._tokens:
                failures.forget(self._last_tokens_locked(stubs))

    def _last_tokens_locked(self, stubs: Words) -> Iterator[int]:
        """The tokens that no stub has any more when these are gone."""
        for stub in stubs:
            for token in self._tokens.pop(int(stub), ()):
                self._stubs_of[token] -= 1
                if not self._stubs_of[token]:
                    del self._stubs_of[token]
                    yield token

    def target(self, stub: int) -> int | None:
        """What the stub leads to; None while it is unresolved or failed. Raises SessionClosed."""
        return lib.lj_stubs_target(self.handle, stub) or None

    def set_failure_address(self, address: int) -> None:
        """Where a failed call goes that no Python call led to; 0: the process ends with a message.

        The function there is entered as the failed one would have been, its arguments in place.
        """
        lib.lj_stubs_set_failure_address(self.handle, address)

    def statistics(self) -> StubStatistics:
        """Figures of now."""
        out = ffi.new("lj_stubs_statistics *")
        lib.lj_stubs_statistics_get(self.handle, out)
        return StubStatistics(out.live, out.chunks, out.requests, out.failures)

    def close(self) -> None:
        """Have unresolved stubs fail with SessionClosed: calls that sleep and calls to come.

        Resolved ones go on working. Close the dispatcher first, so that it can serve what it can.
        """
        if self._handle is not None:
            lib.lj_stubs_close(self._handle)

    def dispose(self) -> None:
        """Forget the pool and its memory. The caller guarantees that no stub is called any more."""
        with self._lock:
            handle, self._handle = self._handle, None
            tokens, self._stubs_of = self._stubs_of, {}
            self._tokens = {}
        if handle is not None:
            lib.lj_stubs_close(handle)
            if not self._arena.closed:
                lib.lj_stubs_empty(handle)
            failures.forget(tokens)

    def before_fork(self) -> None:
        """For `lazyjit.forking`: take the lock."""
        self._lock.acquire()
        if self._handle is not None:
            lib.lj_stubs_before_fork(self._handle)

    def after_fork(self, in_child: bool) -> None:
        """For `lazyjit.forking`: give the lock back."""
        if self._handle is not None:
            lib.lj_stubs_after_fork(self._handle)
        self._lock.release()
