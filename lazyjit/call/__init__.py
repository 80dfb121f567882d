"""Calling native code from Python."""

from lazyjit.call.function import NativeFunction

__all__ = ["NativeFunction"]
