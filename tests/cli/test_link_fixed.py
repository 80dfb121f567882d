"""Programs of objects for fixed positions: below 2 GiB, with what they refer to in reach."""

import subprocess

import pytest
from link_command import linking, returns

from lazyjit.cli.link_fixed import needs_fixed_position
from lazyjit.codegen.assembler import LLVMAssembler

__all__ = ["linking"]

FIXED = ("-fno-pic", "-fno-pie", "-O0")

PROGRAM = r"""
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
extern char **environ;
static int compare(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }
int main(int count, char **words) {
    int option, found = 0;
    int (*print)(const char *) = puts;
    while ((option = getopt(count, words, "ab:")) != -1)
        printf("%c %s %d\n", option, optarg ? optarg : "-", optind);
    print("by its address");
    setenv("ADDED", "1", 1);
    for (char **each = environ; *each; each++)
        found |= !strcmp(*each, "ADDED=1");
    printf("in the environment: %d\n", found);
    qsort(words + 1, count - 1, sizeof *words, compare);
    printf("first: %s\n", words[1]);
    fflush(stdout);
    stdout = stderr;
    printf("to the other\n"); /* by libc's own idea of stdout */
    return optind;
}
"""


def test_the_librarys_variables_are_the_programs_too(linking, compile_object):
    linking.path("main.o").write_bytes(compile_object(PROGRAM, *FIXED))
    done = linking.run("main.o", "-args", "-a", "-b", "x", "y")
    assert done.stdout.splitlines() == [
        "a - 2", "b x 4", "by its address", "in the environment: 1", "first: -a",
    ]  # fmt: skip
    assert (done.stderr, done.returncode) == ("to the other\n", 4)


def test_files_for_any_position_go_along(linking, compile_object):
    source = "extern int shared; int *where(void); int main(void) { return *where() + shared; }"
    linking.path("main.o").write_bytes(compile_object(source, *FIXED))
    linking.path("other.o").write_bytes(
        compile_object("int shared = 20; int *where(void) { return &shared; }")
    )
    linking.ok("main.o", "other.o", code=40)
    linking.archive("lib.a", "other.o")
    linking.ok("main.o", "lib.a", code=40)


def test_variables_of_a_library_that_is_linked(linking, compile_object):
    source = (
        "#include <zlib.h>\n#include <stdio.h>\n"
        "int main(void) { fputs(zlibVersion() ? \"z\" : \"\", stdout); return 0; }"
    )  # fmt: skip
    source = source.replace("#include <zlib.h>", "const char *zlibVersion(void);")
    linking.path("main.o").write_bytes(compile_object(source, *FIXED))
    done = linking.run("main.o", "-search-sys-lib", "-lz")
    if "no library of this name" in done.stderr:
        pytest.skip("this machine has no zlib")
    assert (done.stdout, done.returncode) == ("z", 0)


def test_a_variable_that_shares_its_place_with_labels(linking, compile_object):
    """The loader, asked for the place, gives whichever name it comes upon first."""
    labels = "\n".join(f".globl label{number}\nlabel{number}:" for number in range(50))
    value = ".globl value\n.type value, @object\nvalue: .long 7\n.size value, 4"
    text = f'.section .note.GNU-stack,""\n.data\n{labels}\n{value}'
    library = linking.path("libvalue.so")
    subprocess.run(["gcc", "-shared", "-o", library, linking.object("value.o", text)], check=True)
    source = "extern int value; int main(void) { int *place = &value; return *place; }"
    linking.path("main.o").write_bytes(compile_object(source, *FIXED))
    linking.ok("main.o", f"-L{linking.folder}", "-lvalue", code=7)


def test_what_nobody_has_is_missing(linking, compile_object):
    linking.path("main.o").write_bytes(
        compile_object(
            "int nobody(void); int main(void) { return nobody(); }"
            "int (*pointer)(void) = nobody; int *unused(void);",
            *FIXED,
            "-fno-asynchronous-unwind-tables",
        )
    )
    assert "nobody" in linking.fails("main.o")


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("movl $f, %eax", True),
        ("movq f, %rax", True),
        ("leaq f(%rip), %rax\ncall g@PLT\nmovq h@GOTPCREL(%rip), %rax", False),
        (".quad f", False),
        (".section .debug_info\n.long f", False),
        ('.section .other,"aw"\n.long f', True),
    ],
)
def test_an_object_is_told_by_its_relocations(text, fixed):
    data = LLVMAssembler().assemble(text).object
    assert needs_fixed_position(data) is fixed


def test_what_is_malformed_is_left_to_the_reader():
    data = LLVMAssembler().assemble(returns("f", 1) + "movl $f, %eax").object
    for end in range(0, len(data), 7):
        needs_fixed_position(data[:end])
    assert not needs_fixed_position(b"\x7fELF")
    for place in (40, 60, 61):
        needs_fixed_position(data[:place] + b"\xff" + data[place + 1 :])
