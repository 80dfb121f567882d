"""Materialization units: what makes symbols, when somebody wants one of them.

A unit is defined in a dylib with the names and flags of all that it can make, and is then left
alone. The first lookup that wants one of its symbols starts it, once: the dispatcher runs
`materialize` with a `MaterializationResponsibility`, through which the unit reports addresses,
emission and failure. A weak definition of its that loses to another is told to `discard`.

A compiler of one's own plugs into lazyjit as one subclass:

    class Constant(MaterializationUnit):
        def __init__(self, name, value):
            super().__init__(name, {name: SymbolFlags.EXPORTED})
            self.cell = ctypes.c_int64(value)

        def materialize(self, responsibility):
            address = ctypes.addressof(self.cell)
            responsibility.notify_resolved(
                {self.name: ExecutorSymbolDef(address, SymbolFlags.EXPORTED)}
            )
            responsibility.notify_emitted()
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib
    from lazyjit.core.responsibility import MaterializationResponsibility

__all__ = ["AbsoluteSymbols", "MaterializationUnit", "absolute_symbols"]


class MaterializationUnit(ABC):
    """Makes symbols on demand. Belongs to the session from `JITDylib.define` on."""

    __slots__ = ("__dict__", "__weakref__", "init_symbol", "name", "symbols")

    def __init__(
        self, name: str, symbols: Mapping[str, SymbolFlags], init_symbol: str | None = None
    ) -> None:
        """A unit named `name` (for messages) that makes `symbols`.

        `init_symbol`, one of them, stands for the unit's initializers: it is looked up to have
        them made, and is usually SIDE_EFFECTS_ONLY.
        """
        self.name = name
        #: What it makes. Once defined, the session takes discarded names out of it.
        self.symbols: dict[str, SymbolFlags] = dict(symbols)
        self.init_symbol = init_symbol

    @abstractmethod
    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Make the symbols of `responsibility`, now or later, on this thread or another.

        Runs at most once, on a thread of the dispatcher's, without a lock. What it raises fails
        the symbols that are still its responsibility. So does dropping the responsibility.
        """

    def discard(self, dylib: JITDylib, name: str) -> None:  # noqa: B027  # most need nothing here
        """Another definition took the place of `name`, which was weak here: forget it.

        Called before `materialize` if at all, on the thread of the other definition, without a
        lock. What it raises goes to the session's `report_error`.
        """


class AbsoluteSymbols(MaterializationUnit):
    """Symbols whose addresses are known beforehand."""

    __slots__ = ("definitions",)

    def __init__(self, definitions: Mapping[str, ExecutorSymbolDef]) -> None:
        """At `definitions`; they become ABSOLUTE."""
        self.definitions = {
            name: ExecutorSymbolDef(address, SymbolFlags(flags) | SymbolFlags.ABSOLUTE)
            for name, (address, flags) in definitions.items()
        }
        super().__init__(
            "<absolute symbols>", {name: flags for name, (_, flags) in self.definitions.items()}
        )

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Report them."""
        responsibility.notify_resolved(
            {name: self.definitions[name] for name in responsibility.symbols}
        )
        responsibility.notify_emitted()


def absolute_symbols(definitions: Mapping[str, ExecutorSymbolDef]) -> AbsoluteSymbols:
    """A unit of symbols at known addresses. See `JITDylib.define_absolute` for the short way."""
    return AbsoluteSymbols(definitions)
