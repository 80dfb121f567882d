"""The face: a program in any form goes in, addresses and callables come out."""

from __future__ import annotations

import ctypes
import gc
import threading
import unittest.mock
from pathlib import Path

import llvmlite.binding as llvm
import llvmlite.ir as ir
import pytest
from adding import INT, PROGRAM, TWICE

from lazyjit import JIT, UnitPolicy
from lazyjit.errors import (
    ArchiveFormatError,
    DuplicateDylib,
    DylibNotFound,
    FailedToMaterialize,
    InputError,
    LibraryNotFound,
    ObjectFormatError,
    SymbolsNotFound,
    UsageError,
)


def bitcode() -> bytes:
    return llvm.parse_assembly(TWICE).as_bitcode()


def built() -> ir.Module:
    module = ir.Module(name="built")
    function = ir.Function(module, ir.FunctionType(ir.IntType(32), [ir.IntType(32)]), "twice")
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(builder.add(function.args[0], function.args[0]))
    return module


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


# What can be added


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda folder: TWICE, id="text"),
        pytest.param(lambda folder: TWICE.encode(), id="bytes"),
        pytest.param(lambda folder: bytearray(TWICE.encode()), id="bytearray"),
        pytest.param(lambda folder: TWICE.replace("\n", " "), id="text on one line"),
        pytest.param(lambda folder: written(folder, "a.ll", TWICE.encode()), id="path of text"),
        pytest.param(lambda folder: str(written(folder, "a", TWICE.encode())), id="str path"),
        pytest.param(lambda folder: bitcode(), id="bitcode"),
        pytest.param(lambda folder: written(folder, "a.bc", bitcode()), id="path of bitcode"),
        pytest.param(lambda folder: built(), id="llvmlite.ir.Module"),
        pytest.param(lambda folder: llvm.parse_assembly(TWICE), id="ModuleRef"),
    ],
)
def test_ir_is_taken_in_every_form(jit, tmp_path, make):
    jit.add(make(tmp_path))
    assert jit.function("twice", INT, INT)(21) == 42


@pytest.mark.parametrize("add", ["add", "add_module", "add_object", "add_archive"])
def test_what_cannot_be_read_is_an_oserror_that_names_it(jit, tmp_path, add):
    for source in ("", "nowhere", tmp_path / "nowhere"):
        with pytest.raises(FileNotFoundError, match=f"'{source}'"):
            getattr(jit, add)(source)
    with pytest.raises(IsADirectoryError):
        getattr(jit, add)(tmp_path)


def test_an_empty_file_is_a_module_but_neither_object_nor_archive(jit, tmp_path):
    (tmp_path / "empty").touch()
    jit.add(tmp_path / "empty")
    jit.add_module(tmp_path / "empty")
    with pytest.raises(ObjectFormatError):
        jit.add_object(tmp_path / "empty")
    with pytest.raises(ArchiveFormatError, match="empty: not an archive"):
        jit.add_archive(tmp_path / "empty")


def test_an_empty_path_names_no_library(jit):
    with pytest.raises(LibraryNotFound, match="empty"):
        jit.load_library("")


def test_an_archive_is_a_path_or_bytes(jit):
    with pytest.raises(UsageError):
        jit.add_archive(3)


@pytest.mark.parametrize("by_path", [False, True])
def test_an_object_is_told_by_its_content(jit, tmp_path, compile_object, by_path):
    data = compile_object("int twice(int x) { return 2 * x; }")
    jit.add(written(tmp_path, "object-without-suffix", data) if by_path else bytearray(data))
    assert jit.function("twice", INT, INT)(21) == 42


@pytest.mark.parametrize("by_path", [False, True])
def test_an_archive_is_told_by_its_content(jit, compile_object, make_archive, by_path):
    path = make_archive({"twice.o": compile_object("int twice(int x) { return 2 * x; }")})
    jit.add(path if by_path else path.read_bytes())
    assert jit.function("twice", INT, INT)(21) == 42


def test_what_is_nothing_of_all_that_is_refused_by_name(jit, tmp_path):
    for nonsense in (b"\x89PNG\r\n\x1a\n", written(tmp_path, "some.png", b"\x89PNG\r\n\x1a\n")):
        with pytest.raises(InputError):
            jit.add(nonsense)
    with pytest.raises(InputError, match=r"some\.png"):
        jit.add(tmp_path / "some.png")
    with pytest.raises(UsageError):
        jit.add(42)
    with pytest.raises(UsageError):
        jit.add_object(built())
    with pytest.raises(FileNotFoundError):
        jit.add(tmp_path / "missing.ll")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"lazy_compile_failure": "handler"}, UsageError),
        ({"lazy_compile_failure": -1}, UsageError),
        ({"compile_threads": 0}, UsageError),
        ({"compile_threads": "2"}, TypeError),
    ],
)
def test_a_jit_that_can_not_be_made_leaves_nothing_behind(options, error):
    before, reports = threading.enumerate(), []
    with pytest.raises(error), unittest.mock.patch("threading.excepthook", reports.append):
        JIT(**options)
    gc.collect()
    left = [each for each in threading.enumerate() if each not in before]
    assert (left, reports) == ([], [])


def test_a_name_for_messages_can_be_given(jit):
    with pytest.raises(InputError, match=r"hello\.ll"):
        jit.add("define i32 @f( {\n", name="hello.ll")


# Laziness


def test_nothing_is_compiled_until_it_is_called(jit):
    jit.add(PROGRAM)
    before = jit.statistics()
    assert (before.modules, before.functions_known, before.functions_compiled) == (1, 3, 0)
    add_twice = jit.function("add_twice", INT, INT)
    assert jit.statistics().functions_compiled == 0
    assert add_twice(3) == 6
    after = jit.statistics()
    assert after.functions_compiled == 2  # not `never`
    assert after.first_calls >= 1
    assert after.units >= 1
    assert after.failures == 0
    assert after.object_bytes > 0
    assert after.seconds["emit"] > 0
    assert after.arena["text_used"] > 0
    assert add_twice(3) == 12
    assert jit.statistics().functions_compiled == 2


@pytest.mark.parametrize("policy", [*UnitPolicy, "function"])
def test_every_unit_policy_runs_the_same_program(policy):
    units = []
    with JIT(opt_level=0, unit_policy=policy, compile_threads=1, on_unit=units.append) as jit:
        jit.add(PROGRAM)
        assert jit.function("add_twice", INT, INT)(3) == 6
        compiled = jit.statistics().functions_compiled
    assert compiled == (3 if policy == "module" else 2)
    sizes = sorted(len(unit.functions) for unit in units if unit.functions)
    assert sizes == {"module": [3], "cluster": [2], "function": [1, 1]}[UnitPolicy(policy).value]


def test_an_eager_session_compiles_a_module_when_a_symbol_is_looked_up():
    with JIT(lazy=False, compile_threads=2) as jit:
        jit.add(PROGRAM)
        jit.add(TWICE)
        assert jit.statistics().functions_compiled == 0
        jit.lookup("add")
        assert jit.statistics().functions_compiled == 3
        assert jit.function("add_twice", INT, INT)(3) == 6


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_every_level_runs_the_same_program(level):
    with JIT(opt_level=level, codegen_level=level, compile_threads=1) as jit:
        jit.add(PROGRAM)
        assert jit.function("add_twice", INT, INT)(3) == 6


def test_options_out_of_range_are_usage_errors():
    for options in (
        {"opt_level": 4},
        {"opt_level": -1},
        {"codegen_level": 7},
        {"unit_policy": "clump"},
        {"compile_threads": 0},
        {"relocation_model": "sideways"},
        {"code_model": "gigantic"},
        {"arena_size": -1},
        {"arena_size": 1},
        {"arena_size": 2 << 30},
    ):
        with pytest.raises(UsageError):
            JIT(**options)


def test_compile_makes_the_named_functions_now(jit):
    jit.add(PROGRAM)
    jit.compile(["never"])
    assert jit.statistics().functions_compiled == 1
    jit.compile()
    assert jit.statistics().functions_compiled == 3
    assert jit.function("add_twice", INT, INT)(3) == 6
    assert jit.statistics().first_calls == 0
    with pytest.raises(SymbolsNotFound) as caught:
        jit.compile(["never", "nowhere", "nobody"])
    assert any("nowhere" in name for name in caught.value.symbols)


def test_on_unit_sees_each_unit_before_it_is_compiled():
    seen = []
    with JIT(on_unit=seen.append, unit_policy="function", compile_threads=1, opt_level=0) as jit:
        jit.add(PROGRAM, name="program.ll")
        jit.function("add", INT, INT)(1)
    code = next(unit for unit in seen if unit.functions)
    assert code.functions == ["add"]
    assert (code.module, code.dylib) == ("program.ll", "main")
    assert b"i32 @add$body(i32 %x)" in code.text
    data = next(unit for unit in seen if unit.data)
    assert data.data == ["total"]
    assert len({unit.name for unit in seen}) == len(seen)


# Asking


def test_a_function_has_one_address_before_and_after_it_is_compiled(jit):
    jit.add(PROGRAM)
    jit.add(
        "declare i32 @add(i32)\n@table = global ptr @add\n"
        "define ptr @address() {\n  ret ptr @add\n}\n"
    )
    before = jit.lookup("add")
    assert jit.function("address", ctypes.c_void_p)() == before
    table = ctypes.c_void_p.from_address(jit.lookup("table"))
    assert table.value == before
    assert jit.function("add", INT, INT)(5) == 5
    assert jit.lookup("add") == before == jit.function("address", ctypes.c_void_p)()
    assert ctypes.CFUNCTYPE(INT, INT)(before)(5) == 10


def test_data_is_at_its_address(jit):
    jit.add(PROGRAM)
    total = INT.from_address(jit.lookup("total"))
    total.value = 40
    assert jit.function("add", INT, INT)(2) == 42
    assert total.value == 42


def test_an_unknown_symbol_is_not_found(jit):
    for ask in (jit.lookup, jit.function):
        with pytest.raises(SymbolsNotFound) as caught:
            ask("nowhere")
        assert caught.value.symbols == ["nowhere"]


def test_a_defined_address_is_called_by_its_name(jit):
    calls = []
    callback = ctypes.CFUNCTYPE(INT, INT)(lambda x: calls.append(x) or x + 1)
    jit.define("host", ctypes.cast(callback, ctypes.c_void_p).value)
    jit.add(
        "declare i32 @host(i32)\ndefine i32 @go(i32 %x) {\n"
        "  %r = call i32 @host(i32 %x)\n  ret i32 %r\n}\n"
    )
    assert jit.function("go", INT, INT)(41) == 42
    assert calls == [41]
    cell = INT(7)
    jit.define("cell", ctypes.addressof(cell), callable=False)
    jit.add(
        "@cell = external global i32\ndefine i32 @read() {\n"
        "  %r = load i32, ptr @cell\n  ret i32 %r\n}\n"
    )
    assert jit.function("read", INT)() == 7


def test_the_process_lends_its_symbols_unless_told_not_to(jit):
    source = (
        "declare i32 @abs(i32)\ndefine i32 @go(i32 %x) {\n"
        "  %r = call i32 @abs(i32 %x)\n  ret i32 %r\n}\n"
    )
    jit.add(source)
    assert jit.function("go", INT, INT)(-5) == 5
    with JIT(process_symbols=False, compile_threads=1) as alone:
        # `abs` is one of the names that LLVM knows; this one isn't.
        alone.add(source.replace("@abs", "@getppid"))
        with pytest.raises(SymbolsNotFound):
            alone.lookup("getppid")


def test_a_library_is_loaded_by_name(jit):
    jit.load_library("libm.so.6")
    jit.add(
        "declare double @nextafter(double, double)\ndefine double @go(double %x) {\n"
        "  %r = call double @nextafter(double %x, double %x)\n  ret double %r\n}\n"
    )
    assert jit.function("go", ctypes.c_double, ctypes.c_double)(1.5) == 1.5
    with pytest.raises(LibraryNotFound):
        jit.load_library("libnowhere.so.9")


# Dylibs


def test_dylibs_link_each_other_and_hide_what_is_hidden(jit):
    library = jit.create_dylib("library")
    jit.add(
        "define i32 @opened() {\n  %r = call i32 @secret()\n  ret i32 %r\n}\n"
        "define hidden i32 @secret() {\n  ret i32 42\n}\n",
        dylib=library,
    )
    jit.add(
        "declare i32 @opened()\ndefine i32 @go() {\n  %r = call i32 @opened()\n  ret i32 %r\n}\n"
    )
    jit.add(
        "declare i32 @secret()\ndefine i32 @pry() {\n  %r = call i32 @secret()\n  ret i32 %r\n}\n"
    )
    with pytest.raises(SymbolsNotFound):
        jit.lookup("opened")
    jit.main.add_to_link_order(library)
    assert jit.function("go", INT)() == 42
    assert jit.lookup("opened") == jit.lookup("opened", dylib=library)
    with pytest.raises(SymbolsNotFound):
        jit.lookup("secret")
    with pytest.raises(FailedToMaterialize, match="symbols not found: secret"):
        jit.function("pry", INT)()
    assert jit.function("secret", INT, dylib=library)() == 42


def test_the_same_name_is_another_symbol_in_another_dylib(jit):
    other = jit.create_dylib("other")
    jit.add(TWICE)
    jit.add(TWICE.replace("add i32", "mul i32"), dylib=other)
    assert jit.function("twice", INT, INT)(5) == 10
    assert jit.function("twice", INT, INT, dylib=other)(5) == 25
    assert jit.dylib("other") is other
    with pytest.raises(DylibNotFound):
        jit.dylib("nowhere")
    with pytest.raises(DuplicateDylib):
        jit.create_dylib("other")


def test_dylibs_may_link_each_other_in_a_circle(jit):
    one, two = jit.create_dylib("one"), jit.create_dylib("two")
    one.add_to_link_order(two)
    two.add_to_link_order(one)
    half = (
        "declare i32 @{0}(i32)\ndefine i32 @{1}(i32 %n) {{\n  %end = icmp eq i32 %n, 0\n"
        "  br i1 %end, label %a, label %b\na:\n  ret i32 {2}\nb:\n  %m = sub i32 %n, 1\n"
        "  %r = call i32 @{0}(i32 %m)\n  ret i32 %r\n}}\n"
    )
    jit.add(half.format("odd", "even", 1), dylib=one)
    jit.add(half.format("even", "odd", 0), dylib=two)
    assert jit.function("even", INT, INT, dylib=one)(10) == 1
    assert jit.function("even", INT, INT, dylib=one)(7) == 0


def test_a_lazy_reexport_starts_nothing_until_it_is_called(jit):
    library = jit.create_dylib("library")
    jit.add(TWICE, dylib=library)
    jit.reexport_lazily({"double": "twice"}, library)
    double = jit.function("double", INT, INT)
    assert jit.statistics().functions_compiled == 0
    assert double(4) == 8
    assert jit.lookup("double") == jit.lookup("double")
