"""Queries: a lookup from its first search to its answer.

A query searches; where names are missing and a generator may define them, it runs the generator,
without the lock, and searches again from the start, since anything may have changed meanwhile. When
the search meets no more generators, the query is *lodged*, all in one locked section: either it
fails with everything that is missing or failed, and has started nothing; or every unit that it
wants starts, and it waits for those of its symbols that are not in the required state yet.

Several queries may meet at one generator. The first has it, the others queue up and search again
when it is free: one definition serves them all. A generator that looks up symbols itself does not
meet itself.

A query is answered exactly once: `pending` counts what it waits for, and is negative from its
failure on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from lazyjit.core.entries import MAKING, Effect, Failure, Pending, Work
from lazyjit.core.progress import Errands, start_found_locked, start_locked
from lazyjit.core.search import Hit, Meeting, SearchOrder, SearchResult, flags_of, search_locked
from lazyjit.core.states import LookupKind, SymbolState
from lazyjit.core.table import TableRecord
from lazyjit.core.tasks import Completion, TaskClass
from lazyjit.errors import (
    FailedToMaterialize,
    InternalError,
    LazyJITError,
    SessionClosed,
    SymbolsNotFound,
)
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib
    from lazyjit.core.generators import GeneratorRecord
    from lazyjit.core.session import ExecutionSession

__all__ = ["OnComplete", "Query", "RegisterDependences"]

#: Called once, with the symbols or an error, without the lock, on any thread.
OnComplete = Callable[[dict[str, ExecutorSymbolDef] | None, LazyJITError | None], None]
#: Called before that, if not all symbols are ready yet, with those that are not.
RegisterDependences = Callable[[dict["JITDylib", set[str]]], None]


_and = int.__and__
_SIDE_EFFECTS_ONLY: Final = int(SymbolFlags.SIDE_EFFECTS_ONLY)


class Query:
    """One lookup under way."""

    __slots__ = (
        "completion",
        "dependences",
        "error",
        "flags_only",
        "found_flags",
        "holds",
        "kind",
        "klass",
        "names",
        "on_complete",
        "order",
        "pending",
        "ran",
        "register",
        "result",
        "session",
        "state",
        "weak",
    )

    def __init__(
        self,
        session: ExecutionSession,
        order: SearchOrder,
        names: Collection[str],
        weak: Collection[str],
        state: SymbolState = SymbolState.READY,
        on_complete: OnComplete | None = None,
        register: RegisterDependences | None = None,
        *,
        kind: LookupKind = LookupKind.STATIC,
        klass: TaskClass = TaskClass.DEMAND,
        flags_only: bool = False,
    ) -> None:
        """For `names`, those in `weak` if there; answered by a callback, or else a completion."""
        self.session = session
        self.order = order
        self.names = names
        self.weak = weak
        self.state = state
        self.on_complete = on_complete
        self.completion = Completion() if on_complete is None else None
        self.register = register
        self.kind = kind
        self.klass = klass
        self.flags_only = flags_only
        self.result: dict[str, ExecutorSymbolDef] = {}
        self.found_flags: dict[str, SymbolFlags] = {}
        self.dependences: dict[JITDylib, set[str]] = {}
        self.error: LazyJITError | None = None
        self.pending = 1  # itself, until it is lodged
        self.ran: set[GeneratorRecord] = set()  # not to be met again
        self.holds: GeneratorRecord | None = None  # its turn at this one

    def advance(self) -> None:
        """Search and run generators until lodged, or until a generator is busy. Without the lock.

        In the latter case it goes on when its turn at the generator comes, on another thread.
        """
        session = self.session
        errands: Errands = []
        while True:
            with session._lock:
                meeting, parked = self._step_locked(errands)
            if meeting is None:
                break
            try:
                error = self._generate(meeting)
            except BaseException:  # an interrupt: no answer, but others have their turn
                with session._lock:
                    self._leave_locked(meeting, errands)
                session._carry_out(errands)
                raise
            with session._lock:
                self._leave_locked(meeting, errands)
                if error is not None:
                    self.fail_locked(error, errands)
        if not parked and self.dependences and self.register is not None:
            self._tell_dependences(self.register, errands)
        session._carry_out(errands)

    def fail_locked(self, error: LazyJITError, errands: Errands) -> None:
        """Answer with `error`, unless it is answered."""
        if self.pending > 0:
            self.pending = -1
            self.error = error
            errands.append(self)

    def _step_locked(self, errands: Errands) -> tuple[Meeting | None, bool]:
        """Search. Returns the generator to run, which it then holds, and whether it is parked."""
        session = self.session
        while True:
            meeting = None
            if session._closed:
                self.fail_locked(SessionClosed("the session was closed"), errands)
            elif self.pending > 0:
                try:
                    found = search_locked(
                        self.order, self.names, self.ran, keep=not self.flags_only
                    )
                except Exception as error:  # a table that breaks its contract
                    problem = InternalError(f"a symbol table raised {error!r}")
                    problem.__cause__ = error
                    self.fail_locked(problem, errands)
                    break
                meeting = found.meeting
                if meeting is None:
                    self._lodge_locked(found, errands)
                elif meeting.record is self.holds:
                    return meeting, False
                elif meeting.record in session._stage.generating:
                    self.ran.add(meeting.record)  # this lookup is the generator's own
                    continue
            break
        if self.holds is not None:
            # Its turn came, but what it missed has been defined meanwhile.
            self.holds.pass_on_locked(errands)
            self.holds = None
        if meeting is not None:
            if meeting.record.busy:
                meeting.record.queue.append(self)
                return None, True
            meeting.record.busy = True
            self.holds = meeting.record
        return meeting, False

    def _generate(self, meeting: Meeting) -> LazyJITError | None:
        """Run the generator. Returns why it failed, or None."""
        record, dylib, flags, names = meeting
        stage = self.session._stage
        outer = stage.generating
        stage.generating = (*outer, record)
        try:
            record.generator.try_to_generate(self.kind, dylib, flags, names)
        except LazyJITError as error:
            return error
        except Exception as error:
            return FailedToMaterialize({dylib.name: names}, error)
        finally:
            stage.generating = outer
        return None

    def _leave_locked(self, meeting: Meeting, errands: Errands) -> None:
        self.ran.add(meeting.record)
        self.holds = None
        meeting.record.pass_on_locked(errands)

    def _tell_dependences(self, register: RegisterDependences, errands: Errands) -> None:
        """Before the answer, hence the count that it still has; without the lock, it is foreign."""
        try:
            register(self.dependences)
        except Exception as error:
            self.session._report(error)
        with self.session._lock:
            self._count_down_locked(errands)

    def _count_down_locked(self, errands: Errands) -> None:
        if self.pending > 0:
            self.pending -= 1
            if not self.pending:
                errands.append(self)

    def _lodge_locked(self, found: SearchResult, errands: Errands) -> None:
        """Fail, or start what is wanted and wait for it. Nothing starts for a query that fails."""
        ready, others, missing, _ = found
        if self.flags_only:
            self.found_flags = {name: symbol.flags for name, symbol in ready.items()}
            self.found_flags.update((name, flags_of(name, entry)) for name, _, entry in others)
            self._count_down_locked(errands)
            return
        weak = self.weak
        if missing and weak:
            missing = [name for name in missing if name not in weak]
        failed: dict[str, list[str]] = {}
        cause: BaseException | None = None
        for name, dylib, entry in others:
            if entry.__class__ is Failure:
                failed.setdefault(dylib.name, []).append(name)
                cause = cause or entry.cause
            elif name not in weak and _and(flags_of(name, entry), _SIDE_EFFECTS_ONLY):
                missing.append(name)  # it has no address to be had
        if missing:
            self.fail_locked(SymbolsNotFound(missing), errands)
            return
        if failed:
            self.fail_locked(FailedToMaterialize(failed, cause), errands)
            return
        # From here on the query can only succeed, or fail with what it waits for.
        self.result = ready
        if others:
            self._wait_locked(others, errands)
        if not self.dependences:
            self._count_down_locked(errands)

    def _wait_locked(self, others: list[Hit], errands: Errands) -> None:
        """Start units that are wanted for the first time, and wait for what isn't far enough."""
        resolved_will_do = self.state <= SymbolState.RESOLVED
        dependences = self.dependences if self.register is not None else None
        from_tables: dict[tuple[TableRecord, int], Work] = {}
        for name, dylib, entry in others:
            if isinstance(entry, Effect):
                continue
            if isinstance(entry, Pending):
                now = dylib._symbols[name]
                work = now if isinstance(now, Work) else start_locked(entry, self.klass, errands)
            elif isinstance(entry, Work):
                work = entry
                self._hurry_locked(work, errands)
            else:
                assert not isinstance(entry, (ExecutorSymbolDef, Failure))
                work = start_found_locked(name, dylib, entry, from_tables, self.klass, errands)
            if dependences is not None:
                dependences.setdefault(dylib, set()).add(name)
            if resolved_will_do and not _and(work.flags[name], _SIDE_EFFECTS_ONLY):
                if name in work.defs:
                    self.result[name] = work.defs[name]
                    continue
                if work.resolving is None:
                    work.resolving = []
                work.resolving += (self, name)
            else:
                if work.queries is None:
                    work.queries = []
                work.queries += (self, name)
            self.pending += 1

    def _hurry_locked(self, work: Work, errands: Errands) -> None:
        """Dispatch `work` again if it was with less urgency: whichever task comes first runs it."""
        if self.klass < work.klass and not work.begun and work.stage == MAKING:
            work.klass = self.klass
            errands.append(work)
