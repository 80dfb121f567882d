"""Bad input: a typed error that says what and where, and a session that goes on regardless."""

from __future__ import annotations

import ctypes
import random
import struct
import subprocess
import sys
from collections.abc import Callable

import llvmlite.binding as llvm
import pytest
from surviving import GOOD, assert_alive, root

from lazyjit import JIT
from lazyjit.errors import (
    ArchiveFormatError,
    CompileError,
    DuplicateDefinition,
    FailedToMaterialize,
    IRError,
    LazyJITError,
    ObjectFormatError,
    RelocationError,
    SymbolsNotFound,
)

INT = ctypes.c_int32

# Malformed files


def swallow(jit: JIT, data: bytes, function: str, *, add: Callable[..., object]) -> None:
    """Add `data` and use it; only errors of lazyjit's may come of it."""
    tracker = None
    try:
        tracker = add(data)
        jit.lookup(function)
    except LazyJITError:
        pass
    finally:
        if tracker is not None:
            jit.remove(tracker)


def test_a_truncated_object_is_a_format_error_wherever_it_ends(jit, compile_object):
    data = compile_object("int g; int f(void) { return g; }")
    for end in [*range(64), *range(64, len(data), 37)]:
        with pytest.raises(ObjectFormatError, match=r"short\.o"):
            jit.add_object(data[:end], name="short.o")
    assert_alive(jit)


def test_a_garbled_object_never_kills_the_process(jit, compile_object):
    data = compile_object("int g; extern int h(int); int f(void) { return h(g) + 1; }")
    chance = random.Random(22)
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 12)):
            broken[chance.randrange(16, len(broken))] = chance.randrange(256)
        swallow(jit, bytes(broken), "f", add=jit.add_object)
    assert_alive(jit)


def test_an_object_of_another_machine_is_named(jit, compile_object):
    data = bytearray(compile_object("int f(void) { return 1; }"))
    struct.pack_into("<H", data, 18, 40)
    with pytest.raises(ObjectFormatError, match=r"arm\.o.*machine 40"):
        jit.add(bytes(data), name="arm.o")
    assert_alive(jit)


def test_a_real_object_of_another_machine_is_refused(jit, clang, tmp_path):
    source, out = tmp_path / "arm.c", tmp_path / "arm.o"
    source.write_text("int f(void) { return 1; }")
    subprocess.run([clang, "--target=aarch64-linux-gnu", "-c", source, "-o", out], check=True)
    with pytest.raises(ObjectFormatError, match=r"arm\.o.*not run in this process"):
        jit.add(out)
    assert_alive(jit)


def test_truncated_and_garbled_bitcode_is_an_ir_error(jit):
    data = llvm.parse_assembly(GOOD.format("", 2)).as_bitcode()
    for end in range(4, len(data) - 4, 97):
        with pytest.raises(IRError, match=r"short\.bc"):
            jit.add(data[:end], name="short.bc")
    assert_alive(jit)


def test_garbled_bitcode_never_kills_the_process():
    # LLVM's bitcode reader may abort on it: what the door in front of it must prevent.
    program = """
import random, sys
import llvmlite.binding as llvm
from lazyjit import JIT, LazyJITError
good = "define i32 @f(i32 %x) {\\n  %r = mul i32 %x, 2\\n  ret i32 %r\\n}\\n"
data = llvm.parse_assembly(good).as_bitcode()
chance = random.Random(int(sys.argv[1]))
refused = 0
with JIT(compile_threads=1, opt_level=0) as jit:
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(8, len(broken))] = chance.randrange(256)
        try:
            jit.remove(jit.add(bytes(broken)))
        except LazyJITError:
            refused += 1
    jit.add(good)
    import ctypes
    assert jit.function("f", ctypes.c_int, ctypes.c_int)(21) == 42
print("alive after", refused)
"""
    done = subprocess.run([sys.executable, "-c", program, "7"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-800:]
    assert done.stdout.startswith("alive after")


def test_ir_for_another_machine_is_refused_and_named(jit):
    jit.add(
        'target triple = "aarch64-unknown-linux-gnu"\ndefine i32 @f() {\n  ret i32 1\n}\n',
        name="arm.ll",
    )
    with pytest.raises((FailedToMaterialize, CompileError), match="aarch64"):
        jit.function("f", INT)()
    assert_alive(jit)


def test_a_broken_archive_is_an_archive_error(jit, make_archive, compile_object):
    data = make_archive({"f.o": compile_object("int f(void) { return 1; }")}).read_bytes()
    for broken in (data[:20], data[:70], b"!<arch>\n" + b"x" * 60, data[:-40]):
        try:
            jit.add(broken, name="lib.a")
            jit.lookup("f")
        except (ArchiveFormatError, ObjectFormatError, SymbolsNotFound, FailedToMaterialize):
            pass
    with pytest.raises(ArchiveFormatError, match=r"lib\.a"):
        jit.add(b"!<arch>\n" + b"x" * 60, name="lib.a")
    assert_alive(jit)


# IR


DEEP = """; line 1
define i32 @good() {
  ret i32 1
}

define i32 @bad(i32 %x) {
  %a = add i32 %x, 1
  %b = add i32 %a, 2
  %c = add i64 %b, 3
  ret i32 %c
}

define i32 @better() {
  %r = call i32 @good()
  ret i32 %r
}
"""


@pytest.mark.parametrize("policy", ["function", "cluster", "module"])
def test_an_error_deep_in_one_body_has_its_line_and_leaves_the_others_alone(policy):
    with JIT(compile_threads=2, unit_policy=policy) as jit:
        jit.add(DEEP, name="deep.ll")
        bad = jit.function("bad", INT, INT)
        for _ in range(2):
            with pytest.raises(FailedToMaterialize) as caught:
                bad(1)
            error = root(caught.value)
            assert isinstance(error, IRError)
            assert (error.file, error.line) == ("deep.ll", 9)
            assert "%b" in error.reason
        assert jit.function("better", INT)() == 1
        assert jit.statistics().failures >= 1
        assert_alive(jit)


def test_a_bad_callee_does_not_spoil_its_caller_until_it_is_called(jit):
    jit.add(
        DEEP + "define i32 @maybe(i1 %go) {\n  br i1 %go, label %a, label %b\na:\n"
        "  %r = call i32 @bad(i32 1)\n  ret i32 %r\nb:\n  ret i32 7\n}\n",
        name="deep.ll",
    )
    maybe = jit.function("maybe", INT, ctypes.c_bool)
    assert maybe(False) == 7
    with pytest.raises(FailedToMaterialize) as caught:
        maybe(True)
    assert root(caught.value).line == 9
    assert maybe(False) == 7
    assert_alive(jit)


def test_a_verifier_error_names_the_function(jit):
    jit.add("define i32 @f() {\n  %p = alloca i32\n  ret i32 %q\n}\n", name="v.ll")
    with pytest.raises(FailedToMaterialize) as caught:
        jit.function("f", INT)()
    assert isinstance(root(caught.value), IRError)
    assert_alive(jit)


@pytest.mark.parametrize(
    "text",
    [
        "define i32 @f( {\n",
        "define i32 @f() {\n  ret i32 0\n",
        "@g = global i32 0\n@g = global i32 1\n",
        'define i32 @f() { ret i32 0 }\n@s = constant [3 x i8] c"ab\n',
        "definitely not ir\n",
    ],
)
def test_a_module_that_cannot_be_indexed_is_refused_when_it_is_added(jit, text):
    with pytest.raises(IRError) as caught:
        jit.add(text, name="x.ll")
    assert caught.value.file == "x.ll"
    assert caught.value.line is not None
    assert_alive(jit)


# Names that nobody has, or two have


def test_all_missing_symbols_are_named_at_once_with_who_needs_them(jit):
    jit.add(
        "declare i32 @missing_a()\ndeclare i32 @missing_b()\n@missing_c = external global i32\n"
        "define i32 @f() {\n  %a = call i32 @missing_a()\n  %b = call i32 @missing_b()\n"
        "  %c = load i32, ptr @missing_c\n  %s = add i32 %a, %b\n  %t = add i32 %s, %c\n"
        "  ret i32 %t\n}\n",
        name="needy.ll",
    )
    with pytest.raises(LazyJITError) as caught:
        jit.function("f", INT)()
    error = root(caught.value)
    assert isinstance(error, SymbolsNotFound)
    assert error.symbols == ["missing_a", "missing_b", "missing_c"]
    assert "needy.ll" in str(error.needed_by)
    assert_alive(jit)


def test_an_objects_missing_symbols_are_named_too(jit, compile_object):
    jit.add(
        compile_object("int miss_x(void), miss_y(void); int f(void) { return miss_x()+miss_y(); }"),
        name="needy.o",
    )
    with pytest.raises(LazyJITError) as caught:
        jit.lookup("f")
    error = root(caught.value)
    assert isinstance(error, SymbolsNotFound)
    assert error.symbols == ["miss_x", "miss_y"]
    assert "needy.o" in str(error.needed_by)
    assert_alive(jit)


def test_a_missing_weak_symbol_is_null(jit, compile_object):
    jit.add(
        "declare extern_weak i32 @maybe()\ndefine i1 @has() {\n"
        "  %r = icmp ne ptr @maybe, null\n  ret i1 %r\n}\n"
    )
    assert jit.function("has", ctypes.c_bool)() is False
    jit.add(
        compile_object(
            "extern int perhaps(void) __attribute__((weak)); int had(void) { return perhaps != 0; }"
        )
    )
    assert jit.function("had", INT)() == 0


ONE = "define i32 @same() {\n  ret i32 1\n}\n"
TWO = "define i32 @same() {\n  ret i32 2\n}\ndefine i32 @beside() {\n  ret i32 3\n}\n"
C_TWO = "int same(void) { return 2; } int beside(void) { return 3; }"


@pytest.mark.parametrize("first", ["module", "object"])
@pytest.mark.parametrize("second", ["module", "object"])
@pytest.mark.parametrize("looked_up", [False, True])
def test_a_second_definition_is_refused_and_the_first_stays(
    jit, compile_object, first, second, looked_up
):
    jit.add(ONE if first == "module" else compile_object("int same(void) { return 1; }"))
    if looked_up:
        jit.lookup("same")
    with pytest.raises(DuplicateDefinition) as caught:
        jit.add(TWO if second == "module" else compile_object(C_TWO))
    assert (caught.value.symbol, caught.value.dylib) == ("same", "main")
    assert jit.function("same", INT)() == 1
    with pytest.raises(SymbolsNotFound):
        jit.lookup("beside")  # nothing of the refused one is left
    assert_alive(jit)


def test_a_defined_address_is_a_definition_like_any_other(jit):
    jit.define("same", 4096)
    with pytest.raises(DuplicateDefinition):
        jit.define("same", 8192)
    with pytest.raises(DuplicateDefinition):
        jit.add(ONE)
    assert jit.lookup("same") == 4096
    assert_alive(jit)


def test_a_relocation_that_does_not_reach_is_a_typed_error(jit, compile_object):
    jit.define("far", 0x10, callable=False)
    jit.add(
        compile_object(
            ".globl f\nf: leaq far(%rip), %rax\nret\n.section .note.GNU-stack\n",
            language="assembler",
        ),
        name="near.o",
    )
    with pytest.raises(LazyJITError) as caught:
        jit.lookup("f")
    error = root(caught.value)
    assert isinstance(error, RelocationError)
    assert (error.kind, error.symbol, error.file) == ("R_X86_64_PC32", "far", "near.o")
    assert_alive(jit)


def test_absolute_32_bit_code_that_needs_a_far_address_is_a_typed_error(jit, compile_object):
    cell = ctypes.c_int(1)
    jit.define("cell", ctypes.addressof(cell), callable=False)
    jit.add(
        compile_object(
            ".globl f\nf: movl cell, %eax\nret\n.section .note.GNU-stack\n", language="assembler"
        ),
        name="low.o",
    )
    with pytest.raises(LazyJITError) as caught:
        jit.lookup("f")
    error = root(caught.value)
    assert isinstance(error, RelocationError)
    assert error.kind in ("R_X86_64_32S", "R_X86_64_32")
    assert error.symbol == "cell"
    assert_alive(jit)


# Initializers


def test_an_initializer_that_needs_a_missing_symbol_fails_initialization_only(jit):
    jit.add(
        "@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }]"
        " [{ i32, ptr, ptr } { i32 65535, ptr @init, ptr null }]\n"
        "declare void @missing_thing()\ndefine internal void @init() {\n"
        "  call void @missing_thing()\n  ret void\n}\ndefine i32 @fine() {\n  ret i32 5\n}\n"
    )
    with pytest.raises(LazyJITError) as caught:
        jit.initialize()
    assert root(caught.value).symbols == ["missing_thing"]
    assert jit.function("fine", INT)() == 5
    assert_alive(jit)


def test_an_objects_initializer_that_needs_a_missing_symbol_fails_initialization_only(
    jit, compile_object
):
    source = "void missing_it(void); __attribute__((constructor)) void init(void) { missing_it(); }"
    jit.add(compile_object(source))
    with pytest.raises(LazyJITError) as caught:
        jit.initialize()
    assert root(caught.value).symbols == ["missing_it"]
    assert_alive(jit)


def test_an_eager_session_tells_of_a_bad_body_at_the_lookup():
    with JIT(lazy=False, compile_threads=1) as jit:
        jit.add(DEEP, name="deep.ll")
        with pytest.raises(FailedToMaterialize) as caught:
            jit.lookup("bad")
        assert root(caught.value).line == 9
        assert jit.function("better", INT)() == 1
