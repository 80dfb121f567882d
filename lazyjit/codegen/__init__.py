"""Code generation: one unit of LLVM IR in, the bytes of one object out.

`LLVMCompiler` does it on libllvmlite, in parallel and without the GIL. `Compiler` is all that the
layers above ask for, so that another one (a cache, a worker process) can take its place.
"""

from lazyjit.codegen.compiler import CompiledObject, Compiler, LLVMCompiler, Unit, print_module
from lazyjit.codegen.options import CompilerOptions, host_cpu, host_features, host_triple
from lazyjit.llvmlib import bind_native

__all__ = [
    "CompiledObject",
    "Compiler",
    "CompilerOptions",
    "LLVMCompiler",
    "Unit",
    "host_cpu",
    "host_features",
    "host_triple",
    "print_module",
]

# An LLVM that lazyjit does not know fails the import, not the first compilation.
bind_native()
