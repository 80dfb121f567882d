"""Debuggers: breakpoints and backtraces in JIT'd code, with the source's lines.

    with lazyjit.JIT(debugger_support=True) as jit: ...

    $ gdb --args python program.py
    (gdb) set breakpoint pending on
    (gdb) break kernel
    (gdb) run

GDB (and LLDB, after `settings set plugin.jit-loader.gdb.enable on`) finds a list of debug objects
in the process, see `native/plugin_gdb.h`. This plugin makes one for each object that is linked
(`lazyjit.layers.plugins.debug_object`), from its own debug information: C compiled with `-g`, IR
with `!DILocation`s; without any, functions still have their names. It withdraws it when the code
goes. Both cost constant time, however many objects there are; but GDB itself, if it is there,
stops the process at each and looks through them.

A debugger plants breakpoints by writing into code, which the kernel allows it only in some kinds of
memory: give the arena the kind `ArenaKind.DEBUGGED`, as `JIT(debugger_support=True)` does. In
another kind, names and backtraces work, breakpoints stay pending (or take `hbreak`, of which a
processor has four).

A graph that was built by hand has no debug information and gets no debug object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazyjit._native import check, ffi, lib
from lazyjit.layers.plugins.addresses import section_addresses, symbol_addresses
from lazyjit.layers.plugins.debug_object import debug_object
from lazyjit.layers.plugins.keeping import ObjectKeepingPlugin

if TYPE_CHECKING:
    from lazyjit.core import MaterializationResponsibility
    from lazyjit.link.graph import LinkGraph
    from lazyjit.link.passes import PassConfiguration

__all__ = ["DebuggerSupport", "announced"]


class _DebugObject:
    """A debug object's bytes, then what withdraws it."""

    __slots__ = ("data", "entry")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.entry: Any = None


def announced() -> int:
    """How many debug objects this process shows to debuggers now. Any thread."""
    return int(lib.lj_gdb_count())


class DebuggerSupport(ObjectKeepingPlugin[_DebugObject]):
    """Tells debuggers of everything that is linked while it is there. Any thread.

    An object with debug sections that can't be read fails its link with ObjectFormatError.
    """

    def modify_pass_config(
        self,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        config: PassConfiguration,
    ) -> None:
        """See `Plugin`: addresses are taken when all are known."""
        elf = self.object_of(responsibility)
        if elf is None:
            return

        def make(graph: LinkGraph) -> _DebugObject:
            return _DebugObject(
                debug_object(elf, symbol_addresses(graph), section_addresses(graph))
            )

        self.keep(config, make)

    def begin(self, item: _DebugObject) -> None:
        """Announce it. Raises MemoryError."""
        out = ffi.new("void **")
        check(lib.lj_gdb_register(item.data, len(item.data), out))
        item.entry, item.data = out[0], b""

    def end(self, item: _DebugObject) -> None:
        """Withdraw it."""
        entry, item.entry = item.entry, None
        lib.lj_gdb_deregister(entry or ffi.NULL)
