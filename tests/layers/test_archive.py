"""Static libraries: a member is linked when it is needed, or all of them at once."""

from __future__ import annotations

import ctypes

import pytest

from lazyjit.errors import DuplicateDefinition, ObjectFormatError, SymbolsNotFound

INT = ctypes.c_int


@pytest.fixture
def library(compile_object, make_archive):
    """Three members: `one` stands alone, `two` needs `one`, `three` needs what nobody has."""
    return make_archive(
        {
            "one.o": compile_object("int calls; int one(void) { return ++calls; }"),
            "two.o": compile_object("int one(void); int two(void) { return one() + 1; }"),
            "three.o": compile_object(
                "int nobody_has(void); int three(void) { return nobody_has(); }"
            ),
        }
    )


def test_members_are_linked_when_a_symbol_of_theirs_is_needed(jit, library):
    jit.add(library)
    assert jit.statistics().objects_linked == 0
    assert jit.function("one", INT)() == 1
    assert jit.statistics().objects_linked == 1
    assert jit.function("two", INT)() == 3
    assert jit.statistics().objects_linked == 2


def test_a_module_pulls_members_in(jit, library):
    jit.add("declare i32 @two()\ndefine i32 @go() {\n  %r = call i32 @two()\n  ret i32 %r\n}\n")
    jit.add(library)
    assert jit.function("go", INT)() == 2
    assert jit.statistics().objects_linked == 3  # the unit, two.o and one.o


def test_what_is_defined_already_is_not_taken_from_the_library(jit, library):
    jit.add("define i32 @one() {\n  ret i32 40\n}\n")
    jit.add(library)
    assert jit.function("two", INT)() == 41


def test_a_member_that_cannot_be_linked_fails_who_needs_it_and_nobody_else(jit, library):
    jit.add(library)
    with pytest.raises(Exception, match="nobody_has"):
        jit.lookup("three")
    assert jit.function("two", INT)() == 2
    with pytest.raises(SymbolsNotFound):
        jit.lookup("four")


def test_a_malformed_member_is_told_to_each_who_needs_it(jit, compile_object, make_archive):
    bad = compile_object("int bad(void) { return 1; }")
    good = compile_object("int good(void) { return 2; }")
    path = make_archive({"bad.o": bad, "good.o": good})
    data = bytearray(path.read_bytes())
    at = data.index(b"\x7fELF")
    data[at + 4] = 1  # a class of 32 bits; the archive's index says what it has all the same
    path.write_bytes(data)
    jit.add_archive(path)
    for _ in range(2):
        with pytest.raises(ObjectFormatError):
            jit.lookup("bad")
    assert jit.function("good", INT)() == 2


def test_a_library_that_is_not_there_is_an_error_of_the_system(jit, tmp_path):
    with pytest.raises(FileNotFoundError):
        jit.add_archive(tmp_path / "none.a")


def test_a_whole_library_is_there_without_being_asked_for(jit, library):
    jit.add_archive(library, whole=True)
    with pytest.raises(DuplicateDefinition, match="one"):
        jit.add("define i32 @one() {\n  ret i32 40\n}\n")
    assert jit.statistics().objects_linked == 0
    assert jit.function("two", INT)() == 2


def test_an_on_demand_member_clashes_only_once_it_is_taken(jit, library):
    jit.add(library)
    jit.add("define i32 @two() {\n  ret i32 40\n}\n")
    assert jit.function("two", INT)() == 40
    assert jit.function("one", INT)() == 1


def test_initializers_of_needed_members_run(jit, compile_object, make_archive):
    jit.add(
        make_archive(
            {
                "needed.o": compile_object(
                    "int ready; __attribute__((constructor)) static void init(void) { ready = 1; }"
                    "int needed(void) { return ready; }"
                ),
                "idle.o": compile_object(
                    "extern int nobody_has; int idle(void) { return 0; }"
                    "__attribute__((constructor)) static void init(void) { nobody_has = 1; }"
                ),
            }
        )
    )
    jit.add(
        "declare i32 @needed()\ndefine i32 @go() {\n  %r = call i32 @needed()\n  ret i32 %r\n}\n"
    )
    jit.initialize()
    assert jit.function("go", INT)() == 1


def test_a_removed_library_is_gone_with_what_it_brought(jit, library):
    tracker = jit.add(library)
    one = jit.function("one", INT)
    assert one() == 1
    jit.remove(tracker)
    for name in ("one", "two"):
        with pytest.raises(SymbolsNotFound):
            jit.lookup(name)
    jit.add(library)
    assert jit.function("two", INT)() == 2


def test_initializers_of_members_that_objects_need_run(jit, compile_object, make_archive):
    jit.add(
        make_archive(
            {
                "needed.o": compile_object(
                    "int ready; __attribute__((constructor)) static void init(void) { ready = 1; }"
                    "int needed(void) { return ready; }"
                ),
                "other.o": compile_object(
                    "int other; __attribute__((constructor)) static void init(void) { other = 1; }"
                ),
            }
        )
    )
    jit.add(compile_object("int needed(void); int go(void) { return needed(); }"))
    jit.initialize()
    assert jit.statistics().objects_linked == 1
    assert jit.function("go", INT)() == 1


def test_hidden_members_are_seen_in_their_dylib_only(jit, library):
    inner = jit.create_dylib("inner")
    jit.add_archive(library, dylib=inner, hidden=True)
    jit.add("declare i32 @two()\ndefine i32 @go() {\n  %r = call i32 @two()\n  ret i32 %r\n}\n",
            dylib=inner)  # fmt: skip
    jit.main.add_to_link_order(inner)
    assert jit.function("go", INT)() == 2
    with pytest.raises(SymbolsNotFound):
        jit.lookup("one")
