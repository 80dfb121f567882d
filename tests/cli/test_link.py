"""`lazyjit link` from outside: what it links, runs, prints and returns."""

import shutil
import subprocess

import pytest
from link_command import calls, linking, returns

__all__ = ["linking"]

needs_ar = pytest.mark.skipif(shutil.which("ar") is None, reason="needs ar (binutils)")

GREETS = """
        .globl  main
main:   pushq   %rbx
        movl    %edi, %ebx
        movq    8(%rsi), %rdi
        callq   puts@PLT
        leal    40(%rbx), %eax
        popq    %rbx
        ret
"""


def test_a_program_runs_with_its_arguments_and_exit_code(linking):
    linking.object("main.o", GREETS)
    assert linking.ok("main.o", "-args", "hello", "-x", code=43) == "hello\n"


def test_argv0_is_the_first_file(linking):
    linking.object("main.o", GREETS.replace("8(%rsi)", "(%rsi)"))
    assert linking.ok("main.o", code=41) == "main.o\n"


def test_output_and_streams_pass_through(linking, compile_object):
    linking.path("cat.o").write_bytes(
        compile_object(
            "#include <stdio.h>\n#include <stdlib.h>\n"
            'static void last(void) { puts("last"); }\n'
            '__attribute__((constructor)) static void first(void) { puts("first"); }\n'
            '__attribute__((destructor)) static void end(void) { puts("end"); }\n'
            "int main(void) { atexit(last); int c; while ((c = getchar()) != EOF) putchar(c);"
            ' fputs("told", stderr); return 300; }'
        )
    )
    done = linking.run("cat.o", input="through\n")
    assert (done.stdout, done.stderr) == ("first\nthrough\nlast\nend\n", "told")
    assert done.returncode == 300 & 0xFF


def test_what_is_not_reached_is_not_linked(linking):
    linking.object("main.o", returns("main", 4))
    linking.object("broken.o", calls("other", "nobody"))
    linking.ok("main.o", "broken.o", code=4)
    assert linking.ok("-show-linked-files", "main.o", "broken.o", code=4) == "Linking main.o\n"


def test_without_running_only_the_link_counts(linking):
    linking.object("main.o", calls("main", "other"))
    linking.object("other.o", returns("other", 3))
    assert linking.ok("-noexec", "main.o", "other.o") == ""
    done = linking.run("-noexec", "main.o", "other.o", "-args", "x")
    assert (done.returncode, done.stderr) == (
        0,
        "lazyjit: warning: -args is ignored with -noexec\n",
    )


def test_another_entry(linking):
    linking.object("a.o", returns("start", 5))
    linking.ok("-entry=start", "a.o", code=5)
    assert linking.fails("a.o") == "symbols not found: main"
    assert linking.fails("-noexec", "a.o") == "symbols not found: main"


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_any_number_of_threads(linking, threads):
    linking.object("main.o", calls("main", "a"))
    linking.object("a.o", calls("a", "b"))
    linking.object("b.o", returns("b", 6))
    linking.ok(f"-num-threads={threads}", "main.o", "a.o", "b.o", code=6)


def test_assembly_is_an_input(linking):
    linking.path("main.s").write_text(calls("main", "util"))
    linking.path("util.asm").write_text(returns("util", 7))
    linking.ok("main.s", "util.asm", code=7)
    linking.path("bad.s").write_text("nop\n\n  bah %rax\n")
    assert linking.fails("bad.s") == "bad.s:3: invalid instruction mnemonic 'bah'"
    linking.path("cpp.S").write_text("#include <x>\n")
    assert "preprocess" in linking.fails("cpp.S")


def test_standard_input_is_an_input(linking):
    assert linking.run("-", input=returns("main", 8)).returncode == 8


def test_times_are_told_on_stderr(linking):
    linking.object("main.o", returns("main", 0))
    done = linking.run("-show-times", "main.o")
    assert done.stdout == ""
    phases = [line.split(maxsplit=2)[2] for line in done.stderr.splitlines()[2:]]
    assert phases == [
        "time to load/add object files",
        "time to link object files",
        "time to execute jitlink'd code",
        "total",
    ]
    assert "execute" not in linking.run("-noexec", "-show-times", "main.o").stderr


# -- symbols -------------------------------------------------------------------------------------


def test_symbols_at_addresses(linking):
    linking.object("main.o", ".globl main\nmain: movabsq $where, %rax\nret\n")
    linking.ok("main.o", "-abs", "where=0x17", code=0x17)


def test_other_names(linking):
    linking.object("main.o", calls("main", "name"))
    linking.object("a.o", returns("a", 9))
    linking.ok("main.o", "a.o", "-alias", "name=a", code=9)


def test_phony_externals_are_at_zero(linking):
    linking.object("main.o", ".globl main\nmain: movabsq $nobody, %rax\naddq $2, %rax\nret\n")
    linking.ok("-phony-externals", "main.o", code=2)
    assert linking.fails("main.o") == "symbols not found: nobody (needed by main.o)"


def test_the_error_at_the_root_is_told_or_all_that_it_took_along(linking):
    linking.object("main.o", calls("main", "middle"))
    linking.object("middle.o", calls("middle", "nobody"))
    files = ["main.o", "middle.o"]
    assert linking.fails(*files) == "symbols not found: nobody (needed by middle.o)"
    secondary = linking.fails(*files, "-show-err-failed-to-materialize")
    assert secondary.startswith("failed to materialize ") and "nobody" in secondary


def test_the_process_can_be_hidden(linking):
    linking.object("main.o", calls("main", "getpid"))
    assert "getpid" in linking.fails("-no-process-syms", "main.o")
    linking.ok("-noexec", "main.o")


# -- archives and libraries ----------------------------------------------------------------------


@needs_ar
@pytest.mark.parametrize("flags", ["rcs", "rcS", "rcsT", "rcST"])
def test_archives_of_every_make(linking, flags):
    linking.object("main.o", calls("main", "a"))
    linking.object("a.o", calls("a", "b"))
    linking.object("b.o", returns("b", 10))
    linking.object("c.o", calls("c", "nobody"))
    linking.archive("lib.a", "c.o", "b.o", "a.o", flags=flags)
    linking.ok("main.o", "lib.a", code=10)


@needs_ar
def test_all_members_or_those_that_are_needed(linking):
    linking.object("main.o", returns("main", 11))
    linking.object("twice.o", returns("main", 12))
    linking.archive("lib.a", "twice.o")
    linking.ok("main.o", "lib.a", code=11)
    for words in (["-force-load", "lib.a"], ["-force_load=lib.a"], ["-all_load", "lib.a"]):
        assert "duplicate definition of main" in linking.fails("main.o", *words)


@needs_ar
def test_hidden_libraries_are_seen_in_their_dylib(linking):
    linking.object("main.o", calls("main", "a"))
    linking.object("a.o", calls("a", "b"))
    linking.object("b.o", returns("b", 13))
    linking.archive("libb.a", "b.o")
    linking.ok("main.o", "-lx", "-jd", "x", "a.o", "-load_hidden", "libb.a", code=13)
    linking.ok("main.o", "-lx", "-jd", "x", "a.o", "-L.", "-hidden-lb", code=13)
    hidden = ["-jd", "x", "-load_hidden", "libb.a"]
    assert "symbols not found: b" in linking.fails("main.o", "-lx", "a.o", *hidden)
    linking.ok("main.o", "-lx", "a.o", "-jd", "x", "libb.a", code=13)
    assert "only an archive" in linking.fails("main.o", "-load_hidden", "a.o")


@needs_ar
def test_libraries_are_searched_where_it_was_said(linking):
    linking.object("main.o", calls("main", "b"))
    linking.object("b.o", returns("b", 14))
    linking.path("lib").mkdir()
    linking.archive("lib/libb.a", "b.o")
    linking.ok("main.o", "-L", "lib", "-lb", code=14)
    assert linking.fails("main.o", "-lb").startswith("-lb: no library of this name")
    assert linking.fails("main.o", "-jd", "x", "-Llib", "-jd", "main", "-lb").startswith("-lb: ")
    linking.ok("main.o", "-lx", "-jd", "x", "-Llib", "-lb", code=14)


@needs_ar
def test_linker_scripts_lead_to_libraries(linking):
    linking.object("main.o", calls("main", "b"))
    linking.object("b.o", returns("b", 15))
    linking.path("lib").mkdir()
    linking.archive("lib/libb.a", "b.o")
    linking.path("lib/libs.so").write_text("/* a script */\nINPUT ( -lb )\n")
    linking.ok("main.o", "-Llib", "-ls", code=15)
    linking.ok("main.o", "lib/libs.so", code=15)
    linking.path("lib/libs.so").write_text("\nINPUT ( -lb \n")
    assert linking.fails("main.o", "-Llib", "-ls") == (
        "lib/libs.so:2: the script ends within INPUT"
    )


def test_the_systems_libraries(linking):
    linking.object("main.o", calls("main", "zlibVersion"))
    assert linking.fails("main.o", "-lc").endswith("(-search-sys-lib adds the system's)")
    linking.object("main.o", GREETS)
    assert linking.ok("main.o", "-lc", "-search-sys-lib", "-args", "x", code=42) == "x\n"


def test_shared_libraries_and_preloading(linking):
    if shutil.which("cc") is None:
        pytest.skip("needs a compiler")
    linking.path("s.s").write_text(returns("shared", 16) + '.section .note.GNU-stack,"",@progbits')
    subprocess.run(["cc", "-shared", "s.s", "-o", "libs.so"], cwd=linking.folder, check=True)
    linking.object("main.o", calls("main", "shared"))
    linking.ok("main.o", "./libs.so", code=16)
    linking.ok("main.o", "libs.so", code=16)
    linking.ok("main.o", "-L.", "-ls", code=16)
    linking.ok("main.o", "-preload", "./libs.so", code=16)
    assert "nothing.so" in linking.fails("main.o", "-preload=nothing.so")
    assert "only an archive" in linking.fails("main.o", "-force-load", "libs.so")


def test_bitcode_is_told_apart(linking):
    linking.object("main.o", returns("main", 3))
    for magic in (b"BC\xc0\xde", b"\xde\xc0\x17\x0b"):
        linking.path("lto.o").write_bytes(magic + bytes(20))
        assert "LLVM bitcode: lazyjit run takes it" in linking.fails("main.o", "lto.o")


# -- dylibs --------------------------------------------------------------------------------------


def test_dylibs_see_what_they_link_against_and_may_define_the_same(linking):
    linking.object("main.o", calls("main", "a") + returns("number", 1))
    linking.object("a.o", calls("a", "number"))
    linking.object("b.o", returns("number", 17))
    linking.ok("main.o", "-lx", "-jd", "x", "a.o", "b.o", code=17)
    linking.ok("main.o", "-lx", "-jd", "x", "-lmain", "a.o", "b.o", code=17)
    linking.ok("main.o", "-lx", "-jd", "x", "a.o", "-jd", "main", "-jd", "x", "b.o", code=17)
    linking.ok("main.o", "-lx", "-jd", "x", "a.o", "-lmain", "-jd", "y", "b.o", code=1)
    linking.ok("main.o", "-lx", "-jd", "x", "a.o", "-ly", "-lmain", "-jd", "y", "b.o", code=17)


def test_dylibs_see_no_others(linking):
    linking.object("main.o", calls("main", "a") + returns("number", 1))
    linking.object("a.o", calls("a", "number"))
    assert "symbols not found: a" in linking.fails("main.o", "-jd", "x", "a.o", "-lmain")
    assert "symbols not found: number" in linking.fails("main.o", "-lx", "-jd", "x", "a.o")
    # Nor what those link against that they link against.
    words = ["main.o", "-lx", "-jd", "x", "-ly", "-jd", "y", "a.o", "-lmain"]
    assert "symbols not found: a" in linking.fails(*words)


def test_of_two_dylibs_the_one_named_first_is_taken(linking):
    linking.object("main.o", calls("main", "number"))
    linking.object("a.o", returns("number", 16))
    linking.object("b.o", returns("number", 17))
    dylibs = ["-jd", "x", "a.o", "-jd", "y", "b.o"]
    linking.ok("main.o", "-lx", "-ly", *dylibs, code=16)
    linking.ok("main.o", "-ly", "-lx", *dylibs, code=17)


def test_the_entry_point_is_the_first_of_all_dylibs(linking):
    linking.object("a.o", returns("main", 16))
    linking.object("b.o", returns("main", 17) + returns("start", 18))
    linking.ok("-jd", "x", "a.o", "-jd", "y", "b.o", code=16)
    linking.ok("-jd", "y", "b.o", "-jd", "x", "a.o", code=17)
    linking.ok("-entry=start", "-jd", "x", "a.o", "-jd", "y", "b.o", code=18)
    linking.object("hidden.o", ".hidden main\n" + returns("main", 19))
    linking.ok("hidden.o", code=19)
    linking.ok("-jd", "x", "hidden.o", "-jd", "y", "a.o", code=19)


def test_lazy_files_are_linked_at_the_first_call(linking):
    linking.object("main.o", calls("main", "a") + calls("unused", "b"))
    linking.object("a.o", returns("a", 18) + ".data\n.globl var\nvar: .long 1\n")
    linking.object("b.o", calls("b", "nobody"))
    lazy = ["-lazy", "a.o", "-lazy", "b.o"]
    linking.ok("main.o", *lazy, code=18)
    assert "nobody" in linking.fails("-entry=unused", "main.o", *lazy)
    linking.path("order.csv").write_text("main, a\nmain,b\n\nelse,c\n")
    speculate = ["-speculate=simple", "-speculate-order=order.csv"]
    linking.ok("main.o", *lazy, *speculate, code=18)
    linking.path("order.csv").write_text("main, a\nb\n")
    assert linking.fails("main.o", *lazy, *speculate).startswith("order.csv:2: not a pair")
    linking.archive("lib.a", "a.o")
    assert "lazily" in linking.fails("main.o", "-lazy", "lib.a")


# -- what is wrong -------------------------------------------------------------------------------


def test_wrong_files_are_told_by_name(linking):
    linking.object("main.o", returns("main", 0))
    linking.path("text.o").write_text("words")
    linking.path("cut.o").write_bytes(linking.path("main.o").read_bytes()[:100])
    linking.path("cut.a").write_bytes(b"!<arch>\nx")
    assert linking.fails("nothing.o") == "nothing.o: No such file or directory"
    assert linking.fails("text.o").startswith("text.o: neither an object")
    assert linking.fails("cut.o").startswith("cut.o: ")
    assert linking.fails("main.o", "cut.a").startswith("cut.a: ")
    assert "duplicate definition of main" in linking.fails("main.o", "main.o")
    assert linking.fails("-zap", "main.o", code=2).startswith("unknown option '-zap'")


def test_a_target_out_of_reach_is_told_with_its_place(linking):
    linking.object("main.o", ".globl main\nmain: leaq far(%rip), %rax\nret\n")
    words = linking.fails("-noexec", "main.o", "-abs", "far=0xffff000000000000")
    assert words.startswith("main.o: .text+0x3: R_X86_64_PC32 against far: ")


# -- sections, harness ---------------------------------------------------------------------------


def test_sections_are_made_of_files(linking):
    linking.path("data.bin").write_bytes(bytes([1, 2, 19]))
    linking.object("main.o", ".globl main\nmain: movq last@GOTPCREL(%rip), %rax\n"
                             "movzbl (%rax), %eax\nret\n")  # fmt: skip
    linking.ok("main.o", "-sectcreate", "data,data.bin@first=0,last=2,end=3", code=19)
    assert "-sectcreate: x is at 4, past the end" in linking.fails(
        "main.o", "-sectcreate=data,data.bin@x=4"
    )
    assert linking.fails("main.o", "-sectcreate=data,no.bin") == "no.bin: No such file or directory"


def local_one(name: str, callee: str) -> str:
    """A local function in a section of its own, and one that can't be linked."""
    text = calls(name, callee).replace(".globl", "#")
    broken = calls(f"{name}_broken", "nobody")
    return f'.section .text.{name},"ax"\n{text}\n.section .text.rest,"ax"\n{broken}'


def test_a_harness_tests_what_is_local_and_mocks_what_it_calls(linking):
    linking.object("a.o", local_one("quiet", "callee") + calls("callee", "network"))
    linking.object("test.o", calls("main", "quiet"))
    linking.object("mock.o", returns("callee", 20))
    linking.ok("a.o", "-harness", "test.o", "mock.o", code=20)
    assert "duplicate definition of callee" in linking.fails("a.o", "test.o", "mock.o")
    assert "symbols not found: quiet" in linking.fails("a.o", "test.o")
    linking.path("test.s").write_text(calls("main", "quiet"))
    linking.ok("a.o", "-harness", "test.s", "mock.o", code=20)


@needs_ar
def test_members_of_archives_are_tested_too(linking):
    linking.object("a.o", local_one("quiet", "callee"))
    linking.object("b.o", calls("callee", "deeper") + calls("unused", "nobody"))
    linking.object("c.o", returns("deeper", 21))
    linking.archive("lib.a", "a.o", "b.o", "c.o")
    linking.object("test.o", calls("main", "quiet"))
    linking.object("mock.o", returns("callee", 22))
    linking.ok("lib.a", "-harness", "test.o", "mock.o", code=22)
    assert "a harness file is" in linking.fails("a.o", "-harness", "lib.a")
    assert "lazily" in linking.fails("-lazy", "a.o", "-harness", "test.o")


def test_a_slab_that_is_too_small_is_told_with_its_option(linking):
    linking.object(
        "main.o", ".globl main\nmain: leaq big(%rip), %rax\nret\n.bss\nbig: .zero 100000\n"
    )
    words = linking.fails("main.o", "-noexec", "-slab-allocate=8Kb")
    assert "-slab-allocate: a slab of 8192 bytes has no room for a segment of " in words
