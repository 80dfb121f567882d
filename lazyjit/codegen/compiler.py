"""Unit in, object bytes out.

A unit is IR text or bitcode: `bytes`, or the address and length of a native buffer, so that a
carved unit reaches LLVM without a copy. The object stays in LLVM's own buffer until it is closed:
the linker reads it there. One call into native code does all the work; the GIL is free meanwhile.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol

from lazyjit import _native, errors, tracing
from lazyjit.codegen.options import CompilerOptions
from lazyjit.llvmlib import print_module

__all__ = ["CompiledObject", "Compiler", "LLVMCompiler", "Unit", "print_module"]

#: IR: its bytes, or (address, length) of text that has a NUL at its end (or of bitcode).
Unit = bytes | tuple[int, int]

_OBJECT, _ASSEMBLY = 0, 1


class CompiledObject:
    """One object file in memory: `address` and `size`, until `close`.

    `parse_ns`, `optimize_ns`, `emit_ns` say where the time went; `warnings` is what LLVM said on
    the side, mostly empty. Not thread-safe: one owner at a time. Also a context manager.
    """

    __slots__ = ("_native", "address", "emit_ns", "optimize_ns", "parse_ns", "size", "warnings")

    def __init__(self, native: Any) -> None:
        self._native = native
        self.address = int(_native.ffi.cast("uintptr_t", native.data))
        self.size: int = native.size
        self.parse_ns: int = native.parse_ns
        self.optimize_ns: int = native.optimize_ns
        self.emit_ns: int = native.emit_ns
        self.warnings: str = ""
        if native.warnings:
            self.warnings = _native.ffi.string(native.warnings).decode("utf-8", "replace")

    @property
    def buffer(self) -> Any:
        """The bytes in place, as a read-only view that is valid until `close`."""
        return memoryview(_native.ffi.buffer(self._data(), self.size)).toreadonly()

    @property
    def bytes(self) -> bytes:
        """A copy of the object's bytes."""
        return bytes(_native.ffi.buffer(self._data(), self.size))

    def _data(self) -> Any:
        if self._native is None:
            raise errors.UsageError("the compiled object is closed")
        return self._native.data

    def close(self) -> None:
        """Free LLVM's buffer. Idempotent."""
        native, self._native = self._native, None
        if native is not None:
            self.address = self.size = 0
            _native.lib.lj_object_free(native)

    def __enter__(self) -> CompiledObject:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_native", None) is not None:
            self.close()

    def __repr__(self) -> str:
        state = "closed" if self._native is None else f"{self.size} bytes at {self.address:#x}"
        return f"<CompiledObject {state}>"


class Compiler(Protocol):
    """What turns a unit into an object. Called from several threads at once."""

    def compile(self, unit: Unit, name: str = ..., file: str | None = ...) -> CompiledObject:
        """Compile `unit`. Raises IRError or CompileError; `name` and `file` are for its words."""
        ...


class LLVMCompiler:
    """LLVM under one set of options. All methods may be called from any thread, at once."""

    def __init__(self, options: CompilerOptions | None = None) -> None:
        """Raises UsageError when LLVM has no such target, CPU or feature."""
        self.options = (options or CompilerOptions()).resolved()
        resolved = self.options
        ffi, lib = _native.ffi, _native.lib
        native = ffi.new("lj_llvm_options *")
        keep = []  # C strings live as long as their cffi owners
        for name in ("triple", "cpu", "features", "relocation_model", "code_model"):
            keep.append(ffi.new("char[]", getattr(resolved, name).encode()))
            setattr(native, name, keep[-1])
        for name in (
            "opt_level",
            "codegen_level",
            "loop_vectorize",
            "slp_vectorize",
            "loop_unroll",
        ):
            setattr(native, name, int(getattr(resolved, name)))
        native.verify = resolved.verify
        out, fault = ffi.new("lj_llvm_config **"), _native.new_fault()
        status = lib.lj_llvm_config_new(native, out, fault)
        if status:
            error = _native.error(status, fault)
            if isinstance(error, errors.CompileError):  # no such target, CPU or feature
                raise errors.UsageError(error.reason)
            raise error
        #: The `lj_llvm_config *`.
        self.native: Any = _native.owned(out[0], lib.lj_llvm_config_free)

    @property
    def data_layout(self) -> str:
        """The data layout of the code that this compiler makes."""
        layout: bytes = _native.ffi.string(_native.lib.lj_llvm_config_layout(self.native))
        return layout.decode()

    def compile(self, unit: Unit, name: str = "<unit>", file: str | None = None) -> CompiledObject:
        """One ELF object for one unit.

        Raises IRError (with the line in the unit's text) when LLVM rejects the IR, CompileError
        when it can't compile it.
        """
        compiled = self._compile(unit, name, file, _OBJECT)
        if tracing.sink is not None:
            tracing.emit(
                "codegen.object",
                unit=name,
                size=compiled.size,
                parse_ns=compiled.parse_ns,
                optimize_ns=compiled.optimize_ns,
                emit_ns=compiled.emit_ns,
            )
        return compiled

    def emit_assembly(self, unit: Unit, name: str = "<unit>", file: str | None = None) -> str:
        """The unit as assembly text. Raises as `compile` does."""
        with self._compile(unit, name, file, _ASSEMBLY) as compiled:
            return compiled.bytes.decode("utf-8", "replace")

    def _compile(self, unit: Unit, name: str, file: str | None, kind: int) -> CompiledObject:
        ffi, lib = _native.ffi, _native.lib
        if isinstance(unit, bytes):
            # bytes end in a NUL of their own
            text, length = ffi.from_buffer("char[]", unit), len(unit)
        else:
            text, length = ffi.cast("char *", unit[0]), unit[1]
        out, fault = ffi.new("lj_object *"), _native.new_fault()
        status = lib.lj_llvm_compile(self.native, text, length, kind, out, fault)
        if status:
            raise self.failure(status, fault, name, file)
        return CompiledObject(out)

    @staticmethod
    def failure(status: int, fault: Any, name: str, file: str | None) -> Exception:
        """The exception for what native code says of a unit. Any thread."""
        error = _native.error(status, fault, file=file)
        if isinstance(error, errors.CompileError):
            return errors.CompileError(error.reason, unit=name, file=file)
        return error
