"""lazyjit: a concurrent, lazy-compilation runtime for LLVM IR, driven from Python.

`JIT` is everything put together. The rooms below it, for those who build their own: `lazyjit.core`
(sessions, dylibs, lookups), `lazyjit.layers`, `lazyjit.stubs`, `lazyjit.codegen`, `lazyjit.link`,
`lazyjit.ir`; `lazyjit.errors` has the tree of what they raise.

Names are loaded when they are first used: `lazyjit --help` needs neither LLVM nor NumPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lazyjit.call.typed import FunctionState, TypedFunction
    from lazyjit.core import JITDylib, ResourceTracker
    from lazyjit.errors import LazyJITError
    from lazyjit.jit import JIT
    from lazyjit.layers.handle import JITFunction
    from lazyjit.layers.statistics import Statistics
    from lazyjit.layers.unit_policy import UnitInfo, UnitPolicy
    from lazyjit.plugin import Plugin

__all__ = [
    "JIT",
    "FunctionState",
    "JITDylib",
    "JITFunction",
    "LazyJITError",
    "Plugin",
    "ResourceTracker",
    "Statistics",
    "TypedFunction",
    "UnitInfo",
    "UnitPolicy",
    "__version__",
]

__version__ = "0.1.0"

_HOMES = {
    "FunctionState": "lazyjit.call.typed",
    "JIT": "lazyjit.jit",
    "JITDylib": "lazyjit.core",
    "JITFunction": "lazyjit.layers.handle",
    "LazyJITError": "lazyjit.errors",
    "Plugin": "lazyjit.plugin",
    "ResourceTracker": "lazyjit.core",
    "Statistics": "lazyjit.layers.statistics",
    "TypedFunction": "lazyjit.call.typed",
    "UnitInfo": "lazyjit.layers.unit_policy",
    "UnitPolicy": "lazyjit.layers.unit_policy",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'lazyjit' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
