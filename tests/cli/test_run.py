"""`lazyjit run` as a process: what a script sees of it. Needs the whole of lazyjit.

`LAZYJIT_RUN="lli-22"` in the environment runs another command instead, to check what is expected
here against lli.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import lazyjit

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
OTHER = os.environ.get("LAZYJIT_RUN")
COMMAND = shlex.split(OTHER) if OTHER else [sys.executable, "-m", "lazyjit", "run"]

#: The package that is tested here is the one that is tested there, from whatever directory.
PATHS = [str(Path(lazyjit.__file__).parents[1]), *os.environ.get("PYTHONPATH", "").split(":")]
ENVIRONMENT = {**os.environ, "PYTHONPATH": ":".join(str(Path(path).resolve()) for path in PATHS)}

ours = pytest.mark.skipif(OTHER is not None, reason="lazyjit's own behaviour")
needs_clang = pytest.mark.skipif(shutil.which("clang-22") is None, reason="no clang-22")

PUTS = """
declare i32 @puts(ptr)
declare i32 @printf(ptr, ...)
declare i32 @atexit(ptr)
declare void @exit(i32)
"""


def text(name, words):
    """A constant C string."""
    return f'@{name} = private constant [{len(words) + 1} x i8] c"{words}\\00"\n'


def say(name):
    """A function that prints its name."""
    return (
        text(f"{name}.text", name)
        + f"define void @{name}() {{\n  call i32 @puts(ptr @{name}.text)\n  ret void\n}}\n"
    )


@pytest.fixture
def run(tmp_path):
    """`run("-O0 p.ll x", p="define ...")`: writes the files, runs the command among them."""

    def run_command(words, *, stdin=None, **files):
        for name, content in files.items():
            (tmp_path / f"{name}.ll").write_text(content)
        return subprocess.run(
            [*COMMAND, *shlex.split(words)],
            cwd=tmp_path,
            env=ENVIRONMENT,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=600,
        )

    return run_command


@pytest.mark.parametrize(
    ("main", "code"),
    [
        ("define i32 @main() {\n  ret i32 42\n}", 42),
        ("define i32 @main(i32 %c) {\n  ret i32 %c\n}", 3),
        ("define i32 @main(i32 %c, ptr %v, ptr %e) {\n  ret i32 %c\n}", 3),
        ("define i32 @main() {\n  ret i32 300\n}", 44),
        ("define i32 @main() {\n  ret i32 -1\n}", 255),
    ],
)
def test_mains_of_all_kinds_and_their_exit_codes(run, main, code):
    assert run("p.ll a b", p=main).returncode == code


def test_the_environment_is_main_s_third_argument(run):
    main = (
        "declare i32 @puts(ptr)\n"
        "define i32 @main(i32 %c, ptr %v, ptr %e) {\n"
        "  %first = load ptr, ptr %e\n  call i32 @puts(ptr %first)\n  ret i32 0\n}"
    )
    if OTHER:
        pytest.skip("lli's ORC kinds pass no environment")
    assert "=" in run("p.ll", p=main).stdout


def test_streams_pass_through(run):
    main = (
        "declare i32 @getchar()\ndeclare i32 @putchar(i32)\n"
        "define i32 @main() {\nentry:\n  br label %loop\nloop:\n"
        "  %c = call i32 @getchar()\n  %end = icmp slt i32 %c, 0\n"
        "  br i1 %end, label %done, label %out\nout:\n"
        "  call i32 @putchar(i32 %c)\n  br label %loop\ndone:\n  ret i32 0\n}"
    )
    assert run("p.ll", stdin="through\nand through", p=main).stdout == "through\nand through"


@pytest.mark.parametrize(("words", "count"), [("- a", 2), ("-O1", 1)])
def test_a_program_from_stdin(run, words, count):
    main = "define i32 @main(i32 %c) {\n  ret i32 %c\n}"
    assert run(words, stdin=main).returncode == count


def ends(last):
    """A program with a constructor, a destructor and two atexit handlers, and how it ends."""
    return (
        PUTS + "".join(map(say, ("constructor", "destructor", "first", "second", "body")))
        + "@llvm.global_ctors = appending global [1 x {i32, ptr, ptr}] "
        "[{i32, ptr, ptr} {i32 65535, ptr @constructor, ptr null}]\n"
        "@llvm.global_dtors = appending global [1 x {i32, ptr, ptr}] "
        "[{i32, ptr, ptr} {i32 65535, ptr @destructor, ptr null}]\n"
        "define i32 @main() {\n  call i32 @atexit(ptr @first)\n  call i32 @atexit(ptr @second)\n"
        f"  call void @body()\n{last}\n}}"
    )  # fmt: skip


ORDER = ["constructor", "body", "second", "first", "destructor"]


@pytest.mark.parametrize("level", ["-O0", "-O2"])
def test_handlers_and_destructors_run_when_main_returns(run, level):
    done = run(f"{level} p.ll", p=ends("  ret i32 7"))
    assert (done.stdout.split(), done.returncode) == (ORDER, 7)


@ours
@pytest.mark.parametrize("level", ["-O0", "-O2"])
def test_handlers_and_destructors_run_when_the_program_exits(run, level):
    done = run(f"{level} p.ll", p=ends("  call void @exit(i32 7)\n  unreachable"))
    assert (done.stdout.split(), done.returncode) == (ORDER, 7)


@ours
def test_a_module_without_main_does_not_run_python_s(run):
    done = run("p.ll", p="define i32 @f() {\n  ret i32 0\n}")
    assert done.stderr == "lazyjit: error: the program has no function 'main' (--entry)\n"
    assert done.returncode == 1


@ours
@pytest.mark.parametrize("content", ["garbage", "define i32 @main() {\n  ret i32 %x\n}"])
def test_what_is_no_program_is_one_line(run, content):
    done = run("p.ll", p=content)
    assert done.returncode == 1
    assert done.stderr.startswith("lazyjit: error: ") and done.stderr.count("\n") == 1
    assert "p.ll" in done.stderr


@ours
def test_a_missing_symbol_is_named_and_earlier_output_kept(run):
    main = (
        PUTS + say("before") + "declare void @nowhere_at_all()\n"
        "define i32 @main() {\n  call void @before()\n  call void @inner()\n  ret i32 0\n}\n"
        "define void @inner() noinline {\n  call void @nowhere_at_all()\n  ret void\n}\n"
    )
    done = run("--unit-policy=function -O0 p.ll", p=main)
    assert (done.returncode, done.stdout) == (1, "before\n")
    assert "nowhere_at_all" in done.stderr and "Traceback" not in done.stderr


def test_what_nobody_calls_may_be_missing(run):
    main = (
        "declare void @nowhere_at_all()\n"
        "define i32 @main() {\n  ret i32 5\n}\n"
        "define void @f() {\n  call void @nowhere_at_all()\n  ret void\n}\n"
    )
    assert run("-jit-kind=orc-lazy p.ll", p=main).returncode == 5


def test_another_entry(run):
    assert run("-entry-function=f p.ll", p="define i32 @f() {\n  ret i32 9\n}").returncode == 9


def test_extra_modules_in_dylibs(run):
    declared = "declare i32 @f()\ndeclare i32 @g()\n"
    main = declared + (
        "define i32 @main() {\n  %a = call i32 @f()\n  %b = call i32 @g()\n"
        "  %s = add i32 %a, %b\n  ret i32 %s\n}"
    )
    words = "-extra-module=a.ll -jd=one -extra-module=b.ll --jd two --extra-module c.ll p.ll"
    done = run(
        words,
        p=main,
        a="define i32 @f() {\n  ret i32 1\n}",
        b="define i32 @g() {\n  ret i32 2\n}",
        c="define i32 @g() {\n  ret i32 32\n}",
    )
    assert done.returncode == 3


def test_the_process_s_symbols_can_be_hidden(run):
    main = "declare i32 @getpid()\ndefine i32 @main() {\n  %p = call i32 @getpid()\n  ret i32 0\n}"
    assert run("p.ll", p=main).returncode == 0
    assert run("-lljit-platform=Inactive -no-process-syms p.ll", p=main).returncode == 1


def test_entry_threads(run):
    main = PUTS + say("one") + say("two") + "define i32 @main() {\n  ret i32 4\n}"
    done = run("-thread-entry=one -thread-entry two p.ll", p=main)
    assert (sorted(done.stdout.split()), done.returncode) == (["one", "two"], 4)


@ours
def test_statistics_go_to_stderr_at_the_very_end(run):
    done = run("--stats p.ll", p=ends("  call void @exit(i32 7)\n  unreachable"))
    assert done.stdout.split() == ORDER
    assert done.stderr.startswith("lazyjit: statistics\n") and "functions" in done.stderr


@ours
def test_units_are_printed_as_they_are_compiled(run):
    main = "define i32 @main() {\n  ret i32 0\n}\ndefine i32 @uncalled() {\n  ret i32 0\n}\n"
    done = run("--unit-policy=function --print-units p.ll", p=main)
    assert "@main" in done.stderr and "@uncalled" not in done.stderr


@ours
def test_llvm_s_own_options_reach_llvm(run):
    main = "define i32 @main() {\n  ret i32 0\n}"
    assert run("-inline-threshold=7 p.ll", p=main).returncode == 0
    done = run("-inline-threshold=x p.ll", p=main)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("lazyjit: error: for the --inline-threshold option: 'x' ")


LOOP = """
declare i32 @puts(ptr)
declare i32 @fflush(ptr)
@text = private constant [6 x i8] c"going\\00"
define i32 @main() {
  call i32 @puts(ptr @text)
  call i32 @fflush(ptr null)
  br label %loop
loop:
  br label %loop
}
"""


@contextlib.contextmanager
def started(directory):
    """The program in a process of its own, which does not outlive the test."""
    with subprocess.Popen(
        [*COMMAND, "-O0", "p.ll"], cwd=directory, env=ENVIRONMENT, stdout=subprocess.PIPE
    ) as running:
        try:
            yield running
        finally:
            running.kill()


@ours
def test_an_interrupt_ends_a_busy_program(tmp_path):
    (tmp_path / "p.ll").write_text(LOOP)
    with started(tmp_path) as running:
        assert running.stdout.readline() == b"going\n"
        running.send_signal(signal.SIGINT)
        assert running.wait(600) == -signal.SIGINT


@ours
def test_a_closed_pipe_ends_the_program_as_it_would_natively(tmp_path):
    (tmp_path / "p.ll").write_text(
        LOOP.replace("br label %loop\n}", "call i32 @puts(ptr @text)\n  br label %loop\n}")
    )
    with started(tmp_path) as running:
        assert running.stdout.readline() == b"going\n"
        running.stdout.close()
        assert running.wait(600) == -signal.SIGPIPE


@needs_clang
def test_objects_and_archives(tmp_path):
    sources = {
        "a": "int f(void) { return 40; }",
        "b": "int g(void) { return 2; }",
        "c": "int unneeded = 1; extern int nowhere(void); int h(void) { return nowhere(); }",
    }
    for name, source in sources.items():
        (tmp_path / f"{name}.c").write_text(source)
        subprocess.run(["clang-22", "-c", "-O1", "-fPIC", f"{name}.c"], cwd=tmp_path, check=True)
    archive = ["llvm-ar-22" if shutil.which("llvm-ar-22") else "ar", "rcs", "lib.a", "b.o", "c.o"]
    subprocess.run(archive, cwd=tmp_path, check=True)
    (tmp_path / "p.ll").write_text(
        "declare i32 @f()\ndeclare i32 @g()\n"
        "define i32 @main() {\n  %a = call i32 @f()\n  %b = call i32 @g()\n"
        "  %s = add i32 %a, %b\n  ret i32 %s\n}"
    )
    words = [*COMMAND, "-extra-object=a.o", "--extra-archive", "lib.a", "p.ll"]
    assert subprocess.run(words, cwd=tmp_path, env=ENVIRONMENT, timeout=600).returncode == 42


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mandelbrot.ll mandelbrot 30 12", "mandelbrot: 30 x 12 points, 145544 steps"),
        ("nbody.ll 10", "energy"),
        ("sieve.ll 1000000", "primes up to 1000000: 78498"),
    ],
)
@pytest.mark.parametrize("level", ["-O0", "-O3"])
def test_the_examples(words, expected, level):
    done = subprocess.run(
        [*COMMAND, level, *words.split()],
        cwd=EXAMPLES,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert expected in done.stdout
