"""Linker scripts: what they name, what they lead to, and what is wrong with them."""

from __future__ import annotations

import contextlib
import ctypes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazyjit.errors import LibraryNotFound, LinkerScriptError
from lazyjit.link.linker_script import (
    LinkerScript,
    ScriptEntry,
    is_linker_script,
    library_files,
)

LIBC = b"""/* GNU ld script
   Use the shared library, but some functions are only in
   the static library, so try that secondarily.  */
OUTPUT_FORMAT(elf64-x86-64)
GROUP ( /lib/libc.so.6 /usr/lib/libc_nonshared.a  AS_NEEDED ( /lib64/ld-linux.so.2 ) )
"""


def test_a_c_librarys_script():
    script = LinkerScript(LIBC)
    assert script.output_format == "elf64-x86-64"
    assert script.entries == [
        ScriptEntry("/lib/libc.so.6", False),
        ScriptEntry("/usr/lib/libc_nonshared.a", False),
        ScriptEntry("/lib64/ld-linux.so.2", True),
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("INPUT(-lncurses -ltinfo)", ["-lncurses", "-ltinfo"]),
        ("INPUT ( a.o , b.o,c.o )", ["a.o", "b.o", "c.o"]),
        ('INPUT("with a space.so")', ["with a space.so"]),
        ("INPUT(a/* one */b)", ["a", "b"]),
        ("INPUT(/usr/lib/x.so)GROUP(y);;INPUT(z)", ["/usr/lib/x.so", "y", "z"]),
        ("INPUT(libstdc++.so.6)", ["libstdc++.so.6"]),
        ("INPUT()", []),
        ("", []),
        ("OUTPUT_ARCH(i386:x86-64) TARGET(elf64-x86-64)", []),
    ],
)
def test_what_is_named(text, names):
    assert [entry.name for entry in LinkerScript(text.encode()).entries] == names


def test_directories_and_formats():
    script = LinkerScript(b'SEARCH_DIR(/a) SEARCH_DIR("/b c") OUTPUT_FORMAT(x, y, z)')
    assert (script.search_dirs, script.output_format) == (["/a", "/b c"], "x")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("/* no end", 1, "a comment has no end"),
        ('\nINPUT("a', 2, "a quoted name has no end"),
        ("INPUT(a", 1, "the script ends within INPUT"),
        ("INPUT", 1, "the script ends within INPUT"),
        ("INPUT a", 1, r"INPUT without \("),
        ("INPUT((a))", 1, r"'\(' within INPUT"),
        ("INPUT(a;b)", 1, "';' within INPUT"),
        ("INPUT(a))", 1, r"'\)' where a command should be"),
        ("\n\nfoo(a)", 3, "'foo' is no command"),
        ("INPUT(AS_NEEDED(AS_NEEDED(a)))", 1, "AS_NEEDED within AS_NEEDED"),
        ("INPUT(-l)", 1, "an empty name"),
        ("AS_NEEDED(a)", 1, "AS_NEEDED has no meaning here"),
        ("INPUT(a)\nSECTIONS { .text : { *(.text) } }", 2, "SECTIONS has no meaning here"),
        ("OUTPUT_FORMAT()", 1, "OUTPUT_FORMAT of 0 names"),
        ("SEARCH_DIR(a b)", 1, "SEARCH_DIR of 2 names"),
    ],
)
def test_what_is_malformed_is_told_with_its_line(text, line, words):
    with pytest.raises(LinkerScriptError, match=words) as caught:
        LinkerScript(text.encode(), file="lib.so")
    assert (caught.value.file, caught.value.line) == ("lib.so", line)


def test_a_script_of_a_megabyte_is_none():
    with pytest.raises(LinkerScriptError, match="megabyte"):
        LinkerScript(b" " * ((1 << 20) + 1))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_script_or_an_error(data):
    with contextlib.suppress(LinkerScriptError):
        LinkerScript(data)


@given(st.text(alphabet='INPUT GROUP() AS_NEEDED /*"-l;,\n', max_size=60))
def test_almost_scripts_are_scripts_or_errors(text):
    try:
        LinkerScript(text.encode())
    except LinkerScriptError as error:
        assert error.line is None or 1 <= error.line <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("data", "is_one"),
    [
        (LIBC, True),
        (b"INPUT(-la)", True),
        (b"\n ; GROUP (a)", True),
        (b"\x7fELF", False),
        (b"!<arch>\n", False),
        (b"int main(void)", False),
        (b"/* a C file */ int main;", False),
        (b"MAIN(x)", False),
        (b"", False),
    ],
)
def test_a_script_is_told_by_its_first_command(data, is_one):
    assert is_linker_script(data) is is_one


# -- following -----------------------------------------------------------------------------------


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_what_is_no_script_is_itself(tmp_path):
    path = write(tmp_path / "a.so", "\x7fELF")
    assert library_files(path) == [path]
    assert library_files("libm.so.6") == [Path("libm.so.6")]


def test_names_are_found_as_ld_finds_them(tmp_path, monkeypatch):
    folders = [tmp_path / name for name in ("here", "first", "second", "beside")]
    for folder in folders:
        folder.mkdir()
        write(folder / "all.a", "!<arch>\n")
    here, first, second, beside = folders
    monkeypatch.chdir(here)
    write(second / "second.a", "!<arch>\n")
    write(beside / "beside.a", "!<arch>\n")
    write(beside / "libx.a", "!<arch>\n")
    script = write(
        beside / "lib.so",
        f"INPUT(all.a second.a beside.a -lx {first}/all.a) SEARCH_DIR({second})",
    )
    assert library_files(script, [str(first)]) == [
        Path("all.a"),
        second / "second.a",
        beside / "beside.a",
        beside / "libx.a",
        first / "all.a",
    ]


def test_a_script_may_lead_to_scripts(tmp_path):
    write(tmp_path / "a.a", "!<arch>\n")
    write(tmp_path / "one.so", "INPUT(a.a)")
    script = write(tmp_path / "two.so", "GROUP(one.so one.so)")
    assert library_files(script) == [tmp_path / "a.a"] * 2


def test_but_not_to_itself(tmp_path):
    write(tmp_path / "one.so", "INPUT(two.so)")
    script = write(tmp_path / "two.so", "GROUP(one.so)")
    with pytest.raises(LinkerScriptError, match="leads back to itself"):
        library_files(script)


def test_what_is_missing_is_an_error(tmp_path):
    for name in ("nothing.a", "/nothing/there.so", "-lnothing"):
        script = write(tmp_path / "lib.so", f"INPUT({name})")
        with pytest.raises(LibraryNotFound, match="nothing"):
            library_files(script)


def test_a_script_for_other_objects_is_an_error(tmp_path):
    script = write(tmp_path / "lib.so", "OUTPUT_FORMAT(elf32-i386) INPUT(a.so)")
    with pytest.raises(LinkerScriptError, match="for elf32-i386"):
        library_files(script)


def test_a_jit_loads_what_a_script_names(jit, tmp_path, compile_object, make_archive):
    library = make_archive({"f.o": compile_object("int f(void) { return 42; }")})
    script = write(tmp_path / "libf.so", f"INPUT({library} AS_NEEDED(libm.so.6))")
    with pytest.raises(LibraryNotFound):  # ld does not search where the loader does
        jit.load_library(script)
    script.write_text(f"INPUT({library})")
    jit.load_library(script)
    assert jit.function("f", ctypes.c_int)() == 42
