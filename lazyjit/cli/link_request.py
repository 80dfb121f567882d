"""What a `lazyjit link` command line asks for; the options fill it in one by one.

Inputs are in the order of the command line, and know what was said before them: the dylib that
`-jd` had chosen, and flags that hold for one file. Directories of `-L` belong to a dylib too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["LinkInput", "LinkRequest", "SectCreate"]


@dataclass(frozen=True)
class LinkInput:
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


@dataclass(frozen=True)
class SectCreate:
    """A section to be made of a file's bytes, with symbols at offsets in it."""

    section: str
    file: str
    symbols: tuple[tuple[str, int], ...]
    dylib: str | None


@dataclass
class LinkRequest:
    """Everything that the command line asks for."""

    inputs: list[LinkInput] = field(default_factory=list)
    #: Dylibs beside main, in the order of their first mention.
    dylibs: list[str] = field(default_factory=list)
    #: (dylib, directory) of each -L.
    library_dirs: list[tuple[str | None, str]] = field(default_factory=list)
    search_system: bool = False
    all_load: bool = False
    preloads: list[str] = field(default_factory=list)
    process_symbols: bool = True

    #: (dylib, name, address)
    absolutes: list[tuple[str | None, str, int]] = field(default_factory=list)
    #: (dylib, name, what it stands for)
    aliases: list[tuple[str | None, str, str]] = field(default_factory=list)
    phony_externals: bool = False
    sections: list[SectCreate] = field(default_factory=list)
    harness: list[str] = field(default_factory=list)

    entry: str = "main"
    arguments: list[str] = field(default_factory=list)
    execute: bool = True
    #: None: as many as there are processors.
    threads: int | None = None
    #: "simple": what `speculate_order` lists is linked before it is called.
    speculation: str = "none"
    speculate_order: str | None = None

    #: None: no slab.
    slab_size: int | None = None
    slab_address: int | None = None
    slab_page_size: int | None = None

    checks: list[str] = field(default_factory=list)
    check_names: list[str] = field(default_factory=list)
    #: The target; None: what the inputs say.
    triple: str | None = None
    #: The program that assembles for another processor; None: one that is found.
    assembler: str | None = None

    show_addresses: bool = False
    show_contents: bool = False
    show_secondary: bool = False
    #: A regular expression on file names; None: no graphs.
    show_graphs: str | None = None
    show_files: bool = False
    show_times: bool = False
    show_initial: bool = False
    show_linked: bool = False
    symbol_table: str | None = None
    debugger: bool | None = None
    perf: bool = False

    #: "run", or what to print instead: "help", "help-hidden", "version".
    action: str = "run"
    #: The dylib that inputs go into at this point of the command line; None is main.
    current_dylib: str | None = None
    #: Whether -lazy has been seen since the last input.
    next_lazy: bool = False

    def add(self, name: str, *, library: bool = False, hidden: bool = False,
            whole: bool = False) -> None:  # fmt: skip
        """An input, at this point of the command line."""
        self.inputs.append(
            LinkInput(name, self.current_dylib, library, hidden, whole, self.next_lazy)
        )
        self.next_lazy = False
