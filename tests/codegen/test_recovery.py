"""Bad units fail with LLVM's words and leave the process, and the thread's next unit, alone.

Each of these units makes LLVM return an error, print one and call exit, call abort, fail an
assertion, crash, run out of stack, or run in circles. They are compiled in this process.
"""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import threading

import pytest

from lazyjit import _native, errors
from lazyjit.codegen import CompilerOptions, LLVMCompiler, print_module

GOOD = b"define i32 @good() {\n  ret i32 7\n}\n"


@pytest.fixture(scope="module", params=[0, 2])
def compiler(request):
    return LLVMCompiler(CompilerOptions(opt_level=request.param))


@pytest.fixture(autouse=True)
def the_next_unit_compiles(compiler):
    yield
    compiler.compile(GOOD).close()


REJECTED = {
    "syntax": (b"define i32 @f() {\n  %x = add i32 1 2\n  ret i32 %x\n}\n", 2, "expected ','"),
    "undefined value": (b"define i32 @f() {\nret i32 0\n}\ndefine i32 @g() {\nret i32 %x\n}\n", 5,
                        "use of undefined value '%x'"),
    "redefinition": (GOOD + GOOD, 4, "redefinition of function 'good'"),
    "not IR": (b"hello\n", 1, "expected top-level entity"),
    "unknown type": (b"@x = global %t zeroinitializer\n", 1, "invalid type"),
    "NUL byte": (b"define\0", None, "NUL byte"),
    "verifier": (b"define i32 @f(i32 %x) {\n  musttail call void @g()\n  ret i32 0\n}\n"
                 b"declare void @g()\n", None, "musttail"),
    "swifterror": (b"define void @f(ptr swifterror %e) {\n  %x = ptrtoint ptr %e to i64\n"
                   b"  ret void\n}\n", None, "swifterror"),
}  # fmt: skip


@pytest.mark.parametrize("case", REJECTED)
def test_ir_that_llvm_rejects_is_an_ir_error_with_its_line(compiler, case):
    unit, line, words = REJECTED[case]
    with pytest.raises(errors.IRError) as caught:
        compiler.compile(unit, name="unit", file="unit.ll")
    assert (caught.value.file, caught.value.line) == ("unit.ll", line)
    assert words.lower() in caught.value.reason.lower()


def with_asm(text: str, constraints: str = "") -> bytes:
    return f'define void @f() {{\n  call void asm sideeffect "{text}", "{constraints}"()\n  ret void\n}}\n'.encode()  # noqa: E501 a unit on one line


REFUSED = {
    "mnemonic": (with_asm("bogus %eax"), "invalid instruction mnemonic 'bogus'"),
    "operand": (with_asm("movq %nope, %rax"), "invalid register name"),
    "clobber": (with_asm("nop", "~{rax},={nope}"), None),
    "constraint": (
        b'define i32 @f() {\n  %a = call i32 asm "nop", "={nope}"()\n  ret i32 %a\n}\n',
        "couldn't allocate output register",
    ),
    "module asm": (b'module asm "bogus instruction"\n', "invalid instruction mnemonic"),
    "asm in a section": (b'module asm ".section x"\nmodule asm ".quad -"\n', "unknown token"),
    "returns without SSE": (
        b'define double @f() "target-features"="-sse,-sse2" {\n  ret double 1.0\n}\n',
        "SSE register return with SSE disabled",
    ),
    "garbage collector": (b'define void @f() gc "none such" {\n  ret void\n}\n', "unsupported GC"),
    "register": (
        b"define i64 @f() {\n  %x = call i64 @llvm.read_register.i64(metadata !0)\n"
        b'  ret i64 %x\n}\n!0 = !{!"none"}\n',
        "invalid register",
    ),
    "scalable vectors": (
        b"define <vscale x 4 x i32> @f(<vscale x 4 x i32> %x) {\n"
        b"  %y = add <vscale x 4 x i32> %x, %x\n  ret <vscale x 4 x i32> %y\n}\n",
        "scalable",
    ),
    "another target's intrinsic": (
        b"define void @f() {\n  call void @llvm.aarch64.isb(i32 1)\n  ret void\n}\n"
        b"declare void @llvm.aarch64.isb(i32)\n",
        "Cannot select",
    ),
    "varargs by ghccc": (
        b"define ghccc i64 @f(i64 %a, ...) {\n  ret i64 %a\n}\n",
        "Var args not supported",
    ),
    "matrix": (
        b"define <4 x float> @f(<4 x float> %a) {\n  %b = call <4 x float> "
        b"@llvm.matrix.transpose.v4f32(<4 x float> %a, i32 2, i32 2)\n  ret <4 x float> %b\n}\n"
        b"declare <4 x float> @llvm.matrix.transpose.v4f32(<4 x float>, i32, i32)\n",
        "Cannot select",
    ),
    "another architecture": (
        b'target triple = "aarch64-unknown-linux-gnu"\n' + GOOD,
        "the module is for aarch64-unknown-linux-gnu",
    ),
    "constant expression": (
        b"@x = global i64 xor (i64 ptrtoint (ptr @x to i64), i64 ptrtoint (ptr @x to i64))\n",
        "unsupported expression in static initializer",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_llvm_gives_up_on_is_a_compile_error(compiler, case, capfd):
    unit, words = REFUSED[case]
    with pytest.raises((errors.CompileError, errors.IRError)) as caught:
        compiler.compile(unit, name="unit-3", file="unit.ll")
    if words is not None:
        assert type(caught.value) is errors.CompileError
        assert caught.value.unit == "unit-3"
        assert words in caught.value.reason
    assert capfd.readouterr() == ("", "")


DEBUG = b"""
!llvm.dbg.cu = !{!0}
!llvm.module.flags = !{!2}
!0 = distinct !DICompileUnit(language: DW_LANG_C99, file: !1, emissionKind: FullDebug)
!1 = !DIFile(filename: "a.c", directory: "/")
!2 = !{i32 2, !"Debug Info Version", i32 3}
"""


BROKEN = b"define i32 @f(i32 %x) {\n  %y = add i32 %z, 1\n  %z = add i32 %x, 2\n  ret i32 %y\n}\n"


def test_a_broken_body_behind_debug_info_is_an_ir_error(compiler):
    with pytest.raises(errors.IRError, match="does not dominate all uses"):
        compiler.compile(BROKEN + DEBUG)


def test_warnings_are_kept_and_not_printed(compiler, capfd):
    with compiler.compile(GOOD + DEBUG.replace(b"i32 3}", b"i32 1}")) as compiled:
        assert "invalid version (1)" in compiled.warnings
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "unit",
    [
        b"@x = external global " + b"[1 x " * 100_000 + b"i8" + b"]" * 100_000 + b"\n",
        b"@x = global i64 "
        + b"sub (i64 0, i64 " * 100_000
        + b"ptrtoint (ptr @x to i64)"
        + b")" * 100_000
        + b"\n",
    ],
    ids=["types", "constants"],
)
def test_nesting_that_exhausts_the_stack_is_an_ir_error(compiler, unit):
    results = []

    def work():
        try:
            compiler.compile(unit)
        except errors.LazyJITError as error:
            results.append(error)

    threading.stack_size(1 << 20)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(0)
    assert type(results[0]) is errors.IRError
    assert "the stack" in results[0].reason


def test_garbled_text_and_bitcode_never_end_the_process(compiler):
    import llvmlite.binding as llvm

    text = b"\n".join([GOOD, REFUSED["another target's intrinsic"][0], DEBUG])
    sources = [text, llvm.parse_assembly(text.decode()).as_bitcode()]
    generator = random.Random(22)
    for round_number in range(300):
        garbled = bytearray(sources[round_number % 2])
        for _ in range(generator.choice([1, 2, 8])):
            garbled[generator.randrange(len(garbled))] = generator.randrange(256)
        if generator.random() < 0.2:
            del garbled[generator.randrange(len(garbled)) :]
        with contextlib.suppress(errors.IRError, errors.CompileError):
            compiler.compile(bytes(garbled)).close()


def test_bitcode_that_sends_llvm_in_circles_is_an_ir_error():
    import llvmlite.binding as llvm

    text = """
@x = global ptr @y
@y = global ptr @x
@z = global i64 ptrtoint (ptr @x to i64)
@w = global {ptr, i64} { ptr @x, i64 sub (i64 ptrtoint (ptr @x to i64), i64 ptrtoint (ptr @y to i64)) }
@g = global ptr getelementptr (i8, ptr @w, i64 8)
"""  # noqa: E501 a constant on one line
    bitcode = bytearray(llvm.parse_assembly(text.lstrip()).as_bitcode())
    bitcode[327] ^= 1 << 3  # a constant that is its own operand: found by flipping every bit
    with pytest.raises(errors.IRError, match="did not come to an end"):
        print_module(bytes(bitcode))


def test_many_threads_may_fail_at_once(compiler):
    kinds = []

    def work():
        for case in ("mnemonic", "garbage collector", "scalable vectors"):
            try:
                compiler.compile(REFUSED[case][0])
            except errors.CompileError:
                kinds.append(case)
            compiler.compile(GOOD).close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kinds) == 12


def test_each_recovery_is_counted(compiler):
    before = _native.lib.lj_llvm_recoveries()
    with pytest.raises(errors.CompileError):
        compiler.compile(REFUSED["mnemonic"][0])
    assert _native.lib.lj_llvm_recoveries() == before + 1


#: By the fault's signal, or as AddressSanitizer answers it.
KILLED = (-signal.SIGSEGV, -signal.SIGABRT)


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_a_crash_outside_of_llvm_ends_the_process_as_before():
    program = (
        "import resource, ctypes, lazyjit.codegen as c;"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0));"
        "c.LLVMCompiler().compile(b'').close();"
        "ctypes.string_at(8)"
    )
    assert run(program).returncode in KILLED


def test_a_handler_that_was_there_before_still_gets_its_faults():
    program = (
        "import faulthandler, ctypes, resource; faulthandler.enable();"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0));"
        "import lazyjit.codegen as c; c.LLVMCompiler().compile(b'').close();"
        "ctypes.string_at(8)"
    )
    result = run(program)
    assert result.returncode in KILLED
    assert "Fatal Python error: Segmentation fault" in result.stderr


def test_exit_outside_of_a_compilation_still_exits():
    # llvmlite prints broken debug info's complaint and aborts when nobody protects it.
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0));"
        "import lazyjit.codegen, llvmlite.binding as llvm;"
        f"llvm.parse_assembly({(BROKEN + DEBUG).decode()!r})"
    )
    result = run(program)
    assert result.returncode in (1, -6)
    assert "Broken module found" in result.stderr


def test_printing_a_module_that_llvm_gives_up_on_is_an_ir_error():
    with pytest.raises(errors.IRError):
        print_module(b"@x = global i64 " + b"sub (i64 0, i64 " * 200_000)
