"""llvmlite's engines, by llvmlite's names, arguments and errors, over lazyjit.

Beside these, llvmlite's own tests of its engines are run against the module by hand:
docs/llvmlite.md has the count.
"""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llvmlite.binding
import pytest
from waiting import eventually

import lazyjit.llvmlite_compat as llvm
from lazyjit.errors import UsageError

BINARY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int)

ADD = "define i32 @add(i32 %a, i32 %b) { %r = add i32 %a, %b\n ret i32 %r }"
MUL = "define i32 @mul(i32 %a, i32 %b) { %r = mul i32 %a, %b\n ret i32 %r }"
CALLS_ADD = """
declare i32 @add(i32, i32)
define i32 @twice(i32 %a, i32 %b) { %s = call i32 @add(i32 %a, i32 %b)
  %r = call i32 @add(i32 %s, i32 %s)
  ret i32 %r }
"""
WITH_CONSTRUCTOR = """
@seen = external global i32
@llvm.global_ctors = appending global [1 x {i32, ptr, ptr}] [{i32, ptr, ptr} {i32 65535, ptr @up, ptr null}]
@llvm.global_dtors = appending global [1 x {i32, ptr, ptr}] [{i32, ptr, ptr} {i32 65535, ptr @down, ptr null}]
define internal void @up() { store i32 10, ptr @seen
  ret void }
define internal void @down() { store i32 20, ptr @seen
  ret void }
define i32 @get() { %v = load i32, ptr @seen
  ret i32 %v }
"""  # noqa: E501  # IR takes a line for an initializer


def machine(**options: Any) -> Any:
    return llvm.Target.from_default_triple().create_target_machine(**options)


def parse(text: str) -> Any:
    return llvm.parse_assembly(text)


@pytest.fixture
def engine() -> Iterator[Any]:
    with llvm.create_mcjit_compiler(parse(ADD), machine()) as made:
        yield made


def call(engine: Any, name: str, *arguments: int) -> int:
    result: int = BINARY(engine.get_function_address(name))(*arguments)
    return result


def test_every_name_of_llvmlites_is_here() -> None:
    public = {name for name in dir(llvmlite.binding) if not name.startswith("_")}
    modules = {name for name in public if hasattr(getattr(llvmlite.binding, name), "__path__")}
    missing = {
        name
        for name in public - modules
        if not hasattr(llvm, name)
        and getattr(llvmlite.binding, name).__class__.__name__ != "module"
    }
    assert not missing


def test_a_modules_function_runs(engine: Any) -> None:
    engine.finalize_object()
    assert call(engine, "add", 2, -5) == -3


def test_a_name_that_nothing_has_is_0(engine: Any) -> None:
    assert engine.get_function_address("nothing") == 0
    assert engine.get_global_value_address("nothing") == 0


def test_modules_call_each_other_however_they_came(engine: Any) -> None:
    engine.add_module(parse(CALLS_ADD))
    assert call(engine, "twice", 2, 3) == 10


def test_a_module_is_added_once_and_removed_once(engine: Any) -> None:
    module = parse(MUL)
    engine.add_module(module)
    with pytest.raises(KeyError):
        engine.add_module(module)
    assert call(engine, "mul", 4, 5) == 20
    engine.remove_module(module)
    assert engine.get_function_address("mul") == 0
    with pytest.raises(KeyError):
        engine.remove_module(module)
    assert "mul" in str(module)  # the program's own again
    engine.add_module(module)
    assert call(engine, "mul", 4, 5) == 20


def test_a_module_outlives_the_programs_own_reference() -> None:
    module = parse(ADD)
    engine = llvm.create_mcjit_compiler(module, machine())
    module.close()
    assert call(engine, "add", 1, 2) == 3
    engine.close()


def test_a_closed_engine_closes_its_modules_and_refuses() -> None:
    module = parse(ADD)
    engine = llvm.create_mcjit_compiler(module, machine())
    engine.close()
    engine.close()
    assert engine.closed and module.closed
    with pytest.raises(ctypes.ArgumentError):
        engine.finalize_object()
    with pytest.raises(RuntimeError, match="already closed"), engine:
        pass


def test_a_second_definition_is_an_error_and_the_first_goes_on(engine: Any) -> None:
    assert call(engine, "add", 1, 2) == 3
    engine.add_module(parse(ADD))
    with pytest.raises(RuntimeError, match="add"):
        engine.finalize_object()


def test_a_function_that_needs_what_nothing_has_raises(engine: Any) -> None:
    engine.add_module(
        parse(
            "declare i32 @no_such_thing()\n"
            "define i32 @f() { %r = call i32 @no_such_thing()\n ret i32 %r }"
        )
    )
    with pytest.raises(RuntimeError, match="no_such_thing"):
        engine.get_function_address("f")
    assert call(engine, "add", 1, 2) == 3


def test_a_mapping_gives_a_declaration_an_address() -> None:
    value = ctypes.c_int32(7)
    module = parse(
        "@where = external global i32\ndefine i32 @get() { %v = load i32, ptr @where\n ret i32 %v }"
    )
    with llvm.create_mcjit_compiler(module, machine()) as engine:
        engine.add_global_mapping(module.get_global_variable("where"), ctypes.addressof(value))
        get = ctypes.CFUNCTYPE(ctypes.c_int)(engine.get_function_address("get"))
        value.value = 9
        assert get() == 9
        assert engine.get_global_value_address("where") == ctypes.addressof(value)


def test_symbols_told_to_llvm_are_found() -> None:
    value = ctypes.c_int32(41)
    llvm.add_symbol("lazyjit_compat_test_symbol", ctypes.addressof(value))
    text = (
        "@lazyjit_compat_test_symbol = external global i32\n"
        "define i32 @get() { %v = load i32, ptr @lazyjit_compat_test_symbol\n ret i32 %v }"
    )
    with llvm.create_mcjit_compiler(parse(text), machine()) as engine:
        assert ctypes.CFUNCTYPE(ctypes.c_int)(engine.get_function_address("get"))() == 41


def test_constructors_and_destructors_run_when_told() -> None:
    value = ctypes.c_int32(0)
    module = parse(WITH_CONSTRUCTOR)
    with llvm.create_mcjit_compiler(module, machine()) as engine:
        engine.add_global_mapping(module.get_global_variable("seen"), ctypes.addressof(value))
        engine.finalize_object()
        assert value.value == 0
        engine.run_static_constructors()
        assert value.value == 10
        engine.run_static_destructors()
        assert value.value == 20


def test_an_object_cache_sees_each_module_and_may_answer_for_it() -> None:
    told: list[tuple[Any, bytes]] = []
    module = parse(ADD)
    with llvm.create_mcjit_compiler(module, machine()) as engine:
        engine.set_object_cache(lambda which, data: told.append((which, data)))
        assert call(engine, "add", 2, 3) == 5
    assert [which for which, _ in told] == [module]
    asked = []

    def cached(which: Any) -> bytes:
        asked.append(which)
        return told[0][1]

    other = parse(MUL)
    with llvm.create_mcjit_compiler(other, machine()) as engine:
        engine.set_object_cache(lambda which, data: told.append((which, data)), cached)
        assert call(engine, "add", 2, 3) == 5  # the object's, whatever the module says
    assert asked == [other] and len(told) == 1


def test_objects_are_added_by_reference_and_by_path(tmp_path: Any) -> None:
    data = machine().emit_object(parse(ADD))
    path = tmp_path / "add.o"
    path.write_bytes(data)
    for source in (llvm.ObjectFileRef.from_data(data), str(path)):
        with llvm.create_mcjit_compiler(parse(CALLS_ADD), machine()) as engine:
            engine.add_object_file(source)
            assert call(engine, "twice", 1, 2) == 6
    plain = llvmlite.binding.ObjectFileRef.from_data(data)
    with (
        llvm.create_mcjit_compiler(parse(CALLS_ADD), machine()) as engine,
        pytest.raises(UsageError, match="ObjectFileRef"),
    ):
        engine.add_object_file(plain)


def test_the_machines_options_reach_the_compiler() -> None:
    vector_type = "<8 x float>"
    text = (
        f"define {vector_type} @f({vector_type} %a) {{"
        f" %r = fadd {vector_type} %a, %a\n ret {vector_type} %r }}"
    )
    vector = machine(cpu="x86-64", features="+avx2", opt=3)
    assert vector.options == (3, "x86-64", "+avx2")
    assert machine().options.cpu == "x86-64"  # LLVM's generic one, not this host's
    with llvm.create_mcjit_compiler(parse(text), vector) as engine:
        assert engine.get_function_address("f")


def test_target_data_is_one_object(engine: Any) -> None:
    data = engine.target_data
    assert engine.target_data is data
    engine.close()
    assert str(data)


def test_jit_events_go_into_a_dump_for_perf(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JITDUMPDIR", str(tmp_path))
    assert engine.enable_jit_events() is True
    assert engine.enable_jit_events() is True
    assert call(engine, "add", 1, 2) == 3
    engine.close()
    [dump] = tmp_path.rglob("*.dump")
    assert b"add\0" in dump.read_bytes()


# LLJIT


def library(lljit: Any, text: str, name: str, *exports: str) -> Any:
    builder = llvm.JITLibraryBuilder().add_ir(text)
    for each in exports:
        builder.export_symbol(each)
    return builder.link(lljit, name)


def test_libraries_link_against_each_other() -> None:
    lljit = llvm.create_lljit_compiler()
    first = library(lljit, ADD, "first", "add")
    second = (
        llvm.JITLibraryBuilder()
        .add_ir(CALLS_ADD)
        .add_jit_library("first")
        .export_symbol("twice")
        .link(lljit, "second")
    )
    assert BINARY(second["twice"])(2, 3) == 10
    assert BINARY(first["add"])(2, 3) == 5
    assert (first.name, second.name) == ("first", "second")
    with pytest.raises(RuntimeError, match="Symbols not found"):
        lljit.lookup("second", "add")  # what it links against isn't its own


def test_code_outlives_its_lljit_while_a_tracker_lives() -> None:
    lljit = llvm.create_lljit_compiler()
    tracker = library(lljit, ADD, "one", "add")
    lljit.close()
    gc.collect()
    assert BINARY(tracker["add"])(2, 3) == 5
    with pytest.raises(AssertionError):
        lljit.lookup("one", "add")
    with pytest.raises(AssertionError):
        library(lljit, MUL, "two", "mul")


def test_the_last_tracker_unloads_the_library() -> None:
    value = ctypes.c_int32(0)
    lljit = llvm.create_lljit_compiler()
    tracker = (
        llvm.JITLibraryBuilder()
        .add_ir(WITH_CONSTRUCTOR)
        .import_symbol("seen", ctypes.addressof(value))
        .export_symbol("get")
        .link(lljit, "it")
    )
    assert value.value == 10
    another = lljit.lookup("it", "get")
    tracker.close()
    assert value.value == 10
    assert ctypes.CFUNCTYPE(ctypes.c_int)(another["get"])() == 10
    del another
    assert eventually(lambda: value.value == 20)
    with pytest.raises(RuntimeError, match="Symbols not found"):
        lljit.lookup("it", "get")
    with pytest.raises(RuntimeError, match="already in use"):
        library(lljit, ADD, "it", "add")


def test_a_library_on_its_way_out_is_not_found() -> None:
    lljit = llvm.create_lljit_compiler()
    refusals: list[str] = []

    @ctypes.CFUNCTYPE(None)
    def look() -> None:
        try:
            lljit.lookup("it", "get")
        except RuntimeError as error:
            refusals.append(str(error))

    ir = WITH_CONSTRUCTOR.replace("store i32 20, ptr @seen", "call void @look()")
    value = ctypes.c_int32(0)
    tracker = (
        llvm.JITLibraryBuilder()
        .add_ir(f"declare void @look() {ir}")
        .import_symbol("seen", ctypes.addressof(value))
        .import_symbol("look", ctypes.cast(look, ctypes.c_void_p).value or 0)
        .link(lljit, "it")
    )
    assert refusals == []
    tracker.close()
    assert refusals == ["Symbols not found: [ get ]"]
    for name in ("main", "<process>"):  # dylibs of lazyjit's own
        with pytest.raises(RuntimeError, match="already in use"):
            library(lljit, ADD, name, "add")
        with pytest.raises(RuntimeError, match=r"Symbols not found|No such library"):
            lljit.lookup(name, "abs")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda b: b.add_ir("nonsense"), "expected top-level entity"),
        (lambda b: b.add_ir(ADD).add_ir(ADD), "add"),
        (lambda b: b.add_ir(ADD).export_symbol("missing"), r"Symbols not found: \[ missing \]"),
        (lambda b: b.add_jit_library("missing"), "Failed to find library `missing'"),
        (lambda b: b.add_object_img(b"\x7fELF but not much"), "object"),
        (
            lambda b: b.add_ir(
                "declare void @no_such()\ndefine void @f() { call void @no_such()\n ret void }"
            ).export_symbol("f"),
            "Failed to materialize symbols: .*f.*no_such",
        ),
    ],
)
def test_what_cant_be_linked_raises_and_the_rest_goes_on(build: Any, message: str) -> None:
    lljit = llvm.create_lljit_compiler(suppress_errors=True)
    with pytest.raises(RuntimeError, match=message):
        build(llvm.JITLibraryBuilder()).link(lljit, "bad")
    good = library(lljit, ADD, "good", "add")
    assert BINARY(good["add"])(1, 2) == 3
    with pytest.raises(RuntimeError, match="No such library"):
        lljit.lookup("never", "add")


def test_imports_can_be_exported() -> None:
    lljit = llvm.create_lljit_compiler()
    tracker = (
        llvm.JITLibraryBuilder().import_symbol("it", 1234).export_symbol("it").link(lljit, "l")
    )
    assert tracker["it"] == 1234


def test_objects_and_assembly_in_a_library(tmp_path: Any) -> None:
    data = machine().emit_object(parse(ADD))
    path = tmp_path / "mul.o"
    path.write_bytes(machine().emit_object(parse(MUL)))
    assembly = "\t.globl seven\nseven:\n\tmovl $7, %eax\n\tret\n"
    lljit = llvm.create_lljit_compiler()
    tracker = (
        llvm.JITLibraryBuilder()
        .add_object_img(data)
        .add_object_file(path)
        .add_native_assembly(assembly)
        .add_current_process()
        .export_symbol("add")
        .export_symbol("mul")
        .export_symbol("seven")
        .link(lljit, "all")
    )
    assert BINARY(tracker["add"])(2, 3) == 5
    assert BINARY(tracker["mul"])(2, 3) == 6
    assert ctypes.CFUNCTYPE(ctypes.c_int)(tracker["seven"])() == 7


def test_threads_link_libraries_at_once() -> None:
    lljit = llvm.create_lljit_compiler()
    wrong: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            kept = [library(lljit, ADD, f"{thread}.{i}", "add") for i in range(10)]
            assert all(BINARY(tracker["add"])(thread, 1) == thread + 1 for tracker in kept)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# Names that llvmlite has dropped


def test_the_old_builders_pipeline_optimizes() -> None:
    module = parse(
        "define i32 @f(i32 %a) { %p = alloca i32\n store i32 %a, ptr %p\n"
        " %v = load i32, ptr %p\n ret i32 %v }"
    )
    llvm.initialize()
    passes = llvm.create_module_pass_manager()
    with pytest.raises(UsageError):
        passes.run(module)
    builder = llvm.create_pass_manager_builder()
    builder.opt_level = 2
    builder.inlining_threshold = 100
    builder.populate(passes)
    assert passes.run(module) is True
    assert "alloca" not in str(module)
    assert passes.run(module) is False


@pytest.mark.parametrize("given", ["closed", "not a module", None])
def test_what_is_no_open_module_is_an_argument_error(given: Any) -> None:
    if given == "closed":
        given = llvm.parse_assembly(ADD)
        given.close()
    machine = llvm.Target.from_default_triple().create_target_machine()
    for offer in (
        lambda: llvm.create_mcjit_compiler(given, machine),
        lambda: llvm.create_mcjit_compiler(llvm.parse_assembly(MUL), machine).add_module(given),
    ):
        with pytest.raises(ctypes.ArgumentError):
            offer()


def test_a_module_has_one_engine_at_a_time() -> None:
    """It would be freed by both."""
    machine = llvm.Target.from_default_triple().create_target_machine()
    module = llvm.parse_assembly(ADD)
    with llvm.create_mcjit_compiler(module, machine) as engine:
        with pytest.raises(RuntimeError, match="owns"):
            llvm.create_mcjit_compiler(module, machine)
        engine.remove_module(module)
        with llvm.create_mcjit_compiler(module, machine) as other:
            assert BINARY(other.get_function_address("add"))(1, 2) == 3
