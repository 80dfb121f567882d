"""Hands LLVM's entry points to native code, once, before anything is compiled.

The two doors to C meet here: `lazyjit.llvmlib` knows where LLVM's functions are, `lazyjit._native`
leads to the code that calls them.
"""

from __future__ import annotations

from lazyjit import _native, llvmlib

__all__ = ["bind_native"]


def bind_native() -> None:
    """Bind; later calls change nothing. Any thread. Raises IncompatibleLLVM."""
    entries = _native.ffi.new("lj_llvm_entries *")
    for name, address in llvmlib.addresses().items():
        setattr(entries, name, _native.ffi.cast("void *", address))
    fault = _native.new_fault()
    status = _native.lib.lj_llvm_bind(entries, fault)
    _native.check(status, fault, file=str(llvmlib.library_path()))
