"""What llvmlite's objects have in common: closing, once and for all.

An object is closed by `close`, by leaving its `with` block, or by its last reference going (soon
after, by another thread). A closed one refuses to be used, with the exceptions that llvmlite's
objects raise.
"""

from __future__ import annotations

import ctypes
from typing import TypeVar

from lazyjit.finalizing import soon

__all__ = ["Closing"]

Self = TypeVar("Self", bound="Closing")


class Closing:
    """Base of the engines. A subclass says in `_dispose` what closing does; that runs once."""

    _closed = True  # until there is something to close

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def close(self) -> None:
        """Close it; later calls do nothing."""
        # In one step, for two threads may come at once: it is the class's `_closed` that is left.
        if not self.__dict__.pop("_closed", True):
            self._dispose()

    def _dispose(self) -> None:
        raise TypeError(f"{type(self).__name__} doesn't say how it is closed")

    def _check(self) -> None:
        """Raise ctypes.ArgumentError, as llvmlite does, when it was closed."""
        if self._closed:
            raise ctypes.ArgumentError(f"this {type(self).__name__} was closed")

    def __enter__(self: Self) -> Self:
        if self._closed:
            raise RuntimeError(f"{type(self)} instance already closed")
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._closed:
            soon(self.close)
