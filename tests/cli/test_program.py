"""How a Request becomes calls of the JIT, against one that only writes them down."""

import ctypes
import threading

import pytest

from lazyjit.cli import dispatch, program
from lazyjit.cli.parser import parse
from lazyjit.errors import CompileError, LibraryNotFound


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A directory with the files that the command lines below name."""
    for name in ("p.ll", "a.ll", "b.o", "c.a"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "liblocal.so").write_bytes(b"\x7fELF")
    (tmp_path / "libstatic.a").write_bytes(b"!<arch>\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_life_of_a_program(jit, here):
    assert program.run(parse(["p.ll"])) == 0
    assert jit.calls == [
        ("add", "p.ll", "main"),
        ("plain",),
        ("initialize", "main"),
        ("function", "main"),
        ("deinitialize", "main"),
    ]


def test_inputs_reach_their_dylibs(jit, here):
    words = (
        "-L. -lstatic --jd one --extra-module a.ll -llocal --extra-object b.o --jd two "
        "--extra-archive c.a p.ll"
    )
    program.run(parse(words.split()))
    assert jit.calls == [
        ("add", "p.ll", "main"),
        ("dylib", "one"),
        ("dylib", "two"),
        ("link", "main", "one"),
        ("link", "one", "main"),
        ("link", "main", "two"),
        ("link", "two", "main"),
        ("archive", "libstatic.a", "main"),
        ("module", "a.ll", "one"),
        ("library", "liblocal.so", "one"),
        ("object", "b.o", "one"),
        ("archive", "c.a", "two"),
        ("plain",),
        ("initialize", "one"),
        ("initialize", "two"),
        ("initialize", "main"),
        ("function", "main"),
        ("deinitialize", "main"),
        ("deinitialize", "two"),
        ("deinitialize", "one"),
    ]


def test_the_program_sees_its_arguments_and_environment(jit, here, monkeypatch):
    seen = {}

    def main(count, vector, environment):
        strings = (ctypes.c_char_p * (count + 1)).from_address(vector)
        seen["arguments"] = strings[:]
        seen["environment"] = environment
        return 300

    jit.functions["main"] = main
    assert program.run(parse(["p.ll", "é", "\udcff", ""])) == 300
    assert seen["arguments"] == [b"p.ll", "é".encode(), b"\xff", b"", None]
    assert seen["environment"]
    program.run(parse(["--fake-argv0=zz", "p.ll"]))
    assert seen["arguments"] == [b"zz", None]


def test_entry_threads_run_beside_main(jit, here):
    meeting = threading.Barrier(3, timeout=600)
    jit.functions.update(main=lambda *_: meeting.wait() * 0, f=meeting.wait, g=meeting.wait)
    assert program.run(parse(["-thread-entry=f", "-thread-entry", "g", "p.ll"])) == 0


def test_a_failure_on_an_entry_thread_is_the_commands(jit, here, capsys):
    def fail():
        raise CompileError("no such intrinsic", unit="f")

    jit.functions["f"] = fail
    assert dispatch(["run", "-thread-entry=f", "p.ll"]) == 1
    assert capsys.readouterr().err == "lazyjit: error: f: no such intrinsic\n"


@pytest.mark.parametrize("word", ["--entry=nope", "--thread-entry=nope"])
def test_a_missing_entry_names_the_option(jit, here, capsys, word):
    assert dispatch(["run", word, "p.ll"]) == 1
    option = word.partition("=")[0]
    expected = f"lazyjit: error: the program has no function 'nope' ({option})\n"
    assert capsys.readouterr().err == expected


def test_an_inactive_platform_runs_no_initializers(jit, here):
    program.run(parse(["-lljit-platform=Inactive", "p.ll"]))
    assert jit.calls == [("add", "p.ll", "main"), ("plain",), ("function", "main")]


@pytest.mark.parametrize("word", ["p2.ll", "--extra-module=p2.ll", "--extra-archive=p2.ll"])
def test_missing_files_are_named_before_anything_happens(jit, here, capsys, word):
    assert dispatch(["run", word, "p.ll"]) == 1
    assert capsys.readouterr().err == "lazyjit: error: p2.ll: No such file or directory\n"
    assert jit.calls == []


def test_a_directory_is_no_program(jit, here, capsys):
    assert dispatch(["run", "."]) == 1
    assert capsys.readouterr().err == "lazyjit: error: .: Is a directory\n"


def test_a_library_to_open_must_be_there(jit, here, capsys):
    with pytest.raises(LibraryNotFound, match=r"nothing\.so"):
        program.run(parse(["--dlopen=nothing.so", "p.ll"]))
    assert program.run(parse(["-load=nothing.so", "p.ll"])) == 0
    assert "warning" in capsys.readouterr().err


def test_the_table_is_registered_before_the_jit_registers_its_own_hook(jit, here):
    program.run(parse(["--stats", "p.ll"]))
    assert jit.calls[:2] == [("at exit",), ("add", "p.ll", "main")]


@pytest.mark.parametrize(
    ("words", "expected"),
    [([], None), (["-mcpu=x", "-mattr=+a,-b"], "+a,-b")],
)
def test_features_are_the_jits_choice_unless_given(words, expected):
    assert program.features(parse([*words, "p.ll"])) == expected
