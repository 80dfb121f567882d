"""Compressed sections of an object, made plain.

Compilers may compress debug information (SHF_COMPRESSED): a header with kind, size and alignment,
then a stream. Python has what decompresses it, so that the native reader needs no library; or has
not, of Zstandard before Python 3.14. Then such a section keeps its bytes as they are in the file,
header and all, as JITLink would show them, and has no edges, which would change other bytes.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from lazyjit._native import ffi, lib
from lazyjit.errors import ObjectFormatError

if TYPE_CHECKING:
    from lazyjit.link.editing import EditableGraph

__all__ = ["decompress"]

_HEADER = 24
_SHF_COMPRESSED = 0x800
_ZLIB, _ZSTD = 1, 2


def decompress(graph: EditableGraph) -> None:
    """Give every compressed block its plain content, as far as Python can. Raises ObjectFormatError
    for a broken stream.
    """
    native = graph._records()
    if not native.compressed:
        return
    for number in range(native.block_count):
        block = native.blocks[number]
        if not block.state & lib.LJ_BLOCK_COMPRESSED:
            continue
        section = native.sections[block.section]
        raw = bytes(ffi.buffer(ffi.cast("char *", block.content), section.size))
        kind = int.from_bytes(raw[:4], "little")
        name = ffi.string(native.strings + section.name).decode("utf-8", "replace")
        plain = _plain(kind, raw[_HEADER:], block.size, name, graph.file)
        if plain is None:
            for position in range(block.edge_count):
                graph._check(lib.lj_graph_remove_edge(native, number, position))
            plain = raw
        else:
            section.flags &= ~_SHF_COMPRESSED
        graph._check(lib.lj_graph_set_content(native, number, plain, len(plain)))


def _plain(kind: int, stream: bytes, size: int, name: str, file: str | None) -> bytes | None:
    """What was compressed; None without a module for it."""
    try:
        if kind == _ZLIB:
            # The size bounds what is taken: a stream may claim less than it has.
            plain = zlib.decompressobj().decompress(stream, size) if size else b""
        elif kind == _ZSTD:
            plain = _zstandard(stream, size)
        else:
            raise ObjectFormatError(f"section {name}: unknown compression {kind}", file=file)
    except ImportError:
        return None
    except (zlib.error, ValueError, EOFError) as error:
        raise ObjectFormatError(f"section {name}: {error}", file=file) from error
    if len(plain) != size:
        raise ObjectFormatError(
            f"section {name} decompresses to {len(plain)} bytes, not {size}", file=file
        )
    return plain


def _zstandard(stream: bytes, size: int) -> bytes:
    """With Python 3.14's module. Raises ImportError without, ValueError for a broken stream."""
    from importlib import import_module

    module = import_module("compression.zstd")
    try:
        plain: bytes = module.ZstdDecompressor().decompress(stream, size) if size else b""
    except module.ZstdError as error:
        raise ValueError(str(error)) from error
    return plain
