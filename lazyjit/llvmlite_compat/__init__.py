"""llvmlite's binding layer with lazyjit's engines in it: an existing program changes one import.

    import lazyjit.llvmlite_compat as llvm      # was: import llvmlite.binding as llvm

Everything of `llvmlite.binding` is here under its own name. What is lazyjit's: the engines that
`create_mcjit_compiler` and `create_lljit_compiler` make, `JITLibraryBuilder` and the trackers that
its `link` gives, and `Target` and `ObjectFileRef`, which remember what an engine later has to know.

What an existing program notices: modules are added without being compiled; a function is compiled
when its address is asked for, and what it calls when it is called; several threads can do this at
once. With an object cache, modules are compiled whole, since that is what such a cache holds.

A few names that llvmlite has dropped are here too (`legacy`), since programs still use them.
"""

from llvmlite.binding import *  # noqa: F403  # that is the point: all of its names
from llvmlite.binding import ffi, orcjit, targets  # noqa: F401  # llvmlite has them too

from lazyjit.llvmlite_compat.legacy import (
    PassManagerBuilder,
    create_module_pass_manager,
    create_pass_manager_builder,
    initialize,
)
from lazyjit.llvmlite_compat.libraries import (
    LLJIT,
    JITLibraryBuilder,
    ResourceTracker,
    create_lljit_compiler,
)
from lazyjit.llvmlite_compat.mcjit import ExecutionEngine, create_mcjit_compiler
from lazyjit.llvmlite_compat.remembering import ObjectFileRef, Target, TargetMachine

__all__ = [
    "LLJIT",
    "ExecutionEngine",
    "JITLibraryBuilder",
    "ObjectFileRef",
    "PassManagerBuilder",
    "ResourceTracker",
    "Target",
    "TargetMachine",
    "create_lljit_compiler",
    "create_mcjit_compiler",
    "create_module_pass_manager",
    "create_pass_manager_builder",
    "initialize",
]
