"""The `lazyjit` command around `run`: help, errors, exit codes."""

import subprocess
import sys

import pytest

from lazyjit.cli import dispatch, parser, program, reference, stats, table
from lazyjit.errors import InternalError, IRError, LazyJITError


@pytest.fixture
def failing(monkeypatch, tmp_path):
    """`failing(error)`: what the command does when running raises this."""
    path = tmp_path / "p.ll"
    path.write_text("")

    def run_into(error):
        def run(request):
            raise error

        monkeypatch.setattr(program, "run", run)
        return dispatch(["run", str(path)])

    return run_into


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (IRError("expected type\n  %x = nonsense\n       ^", file="p.ll", line=3),
         "p.ll:3: expected type; %x = nonsense"),
        (LazyJITError("words"), "words"),
        (FileNotFoundError(2, "No such file or directory", "x"), "x: No such file or directory"),
        (MemoryError(), "out of memory"),
        (InternalError("odd"), "this is a bug in lazyjit: InternalError: odd"),
        (KeyError("k"), "this is a bug in lazyjit: KeyError: 'k'"),
    ],
)  # fmt: skip
def test_an_error_is_one_line(failing, capsys, error, line):
    assert failing(error) == 1
    assert capsys.readouterr().err == f"lazyjit: error: {line}\n"


def test_a_traceback_can_be_had(failing, capsys, monkeypatch):
    monkeypatch.setenv("LAZYJIT_TRACEBACK", "1")
    failing(LazyJITError("words"))
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["run", "-nosuch"], ["walk"], ["run", "--entry"]])
def test_a_wrong_command_line_exits_with_2(words, capsys):
    assert dispatch(words) == 2
    assert capsys.readouterr().err.startswith("lazyjit: error: ")


def test_no_file_and_a_terminal_is_a_mistake(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert dispatch(["run"]) == 2
    assert "no FILE" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), (["-h"], 0), ([], 2)])
def test_help_shows_the_commands(words, code, capsys):
    assert dispatch(words) == code
    assert "lazyjit run" in capsys.readouterr().out


def test_help_shows_our_options_and_hides_llis(capsys):
    assert dispatch(["run", "--help"]) == 0
    text = capsys.readouterr().out
    for option in table.OPTIONS:
        # Two spaces: as an entry, not mentioned in another's text.
        listed = f"  {option.spelled()}" in text
        assert listed is not option.hidden, option.name
    assert max(map(len, text.splitlines())) <= 100


def test_hidden_help_shows_llis_own_too(capsys):
    assert dispatch(["run", "-help-hidden"]) == 0
    text = capsys.readouterr().out
    assert "--jit-kind=KIND" in text and "--float-abi" in text


def test_documented_spellings_parse():
    for option in table.OPTIONS:
        for name in option.names:
            assert parser.find(name) is option
            assert reference.spelling(option, name)


def test_the_table_of_statistics():
    text = stats.table(
        {"functions_known": 650, "functions_compiled": 26, "seconds": {"parse": 0.0125},
         "arena_bytes": 4096}
    )  # fmt: skip
    rows = [line.split() for line in text.splitlines()]
    assert rows == [
        ["functions", "known", "650"],
        ["functions", "compiled", "26", "(4.0%)"],
        ["seconds:", "parse", "12.5", "ms"],
        ["arena", "bytes", "4", "KiB"],
    ]


def test_statistics_that_fail_don_t_change_the_end(capsys):
    stats.report(None)
    stats.report(object())
    err = capsys.readouterr().err
    assert err.startswith("lazyjit: warning: no statistics") and err.count("\n") == 1


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "lazyjit", "--help"], capture_output=True, text=True, timeout=600
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == reference.COMMANDS


def test_help_into_a_closed_pipe_is_quiet():
    command = f"{sys.executable} -m lazyjit run --help-hidden | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
