"""lli's options: all are known, and words are read as lli reads them."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from lazyjit.cli import codegen_flags, llvm_flags, table
from lazyjit.cli.options import Arity, CommandLineError, Fate
from lazyjit.cli.parser import find, parse

LLI = shutil.which("lli-22")
needs_lli = pytest.mark.skipif(LLI is None, reason="lli-22 is not installed")

#: Prints its arguments and returns how many there are; `other` returns 7.
PROGRAM = """
@format = private constant [5 x i8] c"[%s]\\00"
declare i32 @printf(ptr, ...)
define i32 @main(i32 %count, ptr %arguments) {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %loop ]
  %slot = getelementptr ptr, ptr %arguments, i32 %i
  %argument = load ptr, ptr %slot
  call i32 (ptr, ...) @printf(ptr @format, ptr %argument)
  %next = add i32 %i, 1
  %more = icmp slt i32 %next, %count
  br i1 %more, label %loop, label %done
done:
  ret i32 %count
}
define i32 @other() {
  ret i32 7
}
"""

#: Words that lli takes, and some that it doesn't. {p} is the program.
SPELLINGS = [
    "{p}",
    "{p} a -O0 b",
    "-- {p} -O2 x",
    "{p} -- x",
    "-O2 {p}",
    "--O2 {p}",
    "-O=2 {p}",
    "-O 2 {p} x y",
    "-jit-kind orc-lazy {p} x",
    "--jit-kind=orc {p}",
    "-jit-kind=orc -jit-kind=orc-lazy {p}",
    "-jit-kind=foo {p}",
    "-nosuchoption {p}",
    "-per-module-lazy=true {p}",
    "-per-module-lazy=0 {p}",
    "-per-module-lazy=maybe {p}",
    "-per-module-lazy {p} true",
    "-compile-threads=x {p}",
    "-compile-threads=0 {p}",
    "-compile-threads",
    "-compile-threads= {p}",
    "-entry-function=other {p}",
    "-entry-function= {p}",
    "--entry-function other {p} other",
    "-thread-entry=other {p}",
    "-jit-kind=mcjit -thread-entry=other {p}",
    "-jit-kind=mcjit -per-module-lazy {p}",
    "-jit-kind=mcjit -fake-argv0 zz {p}",
    "-nozero-initialized-in-bss {p}",
    "-mattr=+sse2,-sse4a -mattr +sse3 {p}",
    "-inline-threshold 5 {p}",
    "-unroll-threshold=7 {p} x",
    "-emulated-tls {p}",
    "-W {p}",
    "-lljit-platform=Inactive {p}",
    "-lljit-platform=Nothing {p}",
    "-relocation-model=pic {p}",
    "-relocation-model=none {p}",
]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("lli") / "p.ll"
    path.write_text(PROGRAM)
    return path


def test_every_option_of_lli_has_a_row():
    missing = [name for name in llvm_flags.names() if find(name) is None]
    assert not missing


def test_options_that_llvmlite_lacks_are_dealt_with_one_by_one():
    rows = {name for row in (*table.OPTIONS, *codegen_flags.OPTIONS) for name in row.names}
    lacking = {name for name, (_, has) in llvm_flags.names().items() if not has}
    assert {name for name in lacking - rows if "polly" not in name} == set()


def test_rows_take_a_value_where_lli_needs_one():
    # lli's -print-... and the like with an optional value are listed without one.
    for name, (valued, _) in llvm_flags.names().items():
        takes = find(name).arity in (Arity.VALUE, Arity.JOINED)
        assert takes == valued, name


def test_no_spelling_is_in_two_rows():
    names = [name for row in (*table.OPTIONS, *codegen_flags.OPTIONS) for name in row.names]
    assert len(names) == len(set(names))


def test_every_row_says_why():
    for row in (*table.OPTIONS, *codegen_flags.OPTIONS):
        assert row.text and not row.text.endswith("."), row.name
        assert (row.apply is not None) == (row.fate is Fate.DO), row.name


@needs_lli
def test_the_snapshot_is_what_lli_lists():
    spec = importlib.util.spec_from_file_location(
        "regenerate", Path(__file__).with_name("regenerate.py")
    )
    regenerate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(regenerate)
    listed = regenerate.lli_options()
    # Patch releases add and drop tuning options; those of lli's own must be the same.
    gone = {name for name, (_, has) in llvm_flags.names().items() if not has} - set(listed)
    new = {name for name in listed if find(name) is None}
    assert (gone, new) == (set(), set())


@needs_lli
@pytest.mark.parametrize("words", SPELLINGS)
def test_words_are_read_as_lli_reads_them(program, words):
    words = [word.format(p=program) for word in words.split()]
    lli = subprocess.run([LLI, *words], capture_output=True, text=True, timeout=600)
    try:
        request = parse(words)
    except CommandLineError:
        assert lli.returncode == 1 and not lli.stdout
        return
    seen = [request.argv0 or request.file, *request.arguments]
    if request.entry == "main":
        assert lli.stdout == "".join(f"[{argument}]" for argument in seen)
        assert lli.returncode == len(seen)
    else:
        assert (lli.stdout, lli.returncode) == ("", 7)


@needs_lli
def test_response_files_are_read_as_lli_reads_them(program, tmp_path):
    response = tmp_path / "words"
    response.write_text(f"-jit-kind=orc\n'{program}' 'a b' -O0")
    words = [f"@{response}", "c"]
    lli = subprocess.run([LLI, *words], capture_output=True, text=True, timeout=600)
    request = parse(words)
    seen = [request.file, *request.arguments]
    assert lli.stdout == "".join(f"[{argument}]" for argument in seen)
