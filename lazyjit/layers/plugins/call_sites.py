"""Call sites: all calls of one function, found as they are linked, and led elsewhere later.

    calls = CallSites("kernel")
    jit.add_plugin(calls)
    ...
    calls.patch(jit.lookup("faster_kernel"))    # every call of `kernel` runs this from now on
    calls.restore()

A call instruction holds a distance in four bytes that may lie across a cache line, in memory that
other threads are just executing: it can't be changed in one step. So none of the code is changed.
When a link has a call of the function (an edge of BRANCH form to it), the recorder gives that call
an entry of its own, between the call and the function:

        call entry              entry:  jmp *slot(%rip)         slot:  .quad kernel

and patching is a store into the slot, eight aligned bytes of data.

**What is guaranteed.** A call that is under way as its site is patched goes to the old target or to
the new one, and to no other place; calls that begin after `patch` has returned (on other threads:
after they could know of it) go to the new one. Who is in the old target already, returns from it.
Several sites are patched one after the other. Sites of a link that is under way at that moment
follow, too. The new target has to stay in memory, and to take the same arguments.

**What is found.** Calls and tail calls in everything that is linked while the plugin is there, by
edges to a symbol of that name. Assemblers resolve a call within one section to a local function
themselves, and leave no edge (compile with `-ffunction-sections`); a call through a pointer, the
GOT (`-fno-plt`) included, is none of a name. In a module of IR, a function that other modules see
is `name`, called by its own unit as `name$body`: both are recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lazyjit._native import lib
from lazyjit.errors import UsageError
from lazyjit.layers.plugins.keeping import KeepingPlugin
from lazyjit.link.model import MemProt

if TYPE_CHECKING:
    from lazyjit.core import MaterializationResponsibility
    from lazyjit.link.graph import LinkGraph
    from lazyjit.link.passes import PassConfiguration
    from lazyjit.link.views import Block, Edge, Section, Symbol

__all__ = ["CallSite", "CallSites"]


class _Entry(NamedTuple):
    """How an architecture jumps through a slot."""

    code: bytes
    #: (kind, offset, addend) of the edges to the slot.
    edges: tuple[tuple[str, int, int], ...]
    #: What a call's addend is when it leads to the symbol itself.
    addend: int


_ENTRIES = {
    "x86_64": _Entry(
        b"\xff\x25\0\0\0\0\xcc\xcc",  # jmp *slot(%rip); int3; int3
        (("R_X86_64_PC32", 2, -4),),
        -4,
    ),
    "aarch64": _Entry(
        # adrp x16, slot; ldr x16, [x16, :lo12:slot]; br x16; brk #0
        bytes.fromhex("10000090 100240f9 00021fd6 000020d4"),
        (("R_AARCH64_ADR_PREL_PG_HI21", 0, 0), ("R_AARCH64_LDST64_ABS_LO12_NC", 4, 0)),
        0,
    ),
}

_CODE, _SLOTS = "$__CALLS", "$__CALL_SLOTS"


class CallSite:
    """One call. Its methods may be called from any thread."""

    __slots__ = ("_original", "_owner", "_slot", "address", "caller", "file")

    def __init__(
        self, owner: CallSites, address: int, caller: str, file: str, slot: int, original: int
    ) -> None:
        """The recorder's."""
        self._owner = owner
        #: Of the bytes that the linker wrote into the call instruction.
        self.address = address
        #: The function that calls; "" where no symbol says.
        self.caller = caller
        #: The object or unit that it is in.
        self.file = file
        self._slot = slot  # 0: the code is gone
        self._original = original

    def __repr__(self) -> str:
        return f"<CallSite {self.address:#x} in {self.caller or '?'}, {self.file}>"

    @property
    def target(self) -> int:
        """Where the call leads now. Raises UsageError when the code is gone."""
        return self._owner._store(self, None)

    def patch(self, target: int) -> None:
        """Lead this call to `target`. Raises UsageError when the code is gone."""
        self._owner._store(self, target)

    def restore(self) -> None:
        """Lead this call to where the linker had it. Raises UsageError when the code is gone."""
        self._owner._store(self, self._original)


class _Found(NamedTuple):
    """A call, as a pass finds it."""

    block: Block
    offset: int
    callee: Symbol
    slot: Block


class CallSites(KeepingPlugin[list[CallSite]]):
    """Records the calls of a function. Any thread."""

    def __init__(self, function: str) -> None:
        """Of the function with this linker name, in whatever dylib."""
        super().__init__()
        self.function = function
        self._names = (function, f"{function}$body")
        self._target: int | None = None

    def sites(self) -> list[CallSite]:
        """The calls in code that is in memory now, in the order in which they were linked."""
        return [site for sites in self.kept() for site in sites]

    def patch(self, target: int) -> None:
        """Lead every call to `target`, those that are linked later, too. See above for how."""
        self._lead(target)

    def restore(self) -> None:
        """Lead every call to where the linker had it, those that are linked later, too."""
        self._lead(None)

    def _lead(self, target: int | None) -> None:
        with self._lock:
            self._target = target
            for sites in self._kept.values():
                for site in sites:
                    lib.lj_call_slot_store(site._slot, target or site._original)

    def _store(self, site: CallSite, target: int | None) -> int:
        """For a site. The lock keeps its memory from going meanwhile."""
        with self._lock:
            if not site._slot:
                raise UsageError("the call's code was removed")
            if target is not None:
                lib.lj_call_slot_store(site._slot, target)
            return int(lib.lj_call_slot_load(site._slot))

    # -- in a link -----------------------------------------------------------------------------

    def modify_pass_config(
        self,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        config: PassConfiguration,
    ) -> None:
        """See `Plugin`: entries are made when dead code is gone, and found again when linked."""
        found: list[_Found] = []
        config.post_prune.append(lambda graph: self._record(graph, found))

        def make(graph: LinkGraph) -> list[CallSite]:
            return [
                CallSite(
                    self,
                    block.address + offset,
                    _caller(block, offset),
                    graph.name,
                    slot.address,
                    callee.address,
                )
                for block, offset, callee, slot in found
            ]

        self.keep(config, make)

    def begin(self, item: list[CallSite]) -> None:
        """A patch that is in force holds for these, too."""
        with self._lock:
            for site in item:
                if self._target:
                    lib.lj_call_slot_store(site._slot, self._target)

    def end(self, item: list[CallSite]) -> None:
        """Nobody patches these any more."""
        with self._lock:
            for site in item:
                site._slot = 0

    def _record(self, graph: LinkGraph, found: list[_Found]) -> None:
        entry = _ENTRIES.get(graph.arch)
        callees = [symbol for symbol in map(graph.find_symbol, self._names) if symbol is not None]
        if entry is None or not callees:
            return
        branches = _branches(graph)
        calls = [
            (block, edge, callee)
            for block in graph.blocks()
            for edge in block.edges()
            if edge.number in branches and (callee := _callee(edge, entry, callees)) is not None
        ]
        if not calls:
            return
        code = _section(graph, _CODE, MemProt.READ | MemProt.EXEC)
        slots = _section(graph, _SLOTS, MemProt.READ | MemProt.WRITE)
        for block, edge, callee in calls:
            slot = graph.create_content_block(slots, bytes(8), align=8)
            slot.add_edge("Pointer64", 0, callee)
            pointer = graph.add_anonymous_symbol(slot, 0, 8)
            jump = graph.create_content_block(code, entry.code, align=8)
            for kind, offset, addend in entry.edges:
                jump.add_edge(kind, offset, pointer, addend)
            edge.target = graph.add_anonymous_symbol(jump, 0, len(entry.code), callable=True)
            edge.addend = entry.addend
            found.append(_Found(block, edge.offset, callee, slot))


def _section(graph: LinkGraph, name: str, prot: MemProt) -> Section:
    return graph.find_section(name) or graph.create_section(name, prot)


def _branches(graph: LinkGraph) -> set[int]:
    """Numbers of the edges that are branches."""
    arch = lib.lj_arch_named(graph.arch.encode())
    edges = graph.records.edges
    kinds = [
        kind for kind in np.unique(edges["kind"]).tolist() if lib.lj_kind_is_branch(arch, kind)
    ]
    return set(np.flatnonzero(np.isin(edges["kind"], kinds)).tolist())


def _callee(edge: Edge, entry: _Entry, callees: list[Symbol]) -> Symbol | None:
    """Which of these it leads to: by its symbol, or by its place (of a section, with an addend)."""
    target, distance = edge.target, edge.addend - entry.addend
    for callee in callees:
        if target == callee and not distance:
            return callee
        if (
            target.block is not None
            and target.block == callee.block
            and target.offset + distance == callee.offset
        ):
            return callee
    return None


def _caller(block: Block, offset: int) -> str:
    """The name of the function around a place."""
    for symbol in block.symbols():
        if symbol.callable and symbol.name:
            end = symbol.offset + symbol.size if symbol.size else block.size
            if symbol.offset <= offset < end:
                return symbol.name.removesuffix("$body")
    return ""
