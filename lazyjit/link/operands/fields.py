"""Bits of an instruction word, as manuals number them."""

from __future__ import annotations

__all__ = ["field", "signed"]


def field(word: int, high: int, low: int) -> int:
    """The bits from `high` down to `low`, both included."""
    return word >> low & ((1 << (high - low + 1)) - 1)


def signed(value: int, bits: int) -> int:
    """A number of so many bits in two's complement."""
    return value - (1 << bits) if value >> (bits - 1) else value
