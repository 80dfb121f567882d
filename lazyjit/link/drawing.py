"""A link graph to look at: as text, and as a drawing for Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazyjit.link.model import MemProt

if TYPE_CHECKING:
    from lazyjit.link.editing import EditableGraph
    from lazyjit.link.views import Block, Edge, Section, Symbol

__all__ = ["dump", "to_dot"]


def _prot(section: Section) -> str:
    pairs = ((MemProt.READ, "r"), (MemProt.WRITE, "w"), (MemProt.EXEC, "x"))
    return "".join(letter if section.prot & bit else "-" for bit, letter in pairs)


def _words(symbol: Symbol) -> str:
    """Linkage, scope and traits."""
    words = [symbol.linkage.name.lower(), symbol.scope.name.lower().replace("_", "-")]
    words += ["callable"] * symbol.callable + ["thread-local"] * symbol.thread_local
    words += ["live"] * symbol.live
    return ", ".join(words)


def _name(symbol: Symbol) -> str:
    """Its name; of an anonymous one, where it is."""
    if symbol.name:
        return symbol.name
    block = symbol.block
    if block is None:
        return f"<{symbol.address:#x}>"
    return f"<block {block.number}+{symbol.offset:#x}>"


def _plus(addend: int) -> str:
    return f" + {addend:#x}" if addend > 0 else f" - {-addend:#x}" if addend else ""


def _edge(edge: Edge) -> str:
    return f"{edge.offset:#06x} {edge.kind} -> {_name(edge.target)}{_plus(edge.addend)}"


def _block_lines(block: Block) -> list[str]:
    offset = f", offset {block.align_offset}" if block.align_offset else ""
    zero = ", zero-fill" if block.zero_fill else ""
    lines = [
        f"  block {block.number} at {block.address:#x}: {block.size} bytes, "
        f"align {block.align}{offset}{zero}"
    ]
    for symbol in sorted(block.symbols(), key=lambda symbol: (symbol.offset, symbol.number)):
        name = symbol.name or "<anonymous>"
        lines.append(
            f"    {symbol.offset:#06x} symbol {name}, {symbol.size} bytes ({_words(symbol)})"
        )
    lines += [f"    {_edge(edge)}" for edge in block.edges()]
    return lines


def dump(graph: EditableGraph) -> str:
    """Every section, block, symbol and edge, a line each."""
    lines = [f"graph {graph.name} ({graph.triple})"]
    for section in graph.sections():
        lifetime = section.lifetime.name.lower().replace("_", "-")
        lines.append(f"section {section.name} ({_prot(section)}, {lifetime})")
        for block in section.blocks():
            lines += _block_lines(block)
    for title, symbols in (
        ("absolute", graph.absolute_symbols()),
        ("external", graph.external_symbols()),
    ):
        rows = [
            f"  {symbol.name or '<anonymous>'} = {symbol.address:#x} ({_words(symbol)})"
            for symbol in symbols
        ]
        if rows:
            lines += [f"{title} symbols", *rows]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped.encode("utf-8", "backslashreplace").decode()}"'


def to_dot(graph: EditableGraph) -> str:
    """A cluster for each section, a box for each block with its symbols, an arrow for each pair of
    block and target, with how many edges it stands for.
    """
    lines = [f"digraph {_quoted(graph.name)} {{", "  rankdir=LR;", "  node [shape=box];"]
    arrows: dict[tuple[str, str], list[str]] = {}
    outside: dict[str, str] = {}
    for section in graph.sections():
        lines.append(f"  subgraph cluster_{section.number} {{")
        lines.append(f"    label={_quoted(f'{section.name} ({_prot(section)})')};")
        for block in section.blocks():
            names = sorted(symbol.name for symbol in block.symbols() if symbol.name)
            title = "\n".join([f"block {block.number}, {block.size} bytes", *names])
            lines.append(f"    b{block.number} [label={_quoted(title)}];")
            for edge in block.edges():
                target = edge.target
                place = target.block
                node = f"b{place.number}" if place is not None else f"s{target.number}"
                if place is None:
                    outside[node] = _name(target)
                arrows.setdefault((f"b{block.number}", node), []).append(edge.kind)
        lines.append("  }")
    for node, name in outside.items():
        lines.append(f"  {node} [shape=ellipse, label={_quoted(name)}];")
    for (source, node), kinds in arrows.items():
        label = kinds[0] if len(kinds) == 1 else f"{len(kinds)} edges"
        lines.append(f"  {source} -> {node} [label={_quoted(label)}];")
    return "\n".join([*lines, "}"]) + "\n"
