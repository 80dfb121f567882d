"""Link graphs as the check language sees them.

    recorder = CheckRecorder()
    config.post_fixup.append(recorder.record)      # in a plugin's modify_pass_config
    ...
    report = run_checks(text, recorder, file="checks.s")

`record` is a post-fix-up pass: it copies what the graph's memory holds once every edge is applied,
so that checks can be made when the graph is gone, and no matter what the program has done since.

Symbols are known by name across files: a definition that others see hides local ones of its name,
and of two local ones the later is found. Files are known by the last part of their names, and a
member of an archive also by its own; where two files share one, asking for it is an error. A GOT
entry or a stub is known by the symbol to which it leads, which its edges tell. A section is found
where its first block is.

What no object defines has an address only if `define` gives it one: absolute symbols, say, which
the command line made.
"""

from __future__ import annotations

import bisect
import re
import threading
from collections.abc import Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from lazyjit.link.check.context import Region

if TYPE_CHECKING:
    from lazyjit.link.graph import LinkGraph
    from lazyjit.link.views import Block, Edge, Section, Symbol

__all__ = ["CheckRecorder", "RecordedFile"]

_GOT_SECTIONS = frozenset(("$__GOT",))
_STUB_SECTIONS = frozenset(("$__PLT", "$__STUBS"))
_THREAD_LOCAL = ("TLS", "TPOFF", "TPREL", "DTP")


class _Stub(NamedTuple):
    kind: str
    region: Region


class _Part(NamedTuple):
    """A block's place, and the names of the symbols in it."""

    address: int
    size: int
    names: frozenset[str]


class RecordedFile:
    """What is kept of one file: parts by section, and what its symbols and slots have become."""

    def __init__(self, name: str) -> None:
        self.name = name
        #: Named symbols, local ones too.
        self.symbols: dict[str, Region] = {}
        self.sections: dict[str, list[_Part]] = {}
        self.stubs: dict[str, list[_Stub]] = {}
        self.got: dict[str, Region] = {}


class CheckRecorder:
    """A `CheckContext` of all graphs that it was shown.

    Any thread may record while others do; ask when the links are over.
    """

    def __init__(self, triple: str = "x86_64-unknown-linux-gnu") -> None:
        """`triple` is what an empty program has; recorded graphs bring their own."""
        self._triple = triple
        self._lock = threading.Lock()
        self._files: dict[str, list[RecordedFile]] = {}
        self._all: list[RecordedFile] = []
        self._global: dict[str, Region] = {}
        self._local: dict[str, Region] = {}
        self._starts: list[int] = []
        self._blocks: list[tuple[int, bytes | int]] = []

    # -- what is recorded ----------------------------------------------------------------------

    def record(self, graph: LinkGraph) -> None:
        """A post-fix-up pass: keep a copy of what `graph` has become."""
        contents: dict[int, tuple[int, bytes | int]] = {}
        named: dict[int, set[str]] = {}
        exported: dict[str, Region] = {}
        local: dict[str, Region] = {}
        for section in graph.sections():
            for block in _placed(section):
                empty = _is_zeros(section, block)
                contents[block.number] = block.address, block.size if empty else block.content
        for symbol in graph.symbols():
            if not symbol.name or not (symbol.absolute or symbol.block is not None):
                continue
            target = symbol.block
            if target is None:
                region = Region(symbol.address, None, symbol.size)
            elif target.number in contents:
                region = _region(symbol, contents[target.number])
                named.setdefault(target.number, set()).add(symbol.name)
            else:
                continue
            (local if symbol.local else exported)[symbol.name] = region
        file = RecordedFile(graph.name)
        file.symbols = {**local, **exported}
        for section in graph.sections():
            self._record_section(file, section, named)
        with self._lock:
            self._triple = graph.triple or f"{graph.arch}-unknown-linux-gnu"
            for name in _names(graph.name):
                self._files.setdefault(name, []).append(file)
            self._all.append(file)
            self._global.update(exported)
            self._local.update(local)
            # An empty block could hide the one that follows at its address.
            self._blocks += [held for held in contents.values() if held[1]]
            self._starts.clear()

    def _record_section(
        self, file: RecordedFile, section: Section, named: dict[int, set[str]]
    ) -> None:
        for block in _placed(section):
            names = frozenset(named.get(block.number, ()))
            part = _Part(block.address, block.size, names)
            file.sections.setdefault(section.name, []).append(part)
            if section.name in _GOT_SECTIONS:
                _record_got(file, block)
            elif section.name in _STUB_SECTIONS:
                _record_stubs(file, section.name, block)

    def define(self, name: str, address: int, content: bytes | None = None) -> None:
        """Let a symbol that no graph defines have an address. Any thread."""
        with self._lock:
            self._global[name] = Region(address, content)

    def files(self) -> list[RecordedFile]:
        """Every file that was recorded, in that order. Any thread."""
        with self._lock:
            return list(self._all)

    # -- what is asked -------------------------------------------------------------------------

    @property
    def triple(self) -> str:
        """That of the graphs; see `CheckContext`."""
        return self._triple

    def is_symbol_valid(self, name: str) -> bool:
        """See `CheckContext`."""
        return name in self._global or name in self._local

    def symbol(self, name: str) -> Region:
        """See `CheckContext`."""
        region = self._global.get(name) or self._local.get(name)
        if region is None:
            raise LookupError(f"no known address for symbol '{name}'")
        return region

    def section(self, file: str, name: str, symbol: str | None = None) -> Region:
        """See `CheckContext`."""
        found = self._file(file)
        parts = found.sections.get(name)
        if not parts:
            raise LookupError(f"no section '{name}' in file '{file}'")
        if symbol is not None:
            parts = [part for part in parts if symbol in part.names]
            if not parts:
                raise LookupError(f"no section '{name}' with symbol '{symbol}' in file '{file}'")
        start = min(part.address for part in parts)
        return Region(start, None, max(part.address + part.size for part in parts) - start)

    def stub(self, container: str, symbol: str, section: str | None, kind: str) -> Region:
        """See `CheckContext`. A stub's kind is the name of its section; `section` is the caller's,
        which must exist, though stubs serve a whole file.
        """
        found = self._container(container, section)
        stubs = found.stubs.get(symbol, [])
        if not stubs:
            raise LookupError(f"no stub for '{symbol}' in file '{container}'")
        try:
            matching = [stub for stub in stubs if re.search(kind, stub.kind)]
        except re.error as error:
            raise LookupError(f"'{kind}' is no pattern for kinds of stubs: {error}") from error
        if len(matching) == 1:
            return matching[0].region
        kinds = ", ".join(sorted({stub.kind for stub in stubs}))
        raise LookupError(
            f"'{symbol}' has {len(stubs)} stubs in file '{container}', and {len(matching)} of them "
            f"match '{kind}' (there are: {kinds})"
        )

    def got_entry(self, container: str, symbol: str) -> Region:
        """See `CheckContext`."""
        found = self._container(container, None).got.get(symbol)
        if found is None:
            raise LookupError(f"no GOT entry for '{symbol}' in file '{container}'")
        return found

    def read(self, address: int, size: int) -> bytes:
        """See `CheckContext`. What is read must lie in one block."""
        with self._lock:
            if not self._starts:
                self._blocks.sort(key=lambda block: block[0])
                self._starts = [start for start, _ in self._blocks]
        index = bisect.bisect_right(self._starts, address) - 1
        if index >= 0:
            start, content = self._blocks[index]
            if isinstance(content, int):
                if address + size <= start + content:
                    return bytes(size)
            elif address + size <= start + len(content):
                return content[address - start : address - start + size]
        raise LookupError(f"no linked memory at {address:#x} to read {size} bytes from")

    def _file(self, name: str) -> RecordedFile:
        found = self._files.get(name, [])
        if len(found) > 1:
            raise LookupError(f"{len(found)} files are named '{name}'")
        if not found:
            known = ", ".join(sorted(self._files)) or "none"
            raise LookupError(f"no file '{name}' was linked (there are: {known})")
        return found[0]

    def _container(self, name: str, section: str | None) -> RecordedFile:
        """A file; or a file and a section in it, which has the file's slots."""
        if section is None and name not in self._files:
            name, _, section = name.partition("/")
        found = self._file(name)
        if section and section not in found.sections:
            raise LookupError(f"no section '{section}' in file '{name}'")
        return found


def _placed(section: Section) -> Iterator[Block]:
    """The blocks that have an address. Some have no bytes: a GOT that only marks a place."""
    if section.linked:
        yield from section.blocks()


def _is_zeros(section: Section, block: Block) -> bool:
    """Whether nobody has given it content: not the object, nor the linker by edges or otherwise."""
    own = section.name.startswith("$__")
    return block.zero_fill and not own and next(block.edges(), None) is None


def _names(file: str) -> list[str]:
    """`dir/lib.a(member.o)` -> that without the directory, and the member."""
    name = PurePath(file).name
    member = re.fullmatch(r".*\((.+)\)", file)
    return [name, PurePath(member.group(1)).name] if member else [name]


def _region(symbol: Symbol, block: tuple[int, bytes | int]) -> Region:
    _, content = block
    if isinstance(content, int):
        return Region(symbol.address, None, symbol.size or content - symbol.offset)
    end = symbol.offset + symbol.size if symbol.size else len(content)
    inside = content[symbol.offset : end]
    return Region(symbol.address, inside, len(inside))


def _leads_to(edge: Edge) -> str:
    """The name of what an entry is for: past the GOT, if its target is there."""
    target = edge.target
    block = target.block
    if block is not None and block.section.name in _GOT_SECTIONS:
        for inner in block.edges():
            if inner.offset == target.offset:
                return inner.target.name
    return target.name


def _record_got(file: RecordedFile, block: Block) -> None:
    content = block.content
    later: list[Edge] = []
    for edge in block.edges():
        if any(word in edge.kind for word in _THREAD_LOCAL):
            later.append(edge)  # the words for an address go first
        else:
            _record_word(file, block, edge, content)
    for edge in later:
        _record_word(file, block, edge, content)


def _record_word(file: RecordedFile, block: Block, edge: Edge, content: bytes) -> None:
    name = edge.target.name
    if name and name not in file.got:
        word = content[edge.offset : edge.offset + 8]
        file.got[name] = Region(block.address + edge.offset, word, len(word))


def _record_stubs(file: RecordedFile, kind: str, block: Block) -> None:
    """Entries are of one size and have one symbol each."""
    content = block.content
    first: dict[str, int] = {}
    for edge in block.edges():
        first.setdefault(_leads_to(edge), edge.offset)
    size = block.size // max(len(first), 1)
    for name, offset in first.items():
        start = offset - offset % max(size, 1)
        region = Region(block.address + start, content[start : start + size], size)
        file.stubs.setdefault(name, []).append(_Stub(kind, region))
