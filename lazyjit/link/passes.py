"""The five lists of passes that a link runs over its graph.

A pass is a plain function that takes the graph, changes it in place and returns nothing. When it
runs decides what it finds, and what it may change:

    read                the graph as the object has it, or as it was built by hand
      pre_prune         everything is there, nothing is an address yet. Mark symbols live, add or
                        remove sections, blocks, symbols, edges; make definitions external.
    prune               what no live symbol reaches is taken out
      post_prune        what is left is what will be in memory. The last moment to change sizes or
                        to add content; slots of GOT and PLT are planned right after.
    allocate            layout is fixed: every block has its address and its working memory
      post_allocation   addresses can be read; contents, edges and addends can be changed. What
                        this list leaves as a symbol's address is told to the session next.
    look up             the addresses of the externals are known
      pre_fixup         so are all targets of edges; contents still lack them
    fix up              every edge is applied
      post_fixup        contents are what will run. Read them, patch them, but no edge counts now.
    finalize            the memory has its protections; nobody writes to it again

A pass that raises fails its link, and no other. Passes of one list run in order, one at a time; two
links may run the same function at once, on two threads.

A pass may find that the code depends on symbols that no edge names, an initializer of another dylib
say: `add_dependences` has the link, or some of its symbols, wait for these. And it may want
something done in the process when the code is in place, and undone before it goes: it appends to
`actions`, which the memory manager runs (see `lazyjit.link.memory`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lazyjit.link.graph import LinkGraph
    from lazyjit.link.memory import FinalizeAction

__all__ = ["LinkPass", "PassConfiguration"]

#: What a list holds.
LinkPass = Callable[["LinkGraph"], None]


class PassConfiguration:
    """One link's passes, and what they found that it depends on.

    Made for each link, and handed to `Plugin.modify_pass_config`, which appends to the lists (or
    inserts, or removes). Belongs to its link's thread of the moment, as the graph does.
    """

    __slots__ = (
        "actions",
        "dependences",
        "dependences_of",
        "post_allocation",
        "post_fixup",
        "post_prune",
        "pre_fixup",
        "pre_prune",
    )

    def __init__(self) -> None:
        self.pre_prune: list[LinkPass] = []
        self.post_prune: list[LinkPass] = []
        self.post_allocation: list[LinkPass] = []
        self.pre_fixup: list[LinkPass] = []
        self.post_fixup: list[LinkPass] = []
        #: To be done when the code is in place, after the linker's own, and undone before it goes.
        self.actions: list[FinalizeAction] = []
        #: What `add_dependences` was told: names by the dylib that they are in, of all symbols; and
        #: triples (symbols, dylib, names) of some.
        self.dependences: dict[Any, set[str]] = {}
        self.dependences_of: list[tuple[frozenset[str], Any, frozenset[str]]] = []

    def add_dependences(
        self, dylib: Any, names: Iterable[str], *, of: Iterable[str] | None = None
    ) -> None:
        """What is linked is ready only when these symbols of `dylib` are; they are made if need be.

        `of`: names of symbols that the graph defines. Then these alone wait, and what leads to them
        by edges or shares a block with them; what else the link defines is ready without. For
        passes of any list. If one of `names` can't be had, the link fails, as it does with
        GraphError if the graph doesn't define one of `of`.
        """
        if of is None:
            self.dependences.setdefault(dylib, set()).update(names)
        else:
            self.dependences_of.append((frozenset(of), dylib, frozenset(names)))
