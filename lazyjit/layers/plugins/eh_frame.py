"""Unwind tables: who is told of the call frame information of linked code.

An exception that passes through JIT'd frames, a backtrace, a thread's cancellation: each asks an
unwinder, and that has to know the `.eh_frame` sections of code that no dynamic linker has loaded.
lazyjit tells the process's own unwinder by itself, in native code (`native/frames.h`), with plugins
or without. This plugin takes that over, for those who want to know of the tables, or who
have an unwinder of their own:

    class Profiler:
        def register(self, address, size): ...
        def deregister(self, address, size): ...

    jit.add_plugin(EHFrameRegistration(Profiler()))

Each table is checked first, since unwinders trust what they are given: structure, and that it
describes code of its own link only. It ends with a record of length zero, which `size` includes. It
is registered when the code is in place, and deregistered before it goes. On this side both take
constant time; so do libgcc's functions from version 13 on. Before, libgcc looks for a table among
all, the newest first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from lazyjit._native import check, ffi, lib, new_fault
from lazyjit.layers.plugins.keeping import KeepingPlugin

if TYPE_CHECKING:
    from lazyjit.core import MaterializationResponsibility
    from lazyjit.link.graph import LinkGraph
    from lazyjit.link.passes import PassConfiguration

__all__ = ["EHFrameRegistrar", "EHFrameRegistration", "NativeRegistrar"]


class EHFrameRegistrar(Protocol):
    """Who is told. Called from any thread."""

    def register(self, address: int, size: int) -> None:
        """Code that this table describes is in place. What it raises fails the link."""

    def deregister(self, address: int, size: int) -> None:
        """It is about to go."""


class NativeRegistrar:
    """The process's own unwinder: what lazyjit does without the plugin. Any thread."""

    def register(self, address: int, size: int) -> None:
        """See `EHFrameRegistrar`. Raises ResourceError when the process has no unwinder."""
        fault = new_fault()
        check(lib.lj_frames_register(address), fault)

    def deregister(self, address: int, size: int) -> None:
        """See `EHFrameRegistrar`."""
        lib.lj_frames_deregister(address)


class _Table(NamedTuple):
    address: int
    size: int


class EHFrameRegistration(KeepingPlugin[list[_Table]]):
    """Registers unwind tables with registrars instead of by native code. Any thread."""

    def __init__(self, *registrars: EHFrameRegistrar) -> None:
        """With these and the process's own unwinder, which comes first."""
        super().__init__()
        self._registrars: tuple[EHFrameRegistrar, ...] = (NativeRegistrar(), *registrars)

    def tables(self) -> list[tuple[int, int]]:
        """Addresses and sizes of the tables that are registered now, the oldest first."""
        return [(table.address, table.size) for tables in self.kept() for table in tables]

    def modify_pass_config(
        self,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        config: PassConfiguration,
    ) -> None:
        """See `Plugin`."""
        self.keep(config, _take)

    def begin(self, item: list[_Table]) -> None:
        """Register, or leave everything as it was."""
        done: list[tuple[EHFrameRegistrar, _Table]] = []
        try:
            for table in item:
                for registrar in self._registrars:
                    registrar.register(*table)
                    done.append((registrar, table))
        except BaseException:
            for registrar, table in reversed(done):
                registrar.deregister(*table)
            raise

    def end(self, item: list[_Table]) -> None:
        """Deregister."""
        for table in reversed(item):
            for registrar in reversed(self._registrars):
                registrar.deregister(*table)


def _take(graph: LinkGraph) -> list[_Table]:
    """The graph's tables, checked; the linker's own registration passes them over from here on."""
    native, records = graph.native, graph.records
    sections, blocks = records.sections, records.blocks
    code = [
        section.address_range
        for section in graph.sections()
        if section.linked and section.region == lib.LJ_TEXT and section.block_count
    ]
    low = min((start for start, _ in code), default=0)
    high = max((end for _, end in code), default=0)
    tables = []
    for section in graph.sections():
        row = sections[section.number]
        if row["role"] != lib.LJ_ROLE_EH_FRAME or not section.linked or not section.block_count:
            continue
        first, last = blocks[row["first_block"]], blocks[row["last_block"]]
        start = int(first["address"])
        size = int(last["address"]) + int(last["size"]) + 4 - start
        fault = new_fault()
        working = ffi.cast("uint8_t *", native.blocks[row["first_block"]].content)
        check(lib.lj_frames_check(working, size, start, low, high, fault), fault, file=graph.file)
        row["role"] = lib.LJ_ROLE_PLAIN
        tables.append(_Table(start, size))
    return tables
