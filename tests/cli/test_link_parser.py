"""How words become a LinkRequest, and that no option of llvm-jitlink's is unknown."""

import shutil
import subprocess

import pytest
from regenerate import listed

from lazyjit.cli import dispatch, link_table
from lazyjit.cli import parser as run_parser
from lazyjit.cli.link_parser import VOCABULARY, parse
from lazyjit.cli.link_request import LinkInput, SectCreate
from lazyjit.cli.options import Arity, CommandLineError, Fate


def names(request):
    return [entry.name for entry in request.inputs]


def test_options_and_files_come_in_any_order():
    request = parse(["a.o", "-noexec", "b.o", "-entry", "go", "c.o"])
    assert names(request) == ["a.o", "b.o", "c.o"]
    assert (request.execute, request.entry) == (False, "go")


def test_arguments_are_all_that_follows_but_a_harness():
    request = parse(["a.o", "-args", "x", "-noexec", "--y", "@z", "--harness", "h.o", "-v.o"])
    assert request.arguments == ["x", "-noexec", "--y", "@z"]
    assert (request.harness, request.execute, names(request)) == (["h.o", "-v.o"], True, ["a.o"])
    request = parse(["a.o", "-harness", "h.o", "-args", "x"])
    assert (request.harness, request.arguments) == (["h.o"], ["x"])


def test_two_dashes_end_the_options_and_what_is_collected():
    assert names(parse(["--", "-noexec", "-args"])) == ["-noexec", "-args"]
    request = parse(["a.o", "-args", "x", "--", "y"])
    assert (request.arguments, names(request)) == (["x", "y"], ["a.o"])


def test_response_files(tmp_path):
    path = tmp_path / "words"
    path.write_text("a.o 'b c.o' -noexec")
    request = parse([f"@{path}"])
    assert (names(request), request.execute) == (["a.o", "b c.o"], False)


@pytest.mark.parametrize("words", [["-lm"], ["-l", "m"], ["-l=m"], ["--lm"]])
def test_libraries(words):
    assert parse(words).inputs == [LinkInput("m", None, library=True)]


@pytest.mark.parametrize("words", [["-hidden-lm"], ["-hidden-l", "m"], ["--hidden-l=m"]])
def test_hidden_libraries(words):
    assert parse(words).inputs == [LinkInput("m", None, library=True, hidden=True)]


def test_what_a_dylib_has_follows_its_name():
    request = parse(
        ["a.o", "-L", "x", "-jd", "p", "b.o", "-L", "y", "-abs", "n=0x10", "-jd=q", "-load_hidden",
         "c.a", "-jd=p", "-force-load=d.a", "-jd", "main", "-alias", "s=t", "-lazy", "e.o", "f.o"]
    )  # fmt: skip
    assert request.inputs == [
        LinkInput("a.o", None),
        LinkInput("b.o", "p"),
        LinkInput("c.a", "q", hidden=True),
        LinkInput("d.a", "p", whole=True),
        LinkInput("e.o", None, lazy=True),
        LinkInput("f.o", None),
    ]
    assert request.dylibs == ["p", "q"]
    assert request.library_dirs == [(None, "x"), ("p", "y")]
    assert request.absolutes == [("p", "n", 16)]
    assert request.aliases == [(None, "s", "t")]


@pytest.mark.parametrize(
    ("text", "bytes"), [("64", 64 << 10), ("1Kb", 1 << 10), ("0x2Mb", 2 << 20), ("3gb", 3 << 30)]
)
def test_the_size_of_a_slab(text, bytes):
    assert parse(["a.o", "-slab-allocate", text]).slab_size == bytes


def test_a_slab_for_elsewhere():
    request = parse(
        ["a.o", "-noexec", "-slab-allocate=64", "-slab-address=0xffffffff80000000",
         "-slab-page-size=16384"]
    )  # fmt: skip
    assert (request.slab_address, request.slab_page_size) == (0xFFFFFFFF80000000, 16384)


def test_sections_of_files():
    request = parse(["a.o", "-sectcreate", "data,f.bin@start=0,end=0x10", "-sectcreate=x,y"])
    assert request.sections == [
        SectCreate("data", "f.bin", (("start", 0), ("end", 16)), None),
        SectCreate("x", "y", (), None),
    ]


@pytest.mark.parametrize(
    ("words", "graphs"),
    [([], None), (["-show-graphs"], ""), (["-show-graphs=a|b"], "a|b")],
)
def test_graphs_of_some_or_all_files(words, graphs):
    assert parse([*words, "a.o"]).show_graphs == graphs


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no input files"),
        (["-noexec"], "no input files"),
        (["-nosuch", "a.o"], "unknown option '-nosuch'"),
        (["-no-exec", "a.o"], "did you mean --noexec"),
        (["a.o", "-entry"], "-entry needs a value"),
        (["a.o", "-entry="], "needs a name"),
        (["a.o", "-abs", "n"], "'n' is not of the form"),
        (["a.o", "-abs", "=1"], "not of the form"),
        (["a.o", "-abs", "n=x"], "'x' is not a number"),
        (["a.o", "-abs", "n=0x10000000000000000"], "64 bits"),
        (["a.o", "-alias", "n="], "not of the form"),
        (["a.o", "-sectcreate", "a"], "not of the form"),
        (["a.o", "-sectcreate", "a,b@"], "not of the form"),
        (["a.o", "-sectcreate", "a,b@c"], "not of the form"),
        (["a.o", "-sectcreate", "a,b@c=0,c=5"], "-sectcreate: symbol c is defined twice"),
        (["a.o", "-slab-allocate=0"], "some size"),
        (["a.o", "-lazy"], "-lazy needs a file behind it"),
        (["a.o", "-slab-allocate=99999Gb"], "-slab-allocate: a slab has at most"),
        (
            ["a.o", "-noexec", "-slab-allocate=1", "-slab-address=0x123"],
            "-slab-address: 0x123 is not",
        ),
        (
            ["a.o", "-noexec", "-slab-allocate=8", "-slab-address=0xfffffffffffff000"],
            "-slab-address: no",
        ),
        (["a.o", "-slab-allocate=1zb"], "not a number"),
        (["a.o", "-slab-address=0x1000", "-noexec"], "needs -slab-allocate and -noexec"),
        (["a.o", "-slab-address=0x1000", "-slab-allocate=1"], "needs -slab-allocate and -noexec"),
        (["a.o", "-noexec", "-slab-allocate=1", "-slab-page-size=3"], "power of two"),
        (["a.o", "-noexec=maybe"], "neither true nor false"),
        (["a.o", "-num-threads=x"], "not a number"),
        (["a.o", "-num-threads=99999999999"], "at most 1024"),
        (["a.o", "-speculate=hard"], "not one of none, simple"),
        (["a.o", "-speculate-order=f"], "needs -speculate=simple"),
        (["a.o", "-use-memmgr=shared"], "own process"),
    ],
)
def test_what_cannot_be_understood(words, message):
    with pytest.raises(CommandLineError, match=message):
        parse(words)


REFUSED = [row for row in link_table.OPTIONS if row.fate is Fate.REFUSE]


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.name)
def test_what_is_refused_is_refused_with_the_reason(row):
    value = "" if row.arity in (Arity.FLAG, Arity.OPTIONAL) else "=x"
    with pytest.raises(CommandLineError) as caught:
        parse([f"-{row.name}{value}", "a.o"])
    assert row.text in str(caught.value)


@pytest.mark.skipif(shutil.which("llvm-jitlink-22") is None, reason="no llvm-jitlink-22")
def test_every_option_of_llvm_jitlink_is_known_and_takes_a_value_as_there():
    text = subprocess.run(["llvm-jitlink-22", "--help-hidden"], capture_output=True, text=True)
    theirs = listed(text.stdout)
    assert len(theirs) > 40
    for name, valued in theirs.items():
        row = VOCABULARY.find(name)
        assert row is not None, name
        if name not in ("show-graphs", "args", "harness"):
            assert (row.arity in (Arity.VALUE, Arity.JOINED)) == valued, name


def test_help_lists_the_options(capsys):
    assert dispatch(["link", "--help"]) == 0
    short = capsys.readouterr().out
    assert dispatch(["link", "--help-hidden"]) == 0
    long = capsys.readouterr().out
    for row in link_table.OPTIONS:
        assert f"-{row.name}" in long
        assert row.hidden or f"-{row.name}" in short
    assert "--oop-executor" not in short


def test_version(capsys):
    assert dispatch(["link", "--version"]) == 0
    assert capsys.readouterr().out.startswith("lazyjit ")


def test_response_files_that_go_in_circles_are_refused(tmp_path):
    circle = tmp_path / "circle"
    for read in (parse, run_parser.parse):
        circle.write_text(f"{'a.o' if read is parse else '-O1'} @{circle}")
        with pytest.raises(CommandLineError, match="response files"):
            read([f"@{circle}"])
