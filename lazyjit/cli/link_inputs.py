"""Adds the inputs of a `lazyjit link` command line to the JIT.

Dylibs are made and linked against each other; symbols, sections and files go each into its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lazyjit.cli import link_fixed
from lazyjit.cli.link_files import File, FileKind, Inputs, object_of
from lazyjit.cli.link_fixed import ProcessBelow
from lazyjit.cli.link_lazy import LazyFiles
from lazyjit.cli.link_request import LinkInput, LinkRequest
from lazyjit.errors import InputError
from lazyjit.records import Record

__all__ = ["Added", "add"]


def make_dylibs(
    jit: Any, request: LinkRequest, below: ProcessBelow | None
) -> dict[str | None, Any]:
    """The dylibs of -jd, and main (under None): each links against itself, then those that a -l in
    it names, in that order, the process last.
    """
    from lazyjit.core import LookupFlags

    dylibs: dict[str | None, Any] = {None: jit.main}
    for name in request.dylibs:
        dylibs[name] = jit.create_dylib(name)
    named = {"main": None, **{name: name for name in request.dylibs}}
    for owner, dylib in dylibs.items():
        process = dylib.link_order[1:]
        if below is not None:
            process.insert(0, (below.dylib, LookupFlags.EXPORTED_ONLY))
        linked = dict.fromkeys(
            dylibs[named[entry.name]]
            for entry in request.inputs
            if entry.names_library and entry.dylib == owner and entry.name in named
        )
        others = [(each, LookupFlags.EXPORTED_ONLY) for each in linked if each is not dylib]
        dylib.set_link_order([*others, *process])
    return dylibs


class Added(Record):
    """What a link has: its dylibs by name (None: main), and the files that are linked lazily."""

    dylibs: dict[str | None, Any]
    lazy: LazyFiles
    #: The process, for a program of objects for fixed positions.
    below: ProcessBelow | None = None

    @property
    def initialized(self) -> list[Any]:
        """Every dylib whose initializers are to run, main as the last."""
        main, *others = self.dylibs.values()
        return [*others, *self.lazy.dylibs, main]


def add_file(
    jit: Any, request: LinkRequest, entry: LinkInput, file: File, to: Added, triple: str
) -> None:
    """Add one file to its dylib."""
    dylib = to.dylibs[entry.dylib]
    if file.kind in (FileKind.OBJECT, FileKind.ASSEMBLY):
        data = object_of(request, file, triple)
        if entry.lazy:
            to.lazy.add(data, file.name, dylib)
        else:
            jit.add_object(data, dylib=dylib, name=file.name)
    elif entry.lazy:
        raise InputError("only an object or assembly can be linked lazily", file=file.name)
    elif file.kind is FileKind.ARCHIVE:
        from pathlib import Path

        jit.add_archive(
            Path(file.name),
            dylib=dylib,
            whole=entry.whole or request.all_load,
            hidden=entry.hidden,
        )
    elif entry.whole:
        raise InputError("only an archive has members to load", file=file.name)
    elif to.below is not None:  # so that it is part of the process, and can be brought in reach
        link_fixed.load(file.name)
    else:
        from pathlib import Path

        jit.load_library(Path(file.name).resolve(), dylib=dylib)


def add(
    jit: Any, request: LinkRequest, inputs: Inputs, triple: str, *, fixed: bool = False
) -> Added:
    """Make the dylibs and add what goes into them; assembly is for `triple`. `fixed`: some of it
    is for fixed positions.
    """
    below = ProcessBelow(jit) if fixed and request.process_symbols else None
    added = Added(make_dylibs(jit, request, below), LazyFiles(jit), below)
    add_symbols(jit, request, added.dylibs)
    for section in request.sections:
        from lazyjit.cli import link_graphs  # graphs by hand: few links have any

        jit.add_graph(link_graphs.section_graph(section, triple), dylib=added.dylibs[section.dylib])
    files = inputs.files
    if inputs.harness:
        from lazyjit.cli import link_graphs

        files = link_graphs.add_with_harness(jit, request, inputs, added.dylibs, triple)
    for entry, file in files:
        add_file(jit, request, entry, file, added, triple)
    if request.phony_externals:
        add_phony_externals(jit, [*added.dylibs.values(), *added.lazy.dylibs])
    return added


def add_symbols(jit: Any, request: LinkRequest, dylibs: dict[str | None, Any]) -> None:
    """-abs and -alias."""
    from lazyjit.core import SymbolAlias, symbol_aliases
    from lazyjit.symbols import SymbolFlags

    for owner, name, address in request.absolutes:
        jit.define(name, address, dylib=dylibs[owner])
    for owner, name, aliasee in request.aliases:
        flags = SymbolFlags.EXPORTED | SymbolFlags.CALLABLE
        dylibs[owner].define(symbol_aliases({name: SymbolAlias(aliasee, flags)}))


def add_phony_externals(jit: Any, dylibs: Iterable[Any]) -> None:
    """-phony-externals: a last dylib, in which every name is at address 0."""
    from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

    nowhere = ExecutorSymbolDef(0, SymbolFlags.EXPORTED | SymbolFlags.ABSOLUTE)
    phony = jit.session.create_dylib("<phony externals>")
    phony.add_generator(lambda names: dict.fromkeys(names, nowhere))
    for dylib in dylibs:
        dylib.add_to_link_order(phony)
