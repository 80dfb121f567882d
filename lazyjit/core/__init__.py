"""The program model: what is defined, who looks it up, who makes it, and when it may be called.

A session holds dylibs; a dylib holds definitions. A lookup starts the units that make what it
wants, on a dispatcher, and is answered when all of it, and all that it depends on, is there. The
model knows neither IR nor object files: what makes symbols is any `MaterializationUnit`.

Read on in this order: `states` (the ladder that a symbol climbs), `entries` (how it is stored),
`search` and `query` (a lookup), `unit` and `responsibility` (a materialization), `progress` (the
steps), `dependence` (when the last of them is due), `session` and `errands` (the lock, and what
happens without it), `tracker` (removal); then `table`, `generators`, `aliases` and `lazy`.
"""

from lazyjit.core.aliases import (
    ReExports,
    ReExportsGenerator,
    SymbolAlias,
    reexports,
    simple_aliases,
    symbol_aliases,
)
from lazyjit.core.dylib import JITDylib
from lazyjit.core.generators import (
    CallableGenerator,
    DefinitionGenerator,
    ProcessSymbols,
    SharedLibrary,
)
from lazyjit.core.lazy import Body, LazyCallThroughManager, LazyReExports, lazy_reexports
from lazyjit.core.responsibility import MaterializationResponsibility
from lazyjit.core.session import ExecutionSession
from lazyjit.core.states import LookupFlags, LookupKind, SymbolState
from lazyjit.core.table import Found, SymbolTable
from lazyjit.core.tasks import Completion, Dispatcher, InPlaceDispatcher, TaskClass
from lazyjit.core.tracker import ResourceManager, ResourceTracker
from lazyjit.core.unit import AbsoluteSymbols, MaterializationUnit, absolute_symbols

__all__ = [
    "AbsoluteSymbols",
    "Body",
    "CallableGenerator",
    "Completion",
    "DefinitionGenerator",
    "Dispatcher",
    "ExecutionSession",
    "Found",
    "InPlaceDispatcher",
    "JITDylib",
    "LazyCallThroughManager",
    "LazyReExports",
    "LookupFlags",
    "LookupKind",
    "MaterializationResponsibility",
    "MaterializationUnit",
    "ProcessSymbols",
    "ReExports",
    "ReExportsGenerator",
    "ResourceManager",
    "ResourceTracker",
    "SharedLibrary",
    "SymbolAlias",
    "SymbolState",
    "SymbolTable",
    "TaskClass",
    "absolute_symbols",
    "lazy_reexports",
    "reexports",
    "simple_aliases",
    "symbol_aliases",
]
