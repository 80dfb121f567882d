"""C as a source of kernels: what becomes of it, and how its mistakes come back."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from lazyjit import JIT, c_source
from lazyjit.errors import CompilerNotFound, DuplicateDefinition, SourceError

try:
    c_source.find_compiler()
except CompilerNotFound as error:
    pytest.skip(str(error), allow_module_level=True)

KERNELS = """
#include <math.h>
static double square(double x) { return x * x; }
double hypotenuse(double a, double b) { return sqrt(square(a) + square(b)); }
void axpy(double a, const double *x, double *y, long n) {
    for (long i = 0; i < n; i++)
        y[i] += a * x[i];
}
int never(void) { return 1; }
"""


def test_c_text_is_compiled_when_it_is_called(jit):
    jit.add_c(KERNELS)
    assert jit.statistics().functions_compiled == 0
    assert jit["hypotenuse"](3.0, 4.0) == 5.0
    assert jit.callable("never").state == "lazy"


def test_optimization_is_left_to_the_jit():
    text = c_source.compile_c(KERNELS).decode()
    assert "optnone" not in text
    assert "call double @square" in text  # clang has inlined nothing
    assert '"target-cpu"="x86-64"' not in text


def test_the_jits_cpu_is_the_codes():
    assert '"target-cpu"="x86-64-v2"' in c_source.compile_c(KERNELS, cpu="x86-64-v2").decode()
    assert '"target-cpu"="x86-64"' in c_source.compile_c(KERNELS, cpu="generic").decode()


def test_a_path_is_a_source_and_finds_its_headers_beside_it(jit, tmp_path):
    (tmp_path / "limit.h").write_text("#define LIMIT 7\n")
    path = tmp_path / "limit.c"
    path.write_text('#include "limit.h"\nint limit(void) { return LIMIT; }\n')
    jit.add_c(path)
    assert jit["limit"]() == 7


def test_text_finds_headers_in_the_present_directory(jit, tmp_path, monkeypatch):
    (tmp_path / "limit.h").write_text("#define LIMIT 8\n")
    monkeypatch.chdir(tmp_path)
    jit.add_c('#include "limit.h"\nint limit(void) { return LIMIT; }\n')
    assert jit["limit"]() == 8


def test_flags_are_the_compilers(jit):
    jit.add_c("int value(void) { return VALUE; }", flags=["-DVALUE=12"])
    assert jit["value"]() == 12


def test_a_mistake_comes_back_with_file_line_and_column(jit):
    with pytest.raises(SourceError) as caught:
        jit.add_c("int good(void) { return 1; }\n\nint bad(void) { return nowhere; }\n", name="k.c")
    error = caught.value
    assert (error.file, error.line, error.column) == ("k.c", 3, 24)
    assert "nowhere" in error.reason
    assert str(error).startswith("k.c:3: ")
    assert [each.kind for each in error.diagnostics] == ["error"]


def test_a_mistake_in_a_header_names_the_header(jit, tmp_path):
    header = tmp_path / "bad.h"
    header.write_text("\nint x = ;\n")
    path = tmp_path / "uses.c"
    path.write_text('#include "bad.h"\n')
    with pytest.raises(SourceError) as caught:
        jit.add_c(path)
    assert (caught.value.file, caught.value.line) == (str(header), 2)


def test_all_mistakes_are_told(jit):
    with pytest.raises(SourceError, match="and 1 more") as caught:
        jit.add_c("int f(void) { return a; }\nint g(void) { return b; }\n")
    assert [each.line for each in caught.value.diagnostics] == [1, 2]


def test_a_flag_that_clang_does_not_know_is_a_typed_error(jit):
    for flag in ("-fno-such-flag", "-std=c77"):
        with pytest.raises(SourceError, match=flag[3:]) as caught:
            jit.add_c("int f(void) { return 1; }", flags=[flag])
        error = caught.value
        assert (error.file, error.line, error.diagnostics[0].kind) == ("<c>", None, "error")
        assert "error:" not in str(error)


@pytest.mark.parametrize("source", ["{" * 3000, ";}", "int f(void) { __asm__(", "\ud800;"])
def test_nonsense_is_a_typed_error(jit, source):
    with pytest.raises(SourceError):
        jit.add_c(source)


def test_a_warning_is_a_python_warning(jit):
    with pytest.warns(c_source.CompilerWarning, match=r"w\.c:1:\d+: warning: .*unused"):
        jit.add_c("int f(void) { int unused; return 1; }", flags=["-Wall"], name="w.c")
    assert jit["f"]() == 1


def test_a_file_that_is_not_there_is_an_oserror(jit, tmp_path):
    with pytest.raises(FileNotFoundError):
        jit.add_c(tmp_path / "none.c")


def test_a_str_that_is_no_text_is_a_path_an_empty_one_too(jit, tmp_path):
    with pytest.raises(FileNotFoundError, match="''"):
        jit.add_c("")
    for folder in (".", tmp_path):
        with pytest.raises(IsADirectoryError):
            jit.add_c(folder)


@pytest.mark.parametrize("name", ["kernel", "kernel.txt"])
def test_a_file_of_any_name_is_c(jit, tmp_path, name):
    (tmp_path / name).write_text("")
    jit.add_c(tmp_path / name)
    (tmp_path / name).write_text("int one(void) { return 1; }")
    jit.add_c(tmp_path / name)
    assert jit["one"]() == 1


def test_an_ending_or_a_flag_says_otherwise(jit, tmp_path):
    (tmp_path / "k.cpp").write_text('extern "C" int one() { return 1; }')
    jit.add_c(tmp_path / "k.cpp")
    (tmp_path / "k").write_text('extern "C" int two() { return 2; }')
    jit.add_c(tmp_path / "k", flags=["-x", "c++"])
    assert jit["one"]() + jit["two"]() == 3


def test_a_second_definition_is_refused_and_the_first_stays(jit):
    jit.add_c("int one(void) { return 1; }")
    with pytest.raises(DuplicateDefinition):
        jit.add_c("int one(void) { return 2; }")
    assert jit["one"]() == 1


def test_removing_the_tracker_removes_the_functions(jit):
    tracker = jit.add_c("int one(void) { return 1; }")
    assert jit["one"]() == 1
    jit.remove(tracker)
    jit.add_c("int one(void) { return 2; }")
    assert jit["one"]() == 2


def test_without_a_compiler_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(c_source.shutil, "which", lambda name: None)
    monkeypatch.setattr(c_source.importlib.util, "find_spec", lambda name: None)
    with JIT() as jit, pytest.raises(CompilerNotFound, match=r"pip install lazyjit\[c\]"):
        jit.add_c("int f(void) { return 1; }")


def test_a_clang_that_is_too_new_is_passed_over(monkeypatch):
    there = {"clang": "/opt/clang"}
    monkeypatch.setattr(c_source.shutil, "which", there.get)
    monkeypatch.setattr(c_source, "_version", lambda command: 99)
    monkeypatch.setattr(c_source.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CompilerNotFound, match="/opt/clang is clang 99"):
        c_source.find_compiler()


def test_clang_22_is_not_asked_for_its_version(monkeypatch):
    there = {"clang-22": "/opt/clang-22", "clang": "/opt/clang"}
    monkeypatch.setattr(c_source.shutil, "which", there.get)
    monkeypatch.setattr(c_source, "_version", lambda command: pytest.fail("asked"))
    assert c_source.find_compiler() == c_source.CCompiler(("/opt/clang-22",), 22)


def test_a_first_kernel_starts_clang_once(jit, monkeypatch, tmp_path):
    clang = shutil.which("clang-22")
    if clang is None:
        pytest.skip("clang-22 is not installed")
    calls = tmp_path / "calls"
    counting = tmp_path / "clang-22"
    counting.write_text(f'#!/bin/sh\necho call >> "{calls}"\nexec "{clang}" "$@"\n')
    counting.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    jit.add_c(KERNELS)
    assert jit["hypotenuse"](3.0, 4.0) == 5.0
    assert calls.read_text() == "call\n"


def test_the_wheel_stands_in_for_clang(jit, monkeypatch):
    pytest.importorskip("ziglang", reason="needs the extra lazyjit[c]")
    monkeypatch.setattr(c_source.shutil, "which", lambda name: None)
    assert c_source.find_compiler().zig
    jit.add_c(KERNELS)
    assert jit["hypotenuse"](3.0, 4.0) == 5.0
    with pytest.raises(SourceError) as caught:
        jit.add_c("\nint f(void) { return nowhere; }", name="z.c")
    assert (caught.value.file, caught.value.line) == ("z.c", 2)


def test_an_older_clang_hands_over_bitcode(jit, monkeypatch):
    # This clang under an older one's name: it is asked for bitcode, and that is read.
    found = c_source.find_compiler()
    older = c_source.CCompiler(found.command, found.version - 1)
    monkeypatch.setattr(c_source, "find_compiler", lambda: older)
    assert c_source.compile_c(KERNELS).startswith(b"BC")
    jit.add_c(KERNELS)
    assert jit["hypotenuse"](3.0, 4.0) == 5.0


def run_cli(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lazyjit", "run", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_lazyjit_run_takes_a_c_file(tmp_path):
    path = tmp_path / "program.c"
    path.write_text(
        '#include <stdio.h>\nint main(int n, char **v) { printf("%s\\n", v[1]); return n; }'
    )
    done = run_cli(path, "hello")
    assert (done.returncode, done.stdout) == (2, "hello\n"), done.stderr


def test_lazyjit_run_tells_where_a_c_file_is_wrong(tmp_path):
    path = tmp_path / "program.c"
    path.write_text("int main(void) {\n  return nothing;\n}\n")
    done = run_cli(path)
    assert done.returncode != 0
    assert f"{path}:2" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_compiler_that_is_found_is_one_that_is_there():
    assert shutil.which(c_source.find_compiler().command[0])
