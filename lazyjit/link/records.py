"""A link graph's records as NumPy arrays, without a copy.

For passes that work on all rows at once. An array holds the memory that the rows were in when it
was made: what is added to the graph later may move them, and then it shows the old rows. Rows of
what was removed stay (blocks with the state bit 1, edges with `gone`, symbols at place -4, sections
that aren't `linked`), as do rows that no block's run of edges covers any more: go by
`first_edge` and `edge_count`. Blocks' bytes are not among the fields: see `Block.content`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lazyjit._native import ffi, held

__all__ = ["Records", "records"]


def _dtype(name: str) -> np.dtype[Any]:
    """The NumPy twin of a C structure, made from what the compiler says of it."""
    kind = ffi.typeof(name)
    names, formats, offsets = [], [], []
    for field, info in kind.fields:
        if (name, field) == ("lj_link_block", "content"):
            continue  # a raw pointer, which may dangle: `Block.content` looks first
        code = "i" if info.type.cname.startswith("int") else "u"
        names.append(field)
        formats.append(f"<{code}{ffi.sizeof(info.type)}")
        offsets.append(info.offset)
    return np.dtype(
        {"names": names, "formats": formats, "offsets": offsets, "itemsize": ffi.sizeof(kind)}
    )


SECTION = _dtype("lj_link_section")
BLOCK = _dtype("lj_link_block")
SYMBOL = _dtype("lj_link_symbol")
EDGE = _dtype("lj_link_edge")


class Records(NamedTuple):
    """The graph as arrays, one row per record; the rows' numbers refer to each other."""

    sections: npt.NDArray[Any]
    blocks: npt.NDArray[Any]
    symbols: npt.NDArray[Any]
    edges: npt.NDArray[Any]


def _array(native: Any, pointer: Any, count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    if not count:
        return np.empty(0, dtype)
    return np.frombuffer(held(pointer, count * dtype.itemsize, native), dtype)


def records(native: Any) -> Records:
    """The four arrays over native memory, writable, without a copy."""
    return Records(
        _array(native, native.sections, native.section_count, SECTION),
        _array(native, native.blocks, native.block_count, BLOCK),
        _array(native, native.symbols, native.symbol_count, SYMBOL),
        _array(native, native.edges, native.edge_count, EDGE),
    )
