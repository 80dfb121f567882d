"""What a `lazyjit link` command line asks for; the options fill it in one by one.

Inputs are in the order of the command line, and know what was said before them: the dylib that
`-jd` had chosen, and flags that hold for one file. Directories of `-L` belong to a dylib too.
"""

from __future__ import annotations

from lazyjit.records import Record

__all__ = ["LinkInput", "LinkRequest", "SectCreate"]


class LinkInput(Record):
    """One file (told apart by its content) or library, and what holds for it alone."""

    name: str
    #: None: main.
    dylib: str | None
    #: A name to search for, as `-l` has it, instead of a path.
    library: bool = False
    #: What it defines is hidden: seen within its dylib, not from others.
    hidden: bool = False
    #: Of an archive, every member is added.
    whole: bool = False
    #: Its functions are linked at their first call.
    lazy: bool = False

    @property
    def names_library(self) -> bool:
        """Whether it is a `-l`, by which a dylib may be meant."""
        return self.library and not self.hidden


class SectCreate(Record):
    """A section to be made of a file's bytes, with symbols at offsets in it."""

    section: str
    file: str
    symbols: tuple[tuple[str, int], ...]
    dylib: str | None


class LinkRequest:
    """Everything that the command line asks for."""

    def __init__(self) -> None:
        self.inputs: list[LinkInput] = []
        #: Dylibs beside main, in the order of their first mention.
        self.dylibs: list[str] = []
        #: (dylib, directory) of each -L.
        self.library_dirs: list[tuple[str | None, str]] = []
        self.search_system = False
        self.all_load = False
        self.preloads: list[str] = []
        self.process_symbols = True

        #: (dylib, name, address)
        self.absolutes: list[tuple[str | None, str, int]] = []
        #: (dylib, name, what it stands for)
        self.aliases: list[tuple[str | None, str, str]] = []
        self.phony_externals = False
        self.sections: list[SectCreate] = []
        self.harness: list[str] = []

        self.entry = "main"
        self.arguments: list[str] = []
        self.execute = True
        #: None: as many as there are processors.
        self.threads: int | None = None
        #: "simple": what `speculate_order` lists is linked before it is called.
        self.speculation = "none"
        self.speculate_order: str | None = None

        #: None: no slab.
        self.slab_size: int | None = None
        self.slab_address: int | None = None
        self.slab_page_size: int | None = None

        self.checks: list[str] = []
        self.check_names: list[str] = []
        #: The target; None: what the inputs say.
        self.triple: str | None = None
        #: The program that assembles for another processor; None: one that is found.
        self.assembler: str | None = None

        self.show_addresses = False
        self.show_contents = False
        self.show_secondary = False
        #: A regular expression on file names; None: no graphs.
        self.show_graphs: str | None = None
        self.show_files = False
        self.show_times = False
        self.show_initial = False
        self.show_linked = False
        self.symbol_table: str | None = None
        self.debugger: bool | None = None
        self.perf = False

        #: "run", or what to print instead: "help", "help-hidden", "version".
        self.action = "run"
        #: The dylib that inputs go into at this point of the command line; None is main.
        self.current_dylib: str | None = None
        #: Whether -lazy has been seen since the last input.
        self.next_lazy = False

    def add(self, name: str, *, library: bool = False, hidden: bool = False,
            whole: bool = False) -> None:  # fmt: skip
        """An input, at this point of the command line."""
        self.inputs.append(
            LinkInput(name, self.current_dylib, library, hidden, whole, self.next_lazy)
        )
        self.next_lazy = False
