"""Stubs: one address per function, before and after it is compiled."""

from lazyjit.stubs.pool import StubPool, StubStatistics

__all__ = ["StubPool", "StubStatistics"]
