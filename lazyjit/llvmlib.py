"""The door to LLVM: the shared library that llvmlite carries, spoken to directly.

llvmlite's own Python layer takes one global lock around each call, so that two threads never
compile at once. The library below it has no such need when each unit has a context of its own and
each thread a target machine of its own. So lazyjit takes the addresses of the library's C
functions, for its native code to call without lock and GIL (native/llvm.h).

Such a binding holds for one LLVM only: `bind` checks that each function is there and that the LLVM
is the one that lazyjit was written for. Importing `lazyjit.codegen` binds, at the cost of loading
the library (5 ms). `llvmlite.binding` is not imported, which would cost five times that; a program
may use it beside lazyjit, on the same library.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import threading
from typing import TYPE_CHECKING, NamedTuple

from lazyjit import _native, errors

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "ENTRIES",
    "LLVM_VERSION",
    "HostCPU",
    "addresses",
    "bind",
    "bind_native",
    "host",
    "library_path",
    "print_module",
    "version",
]

#: The LLVM whose functions and behaviour lazyjit is bound to.
LLVM_VERSION = (22, 1)

#: What to install when it isn't there.
REQUIREMENT = "llvmlite==0.50.*"

#: What native code calls, as LLVMPY_<name>: the fields of lj_llvm_entries in native/llvm.h.
ENTRIES = (
    "ContextCreate",
    "ContextDispose",
    "ParseAssembly",
    "ParseBitcode",
    "VerifyModule",
    "DisposeModule",
    "PrintModuleToString",
    "DisposeString",
    "GetDataLayout",
    "SetDataLayout",
    "GetTarget",
    "SetTarget",
    "GetTripleParts",
    "GetTargetFromTriple",
    "CreateTargetMachine",
    "DisposeTargetMachine",
    "CreateTargetMachineData",
    "CopyStringRepOfTargetData",
    "DisposeTargetData",
    "TargetMachineEmitToMemory",
    "GetBufferStart",
    "GetBufferSize",
    "DisposeMemoryBuffer",
    "CreatePipelineTuningOptions",
    "DisposePipelineTuningOptions",
    "PTOSetLoopInterleaving",
    "PTOSetLoopVectorization",
    "PTOSetSLPVectorization",
    "PTOSetLoopUnrolling",
    "CreatePassBuilder",
    "DisposePassBuilder",
    "buildPerModuleDefaultPipeline",
    "RunNewModulePassManager",
    "DisposeNewModulePassManger",
)

#: What is called from here.
_SET_UP = ("InitializeNativeTarget", "InitializeNativeAsmPrinter", "InitializeNativeAsmParser")
_ASKED = ("GetVersionInfo", "GetHostCPUName", "GetHostCPUFeatures", "GetProcessTriple")

_lock = threading.Lock()
_library: ctypes.CDLL | None = None
_host: HostCPU | None = None


class HostCPU(NamedTuple):
    """This machine, in LLVM's words."""

    triple: str
    cpu: str
    features: str


def library_path() -> Path:
    """Where llvmlite's shared library is. Any thread.

    Raises IncompatibleLLVM when there is none.
    """
    from pathlib import Path  # three milliseconds, for those who ask

    return Path(_file())


def _file() -> str:
    try:
        spec = importlib.util.find_spec("llvmlite.binding")
    except ImportError:
        spec = None
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = f"{folder}/libllvmlite.so"
        if os.path.exists(path):  # noqa: PTH110
            return path
    raise _incompatible("llvmlite is not installed, or has no libllvmlite.so")


def bind() -> ctypes.CDLL:
    """Load, check and initialize LLVM, once. Any thread.

    Raises IncompatibleLLVM, which says what to install.
    """
    global _library
    with _lock:
        if _library is None:
            library = _load(_file())
            for name in _SET_UP:
                getattr(library, f"LLVMPY_{name}")()
            _library = library
        return _library


def addresses() -> dict[str, int]:
    """The address of each of ENTRIES. Binds. Any thread."""
    library = bind()
    found = {}
    for name in ENTRIES:
        address = ctypes.cast(getattr(library, f"LLVMPY_{name}"), ctypes.c_void_p).value
        assert address is not None  # _load has found it
        found[name] = address
    return found


def _incompatible(finding: str) -> errors.IncompatibleLLVM:
    return errors.IncompatibleLLVM(f"{finding}; install it with: pip install '{REQUIREMENT}'")


def _load(path: str) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise _incompatible(f"{path} can't be loaded ({error})") from error
    bound = [f"LLVMPY_{name}" for name in (*_SET_UP, *_ASKED, *ENTRIES)]
    missing = [name for name in bound if not hasattr(library, name)]
    if missing:
        raise _incompatible(f"{path} lacks {', '.join(missing)}")
    found = _version(library)
    if found[:2] != LLVM_VERSION:
        wanted = ".".join(map(str, LLVM_VERSION))
        raise _incompatible(f"{path} has LLVM {'.'.join(map(str, found))}, not {wanted}")
    return library


def _version(library: ctypes.CDLL) -> tuple[int, int, int]:
    word = int(library.LLVMPY_GetVersionInfo())
    return word >> 16, word >> 8 & 0xFF, word & 0xFF


def version() -> tuple[int, int, int]:
    """The bound LLVM's version. Binds. Any thread."""
    return _version(bind())


def _string(library: ctypes.CDLL, name: str) -> str:
    out = ctypes.c_void_p()
    getattr(library, f"LLVMPY_{name}")(ctypes.byref(out))
    if not out.value:
        return ""
    text = ctypes.string_at(out.value).decode()
    library.LLVMPY_DisposeString(out)
    return text


def host() -> HostCPU:
    """This machine's triple, CPU and features. Binds. Any thread."""
    global _host
    if _host is None:
        library = bind()
        _host = HostCPU(
            _string(library, "GetProcessTriple"),
            _string(library, "GetHostCPUName"),
            _string(library, "GetHostCPUFeatures"),
        )
    return _host


def bind_native() -> None:
    """Hand the entry points to native code; later calls change nothing.

    Any thread. Raises IncompatibleLLVM.
    """
    entries = _native.ffi.new("lj_llvm_entries *")
    for name, address in addresses().items():
        setattr(entries, name, _native.ffi.cast("void *", address))
    fault = _native.new_fault()
    _native.check(_native.lib.lj_llvm_bind(entries, fault), fault, file=_file())


def print_module(module: bytes, file: str | None = None) -> bytes:
    """The text of a bitcode (or textual) module, as LLVM prints it. Any thread; needs no GIL.

    Raises IRError when LLVM can't read it.
    """
    bind_native()
    ffi, lib = _native.ffi, _native.lib
    out, length, fault = ffi.new("char **"), ffi.new("size_t *"), _native.new_fault()
    status = lib.lj_llvm_print(ffi.from_buffer("char[]", module), len(module), out, length, fault)
    _native.check(status, fault, file=file)
    try:
        return bytes(ffi.buffer(out[0], length[0]))
    finally:
        lib.lj_llvm_text_free(out[0])
