"""Objects: linked when wanted, with each other, with modules and the process, where they fit."""

from __future__ import annotations

import ctypes
import threading

import pytest

from lazyjit.errors import FailedToMaterialize, LazyJITError, RelocationError, SymbolsNotFound

INT = ctypes.c_int


def test_an_object_is_not_linked_until_a_symbol_of_it_is_wanted(jit, compile_object):
    jit.add(compile_object("int f(void) { return 3; }"))
    assert jit.statistics().objects_linked == 0
    assert jit.function("f", INT)() == 3
    assert jit.statistics().objects_linked == 1


def test_objects_and_modules_call_each_other(jit, compile_object):
    jit.add(compile_object("int up(int); int down(int x) { return x <= 0 ? 0 : 1 + up(x - 1); }"))
    jit.add(
        "declare i32 @down(i32)\ndefine i32 @up(i32 %x) {\n"
        "  %r = call i32 @down(i32 %x)\n  %s = add i32 %r, 10\n  ret i32 %s\n}\n"
    )
    assert jit.function("down", INT, INT)(2) == 22
    assert jit.function("up", INT, INT)(1) == 21


def test_objects_may_need_each_other_in_a_circle(jit, compile_object):
    half = "int {0}(int); int {1}(int x) {{ return x == 0 ? {2} : {0}(x - 1); }}"
    jit.add(compile_object(half.format("odd", "even", 1)))
    jit.add(compile_object(half.format("even", "odd", 0)))
    assert [jit.function("even", INT, INT)(x) for x in (4, 5)] == [1, 0]


def test_objects_share_data_and_function_pointers(jit, compile_object):
    jit.add(compile_object("int shared = 5; int f(void) { return shared; } int (*p)(void) = f;"))
    jit.add(
        compile_object(
            "extern int shared; extern int (*p)(void); int f(void);"
            "int g(void) { shared += 1; return p == f ? p() : -1; }"
        )
    )
    assert jit.function("g", INT)() == 6
    assert INT.from_address(jit.lookup("shared")).value == 6
    assert ctypes.c_void_p.from_address(jit.lookup("p")).value == jit.lookup("f")


def test_the_first_of_two_weak_definitions_wins_among_objects_too(jit, compile_object):
    source = (
        "__attribute__((weak)) int pick(void) {{ return {0}; }}"
        "int use{0}(void) {{ return pick(); }}"
    )
    for number in (1, 2):
        jit.add(compile_object(source.format(number)))
    assert [jit.function(f"use{number}", INT)() for number in (1, 2)] == [1, 1]


def test_a_strong_definition_beats_an_objects_weak_one(jit, compile_object):
    jit.add(
        compile_object(
            "__attribute__((weak)) int pick(void) { return 1; } int use(void) { return pick(); }"
        )
    )
    jit.add("define i32 @pick() {\n  ret i32 9\n}\n")
    assert jit.function("use", INT)() == 9


def test_common_symbols_are_one(jit, compile_object):
    jit.add(compile_object("int counter; int up(void) { return ++counter; }", "-fcommon"))
    jit.add(compile_object("int counter; int down(void) { return --counter; }", "-fcommon"))
    assert [jit.function(name, INT)() for name in ("up", "up", "down")] == [1, 2, 1]


def test_hidden_symbols_are_seen_within_the_dylib_only(jit, compile_object):
    library = jit.create_dylib("library")
    jit.add(
        compile_object('__attribute__((visibility("hidden"))) int inner(void) { return 4; }'),
        dylib=library,
    )
    jit.add(compile_object("int inner(void); int outer(void) { return inner(); }"), dylib=library)
    jit.main.add_to_link_order(library)
    assert jit.function("outer", INT)() == 4
    with pytest.raises(SymbolsNotFound):
        jit.lookup("inner")


def test_static_functions_of_one_name_do_not_clash(jit, compile_object):
    source = "static int same(void) {{ return {0}; }} int use{0}(void) {{ return same(); }}"
    for number in (1, 2):
        jit.add(compile_object(source.format(number), "-fno-inline"))
    assert [jit.function(f"use{number}", INT)() for number in (1, 2)] == [1, 2]


def test_an_objects_thread_locals_are_each_threads_own(jit, compile_object):
    jit.add(compile_object("_Thread_local int mine = 7; int bump(void) { return ++mine; }"))
    jit.add(compile_object("extern _Thread_local int mine; int peek(void) { return mine; }"))
    bump, peek = jit.function("bump", INT), jit.function("peek", INT)
    assert (bump(), bump(), peek()) == (8, 9, 9)
    found: list[tuple[int, int]] = []
    thread = threading.Thread(target=lambda: found.append((bump(), peek())))
    thread.start()
    thread.join()
    assert found == [(8, 8)]


def test_a_module_sees_an_objects_thread_local(jit, compile_object):
    jit.add(compile_object("_Thread_local int mine = 7; int bump(void) { return ++mine; }"))
    jit.add(
        "@mine = external thread_local global i32\ndefine i32 @peek() {\n"
        "  %r = load i32, ptr @mine\n  ret i32 %r\n}\n"
    )
    jit.function("bump", INT)()
    assert jit.function("peek", INT)() == 8


def test_exceptions_pass_through_linked_frames(jit, compile_object):
    jit.add(compile_object("int inner(int x) { if (x) throw x; return 0; }", language="c++"))
    jit.add(
        compile_object(
            'int inner(int); extern "C" int outer(int x) '
            "{ try { return inner(x); } catch (int e) { return e + 100; } }",
            language="c++",
        )
    )
    outer = jit.function("outer", INT, INT)
    assert (outer(0), outer(5)) == (0, 105)


# Code for fixed positions

FIXED = ("-fno-pic", "-fno-pie", "-mcmodel=small")


def test_code_for_fixed_positions_goes_where_31_bits_reach(jit, compile_object):
    jit.add(
        compile_object(
            "int table[4] = {1, 2, 3, 4}; int f(int i) { return table[i]; }"
            "int (*where(void))(int) { return f; }",
            *FIXED,
        )
    )
    assert jit.function("f", INT, INT)(2) == 3
    assert jit.lookup("f") < 1 << 31
    assert jit.function("where", ctypes.c_void_p)() == jit.lookup("f")


def test_code_for_fixed_positions_and_other_code_call_each_other(jit, compile_object):
    jit.add(
        compile_object(
            "int low_table[4] = {1, 2, 3, 4}; int high(int); int abs(int);"
            "int low(int i) { return low_table[i] + high(i) + abs(-i); }",
            *FIXED,
        )
    )
    jit.add(
        compile_object(
            "extern int low_table[4]; int low(int); int high(int i) { return i * 10; }"
            "int both(int i) { return low(i) + low_table[0]; }"
        )
    )
    jit.add(
        "declare i32 @low(i32)\ndefine i32 @module(i32 %x) {\n"
        "  %r = call i32 @low(i32 %x)\n  ret i32 %r\n}\n"
    )
    assert jit.function("both", INT, INT)(1) == 2 + 10 + 1 + 1
    assert jit.function("module", INT, INT)(1) == 13


def test_fixed_positions_that_need_a_far_address_are_a_typed_error(jit, compile_object):
    jit.add("@far = global i32 5\n")
    jit.add(compile_object("extern int far[]; int f(int i) { return far[i]; }", *FIXED), name="f.o")
    with pytest.raises(LazyJITError) as caught:
        jit.lookup("f")
    error = (
        caught.value.__cause__ if isinstance(caught.value, FailedToMaterialize) else caught.value
    )
    assert isinstance(error, RelocationError)
    assert error.symbol == "far"
    assert error.file == "f.o"
    jit.add("define i32 @alive() {\n  ret i32 1\n}\n")
    assert jit.function("alive", INT)() == 1


def test_a_large_code_model_reaches_everything(jit, compile_object):
    jit.add("@far = global i32 5\n")
    jit.add(
        compile_object(
            "extern int far; int abs(int); int f(void) { return far + abs(-1); }",
            "-mcmodel=large",
            "-fno-pic",
            "-fno-pie",
        )
    )
    assert jit.function("f", INT)() == 6


def test_a_removed_object_gives_its_memory_back(jit, compile_object):
    data = compile_object("int table[1000] = {1}; int f(int i) { return table[i]; }")
    low = compile_object("int table[1000] = {1}; int f(int i) { return table[i]; }", *FIXED)
    for kind in (data, low):
        before = jit.statistics().arena
        for _ in range(3):
            tracker = jit.add(kind)
            assert jit.function("f", INT, INT)(0) == 1
            jit.remove(tracker)
        assert jit.statistics().arena == before


def test_a_link_that_fails_gives_its_memory_back(jit, compile_object):
    data = compile_object("int missing_it(void); int f(void) { return missing_it(); }")
    before = jit.statistics().arena
    tracker = jit.add(data)
    with pytest.raises(LazyJITError):
        jit.lookup("f")
    jit.remove(tracker)
    assert jit.statistics().arena == before
