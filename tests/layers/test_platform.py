"""Initializers and finalizers: which run, in which order, and what they may do."""

from __future__ import annotations

import ctypes
import gc

import pytest

from lazyjit.errors import LazyJITError

INT = ctypes.c_int


@pytest.fixture
def log(jit):
    """What code told `note`, in order."""
    seen: list[int] = []
    note = ctypes.CFUNCTYPE(None, INT)(seen.append)
    flags_holder = ctypes.cast(note, ctypes.c_void_p).value
    jit.log_callback = note
    jit.log_address = flags_holder
    jit.define("note", flags_holder)
    return seen


def structors(kind: str, *entries: tuple[int, int], tag: str = "") -> str:
    """A module whose constructors or destructors (priority, number) note their numbers."""
    rows = ", ".join(
        f"{{ i32, ptr, ptr }} {{ i32 {priority}, ptr @{kind}{tag}{number}, ptr null }}"
        for priority, number in entries
    )
    text = (
        f"@llvm.global_{kind}s = appending global [{len(entries)} x {{ i32, ptr, ptr }}]"
        f" [{rows}]\ndeclare void @note(i32)\n"
    )
    return text + "".join(
        f"define internal void @{kind}{tag}{number}() {{\n"
        f"  call void @note(i32 {number})\n  ret void\n}}\n"
        for _, number in entries
    )


def test_constructors_run_by_priority_and_within_one_as_they_were_added(jit, log):
    jit.add(structors("ctor", (65535, 1), (200, 2), (65535, 3)))
    jit.add(structors("ctor", (65535, 4), (100, 5), (200, 6)))
    assert log == []
    jit.initialize()
    assert log == [5, 2, 6, 1, 3, 4]


def test_destructors_run_the_other_way_round(jit, log):
    jit.add(structors("dtor", (65535, 1), (200, 2)))
    jit.add(structors("dtor", (65535, 3), (100, 4)))
    jit.initialize()
    assert log == []
    jit.deinitialize()
    assert log == [3, 1, 2, 4]


def test_what_was_run_is_not_run_again_and_what_was_added_since_is(jit, log):
    jit.add(structors("ctor", (65535, 1)))
    jit.initialize()
    jit.initialize()
    jit.add(structors("ctor", (65535, 2)))
    jit.initialize()
    assert log == [1, 2]
    jit.deinitialize()
    jit.deinitialize()
    assert log == [1, 2]


def test_dependences_are_initialized_first(jit, log):
    library, base = jit.create_dylib("library"), jit.create_dylib("base")
    for dylib in (library, base):
        jit.define("note", jit.log_address, dylib=dylib)
    library.add_to_link_order(base)
    base.add_to_link_order(library)  # a circle: whoever is met first waits
    jit.main.add_to_link_order(library)
    jit.add(structors("ctor", (100, 1)))
    jit.add(structors("ctor", (65535, 2)), dylib=library)
    jit.add(structors("ctor", (65535, 3)), dylib=base)
    jit.initialize()
    assert log == [3, 2, 1]
    jit.initialize(library)
    assert log == [3, 2, 1]


def test_exit_handlers_run_latest_first_before_the_destructors(jit, log):
    jit.add(structors("dtor", (65535, 9)))
    jit.add("""
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }]
  [{ i32, ptr, ptr } { i32 65535, ptr @init, ptr null }]
@__dso_handle = external hidden global i8
declare i32 @atexit(ptr)
declare i32 @__cxa_atexit(ptr, ptr, ptr)
declare void @note(i32)
define internal void @one() {
  call void @note(i32 1)
  ret void
}
define internal void @with(ptr %p) {
  %n = ptrtoint ptr %p to i32
  call void @note(i32 %n)
  ret void
}
define internal void @init() {
  %a = call i32 @atexit(ptr @one)
  %b = call i32 @__cxa_atexit(ptr @with, ptr inttoptr (i64 2 to ptr), ptr @__dso_handle)
  ret void
}
""")
    jit.initialize()
    assert log == []
    jit.deinitialize_all()
    assert log == [2, 1, 9]
    jit.deinitialize_all()
    assert log == [2, 1, 9]


def test_objects_bring_constructors_and_destructors_too(jit, log, compile_object):
    jit.add(
        compile_object(
            "void note(int);"
            "__attribute__((constructor)) static void a(void) { note(1); }"
            "__attribute__((constructor(150))) static void b(void) { note(2); }"
            "__attribute__((destructor)) static void c(void) { note(3); }"
            "__attribute__((destructor(150))) static void d(void) { note(4); }"
        )
    )
    jit.add(structors("ctor", (120, 5), (65535, 6)))
    jit.initialize()
    assert log == [5, 2, 1, 6]
    del log[:]
    jit.deinitialize()
    assert log == [3, 4]


def test_initialized_objects_do_not_stand_in_the_way_of_later_ones(jit, log, compile_object):
    """Without a name, all are called <bytes>; what Python kept of the first is gone by then."""
    source = "void note(int); __attribute__((constructor)) static void up(void) { note(1); }"
    data = compile_object(source, "-fPIC")
    for _ in range(50):
        jit.add(data)
        jit.initialize()
        gc.collect()
    assert log == [1] * 50


def test_static_objects_of_c_plus_plus_live_from_initialize_to_deinitialize(
    jit, log, compile_object
):
    jit.add(
        compile_object(
            'extern "C" void note(int); struct S { int n; S(int n) : n(n) { note(n); }'
            " ~S() { note(-n); } }; static S one(1); static S two(2);"
            'extern "C" int sum() { return one.n + two.n; }',
            language="c++",
        )
    )
    jit.initialize()
    assert jit.function("sum", INT)() == 3
    jit.deinitialize()
    assert log == [1, 2, -2, -1]


def test_constructors_of_a_removed_module_do_not_run(jit, log):
    jit.remove(jit.add(structors("ctor", (65535, 1))))
    tracker = jit.add(structors("dtor", (65535, 2)))
    jit.initialize()
    jit.remove(tracker)
    jit.deinitialize()
    assert log == []


def test_a_constructor_may_call_what_is_not_compiled_yet(jit, log):
    jit.add("""
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }]
  [{ i32, ptr, ptr } { i32 65535, ptr @init, ptr null }]
declare void @note(i32)
define internal void @init() {
  %r = call i32 @deep(i32 5)
  call void @note(i32 %r)
  ret void
}
declare i32 @deeper(i32)
define i32 @deep(i32 %n) noinline {
  %r = call i32 @deeper(i32 %n)
  ret i32 %r
}
""")
    jit.add("define i32 @deeper(i32 %n) {\n  %r = mul i32 %n, 2\n  ret i32 %r\n}\n")
    jit.initialize()
    assert log == [10]


def test_a_constructor_may_use_the_jit_that_runs_it(jit):
    results: list[int] = []

    def enter() -> None:
        jit.add("define i32 @late() {\n  ret i32 6\n}\n")
        results.append(jit.function("late", INT)())
        jit.initialize()
        jit.add(structors("ctor", (65535, 7)))
        results.append(jit.lookup("note") != 0)

    reenter = ctypes.CFUNCTYPE(None)(enter)
    note = ctypes.CFUNCTYPE(None, INT)(results.append)
    jit.define("note", ctypes.cast(note, ctypes.c_void_p).value)
    jit.define("reenter", ctypes.cast(reenter, ctypes.c_void_p).value)
    jit.add("""
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }]
  [{ i32, ptr, ptr } { i32 65535, ptr @init, ptr null }]
declare void @reenter()
define internal void @init() {
  call void @reenter()
  ret void
}
""")
    jit.initialize()
    assert results == [6, True]
    jit.initialize()
    assert results == [6, True, 7]


def test_a_constructor_that_fails_leaves_it_and_the_later_ones_to_do(jit, log):
    jit.add(structors("ctor", (100, 1)))
    jit.add("""
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }]
  [{ i32, ptr, ptr } { i32 200, ptr @init, ptr null }]
declare void @missing_thing()
define internal void @init() {
  call void @missing_thing()
  ret void
}
""")
    jit.add(structors("ctor", (300, 3)))
    with pytest.raises(LazyJITError, match="missing_thing"):
        jit.initialize()
    assert log == [1]
    with pytest.raises(LazyJITError, match="missing_thing"):
        jit.initialize()
    assert log == [1]


def test_a_failed_initialization_of_an_object_does_not_double_what_runs_later(
    jit, log, compile_object
):
    jit.add(structors("dtor", (65535, 1)))
    broken = "void missing_it(void); __attribute__((constructor)) void init(void) { missing_it(); }"
    tracker = jit.add(compile_object(broken))
    for _ in range(2):
        with pytest.raises(LazyJITError, match="missing_it"):
            jit.initialize()
    jit.remove(tracker)
    jit.initialize()
    jit.deinitialize()
    assert log == [1]


def test_a_null_constructor_is_passed_over(jit, log):
    jit.add(
        "@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }]"
        " [{ i32, ptr, ptr } { i32 65535, ptr null, ptr null }]\n"
    )
    jit.initialize()
    assert log == []
