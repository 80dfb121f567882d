"""Names as IR writes them.

A name that is not made of letters, digits and `-$._` alone stands between quotation marks. There a
backslash is doubled, and any other byte that isn't printable ASCII is two hexadecimal digits behind
one: `@"caf\\C3\\A9"`. Whatever writes IR as text, or looks for a name in text that LLVM has
printed, needs the same spelling as LLVM.
"""

from __future__ import annotations

from lazyjit.symbols import encode_name

__all__ = ["escaped"]


def escaped(name: str) -> str:
    """`name`, or any text, as LLVM prints it between quotation marks. Any thread."""
    return "".join(map(_SPELLING.__getitem__, encode_name(name)))


def _spelling(byte: int) -> str:
    if byte == ord("\\"):
        return "\\\\"
    return chr(byte) if 32 <= byte < 127 and byte != ord('"') else f"\\{byte:02X}"


_SPELLING = tuple(map(_spelling, range(256)))
