"""Closing a library's tracker while another thread closes the engine."""

from __future__ import annotations

import lazyjit.llvmlite_compat as llvm


def test_a_tracker_may_be_closed_while_its_engine_is() -> None:
    lljit = llvm.create_lljit_compiler()
    source = "define double @f(double %x) {\n  ret double %x\n}"
    tracker = llvm.JITLibraryBuilder().add_ir(source).export_symbol("f").link(lljit, "library")
    jit = tracker._shared.jit
    deinitialize = jit.deinitialize

    def closing_first(dylib: object) -> None:
        jit.close()
        deinitialize(dylib)

    jit.deinitialize = closing_first
    tracker.close()
    assert jit.closed
