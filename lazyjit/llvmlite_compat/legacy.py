"""What llvmlite has dropped and programs still call: `initialize`, and the pass manager builder.

LLVM initializes itself today, and its old pass managers are gone. Programs from before (SymPy's
`llvm_callable`, Kaleidoscope tutorials) call `initialize()`, and ask a builder for the passes of a
level; here the one does nothing and the other runs LLVM's present default pipeline of that level.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm

from lazyjit.errors import UsageError

__all__ = [
    "ModulePassManager",
    "PassManagerBuilder",
    "create_module_pass_manager",
    "create_pass_manager_builder",
    "initialize",
]


def initialize() -> None:
    """Does nothing: LLVM is ready."""


class PassManagerBuilder:
    """The settings of a pipeline. Not for several threads."""

    def __init__(self) -> None:
        """Level 2, as LLVM's builder began."""
        #: 0 to 3.
        self.opt_level = 2
        #: Taken, and without effect: llvmlite's pipelines have no size levels.
        self.size_level = 0
        self.loop_vectorize = False
        self.slp_vectorize = False
        self.disable_unroll_loops = False
        #: LLVM's measure of how large a callee may be; None: the level's.
        self.inlining_threshold: int | None = None

    def populate(self, pm: ModulePassManager) -> None:
        """Have `pm` run the pipeline of these settings."""
        options = llvm.create_pipeline_tuning_options(self.opt_level)
        options.loop_vectorization = self.loop_vectorize
        options.slp_vectorization = self.slp_vectorize
        options.loop_unrolling = not self.disable_unroll_loops
        if self.inlining_threshold is not None:
            options.inlining_threshold = self.inlining_threshold
        pm._options = options


class ModulePassManager:
    """Runs what a builder has put into it. Not for several threads."""

    _options: Any = None

    def run(self, module: Any) -> bool:
        """Optimize `module` in place; whether its text changed.

        Raises UsageError when no builder has populated this.
        """
        if self._options is None:
            raise UsageError("no PassManagerBuilder has populated this pass manager")
        before = str(module)
        machine = llvm.Target.from_default_triple().create_target_machine()
        with machine, llvm.create_pass_builder(machine, self._options) as builder:
            passes = builder.getModulePassManager()
            passes.run(module, builder)
        return str(module) != before


def create_pass_manager_builder() -> PassManagerBuilder:
    """A builder at level 2."""
    return PassManagerBuilder()


def create_module_pass_manager() -> ModulePassManager:
    """An empty pass manager."""
    return ModulePassManager()
