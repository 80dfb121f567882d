"""One unit of IR in, one object out: what comes out, on how many threads, and what it leaves."""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path

import pytest
from waiting import eventually

from lazyjit import _native, errors, tracing
from lazyjit.codegen import CompilerOptions, LLVMCompiler, print_module

ADD = b"define i32 @add(i32 %a, i32 %b) {\n  %s = add i32 %a, %b\n  ret i32 %s\n}\n"
SUM = b"""
define i64 @sum(ptr %p, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %s = phi i64 [ 0, %entry ], [ %t, %loop ]
  %q = getelementptr i64, ptr %p, i64 %i
  %v = load i64, ptr %q
  %t = add i64 %s, %v
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret i64 %t
}
"""


@pytest.fixture(scope="module", params=[0, 1, 2, 3])
def compiler(request):
    return LLVMCompiler(CompilerOptions(opt_level=request.param))


def test_an_object_comes_out(compiler):
    with compiler.compile(ADD) as compiled:
        assert compiled.bytes[:4] == b"\x7fELF"
        assert len(compiled.bytes) == compiled.size
        assert b"add\0" in compiled.bytes
        assert compiled.warnings == ""


def test_the_bytes_can_be_read_in_place(compiler):
    with compiler.compile(ADD) as compiled:
        assert ctypes.string_at(compiled.address, compiled.size) == compiled.bytes
        assert compiled.buffer == compiled.bytes
        assert compiled.buffer.readonly


def test_a_closed_object_says_so(compiler):
    compiled = compiler.compile(ADD)
    compiled.close()
    compiled.close()
    assert (compiled.address, compiled.size) == (0, 0)
    with pytest.raises(errors.UsageError):
        _ = compiled.bytes


def test_each_stage_is_timed(compiler):
    with compiler.compile(ADD) as compiled:
        assert compiled.parse_ns > 0
        assert compiled.emit_ns > 0
        assert (compiled.optimize_ns > 0) == (compiler.options.opt_level > 0)


def test_a_unit_may_be_an_address_and_a_length(compiler):
    text = ctypes.create_string_buffer(ADD)
    with (
        compiler.compile((ctypes.addressof(text), len(ADD))) as there,
        compiler.compile(ADD) as here,
    ):
        assert there.bytes == here.bytes


def test_an_empty_unit_is_an_empty_object(compiler):
    with compiler.compile(b"") as compiled:
        assert compiled.bytes[:4] == b"\x7fELF"


def test_the_same_unit_gives_the_same_bytes(compiler):
    with compiler.compile(SUM) as first, compiler.compile(SUM) as second:
        assert first.bytes == second.bytes


def test_bitcode_is_a_unit_too(compiler):
    import llvmlite.binding as llvm

    bitcode = llvm.parse_assembly(ADD.decode()).as_bitcode()
    with compiler.compile(bitcode) as compiled:
        assert b"add\0" in compiled.bytes


def test_assembly_can_be_had(compiler):
    text = compiler.emit_assembly(ADD)
    assert "add:" in text
    assert "retq" in text


def test_the_level_decides_whether_loops_are_vectorized():
    wide = LLVMCompiler(CompilerOptions(opt_level=2, cpu="x86-64-v3")).emit_assembly(SUM)
    flat = LLVMCompiler(CompilerOptions(opt_level=1, cpu="x86-64-v3")).emit_assembly(SUM)
    told = CompilerOptions(opt_level=2, cpu="x86-64-v3", loop_vectorize=False)
    assert "vpaddq" in wide
    assert "vpaddq" not in flat
    assert "vpaddq" not in LLVMCompiler(told).emit_assembly(SUM)


def test_the_cpu_decides_which_instructions_there_are():
    unit = b"define i64 @f(i64 %x) {\n  %n = call i64 @llvm.ctpop.i64(i64 %x)\n  ret i64 %n\n}\n"
    old = LLVMCompiler(CompilerOptions(cpu="x86-64"))
    new = LLVMCompiler(CompilerOptions(cpu="x86-64-v3"))
    told = LLVMCompiler(CompilerOptions(cpu="x86-64", features="+popcnt"))
    assert "popcnt" not in old.emit_assembly(unit)
    assert "popcnt" in new.emit_assembly(unit)
    assert "popcnt" in told.emit_assembly(unit)


def test_relocation_and_code_model_decide_how_data_is_reached():
    # On ELF, LLVM lets only `dso_local` symbols be reached without the GOT, in every model.
    unit = b"@x = external dso_local global i32\ndefine ptr @f() {\n  ret ptr @x\n}\n"

    def code(**options):
        return LLVMCompiler(CompilerOptions(opt_level=1, **options)).emit_assembly(unit)

    assert "leaq\tx(%rip)" in code()
    assert "movl\t$x" in code(relocation_model="static")
    assert "movabsq\t$x" in code(relocation_model="static", code_model="large")
    assert "movabsq\t$x@GOTOFF" in code(code_model="large")


def test_always_inline_holds_without_a_pipeline_of_its_own():
    unit = (
        b"define i32 @g() alwaysinline {\n  ret i32 3\n}\n"
        b"define i32 @f() {\n  %x = call i32 @g()\n  ret i32 %x\n}\n"
    )
    with LLVMCompiler(CompilerOptions(opt_level=0)).compile(unit) as compiled:
        assert compiled.optimize_ns > 0
    text = LLVMCompiler(CompilerOptions(opt_level=0)).emit_assembly(unit)
    assert "call" not in text


def test_coroutines_are_split_at_level_0():
    unit = b"""
define ptr @f() presplitcoroutine {
  %id = call token @llvm.coro.id(i32 0, ptr null, ptr null, ptr null)
  %size = call i64 @llvm.coro.size.i64()
  %memory = call ptr @malloc(i64 %size)
  %handle = call ptr @llvm.coro.begin(token %id, ptr %memory)
  ret ptr %handle
}
declare token @llvm.coro.id(i32, ptr, ptr, ptr)
declare ptr @llvm.coro.begin(token, ptr)
declare i64 @llvm.coro.size.i64()
declare ptr @malloc(i64)
"""
    with LLVMCompiler(CompilerOptions(opt_level=0)).compile(unit) as compiled:
        assert b"llvm.coro" not in compiled.bytes


def test_the_modules_own_layout_gives_way_to_the_targets():
    compiler = LLVMCompiler(CompilerOptions(opt_level=1))
    assert "i128:128" in compiler.data_layout
    unit = b'target datalayout = "e-i64:32"\n' + ADD
    with compiler.compile(unit) as compiled:
        assert compiled.size


def test_many_threads_compile_at_once_and_agree():
    compiler = LLVMCompiler(CompilerOptions(opt_level=2))
    with compiler.compile(SUM) as alone:
        expected = alone.bytes
    results, start = [], threading.Barrier(8)

    def work():
        start.wait()
        for _ in range(5):
            with compiler.compile(SUM) as compiled:
                results.append(compiled.bytes)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 40


def are_few_and_go_with_their_thread(compilers):
    """What a thread's machines are, if no other thread makes some meanwhile: the whole process's
    are counted."""
    before = _native.lib.lj_llvm_machines()
    during: list[int] = []
    tasks: list[Path] = []

    def work():
        for compiler in compilers:
            compiler.compile(ADD).close()
        during.append(_native.lib.lj_llvm_machines())
        tasks.append(Path(f"/proc/self/task/{threading.get_native_id()}"))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    while tasks[0].exists():  # Python's join comes before the system's
        os.sched_yield()
    return during[0] <= before + 4 and _native.lib.lj_llvm_machines() <= before


def test_a_threads_machines_go_with_it_and_are_bounded():
    compilers = [LLVMCompiler(CompilerOptions(opt_level=1)) for _ in range(9)]
    # Another test's session may be closing still.
    assert eventually(lambda: are_few_and_go_with_their_thread(compilers))


def test_each_object_is_traced():
    events = []
    before = tracing.listen(lambda event, data: events.append((event, data)))
    try:
        LLVMCompiler(CompilerOptions(opt_level=0)).compile(ADD, name="unit-7").close()
    finally:
        tracing.listen(before)
    [(event, data)] = events
    assert event == "codegen.object"
    assert data["unit"] == "unit-7"
    assert data["size"] > 0


def test_bitcode_becomes_text():
    import llvmlite.binding as llvm

    module = llvm.parse_assembly(ADD.decode())
    text = print_module(module.as_bitcode(), file="add.bc").decode()
    assert text.partition("define")[2] == str(module).partition("define")[2]


def test_printing_leaves_the_locale_alone_on_many_threads():
    import locale

    import llvmlite.binding as llvm

    bitcode = llvm.parse_assembly(ADD.decode()).as_bitcode()
    before = locale.setlocale(locale.LC_ALL, None)
    seen = []

    def work():
        for _ in range(20):
            seen.append(print_module(bitcode))
            seen.append(locale.setlocale(locale.LC_ALL, None))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {print_module(bitcode), before}


@pytest.mark.parametrize("garbage", [b"", b"BC\xc0\xde", b"BC\xc0\xde1234", b"\xde\xc0\x17\x0b"])
def test_bitcode_that_is_none_is_an_ir_error(garbage):
    if not garbage:
        assert print_module(garbage).startswith(b"; ModuleID")
        return
    with pytest.raises(errors.IRError) as caught:
        print_module(garbage, file="a.bc")
    assert caught.value.file == "a.bc"
