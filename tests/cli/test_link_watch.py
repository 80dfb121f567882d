"""What `lazyjit link` shows of a link, the checks that it makes, and links for elsewhere."""

import re
import shutil

import pytest
from link_command import calls, linking, returns

from lazyjit.link.graph import LinkGraph

__all__ = ["linking"]

needs_llvm_mc = pytest.mark.skipif(
    shutil.which("llvm-mc-22") is None and shutil.which("llvm-mc") is None,
    reason="llvm-mc is not installed",
)
SLAB = ["-noexec", "-slab-allocate=64Kb", "-slab-address=0x10000", "-slab-page-size=4096"]

MAIN = """
        .globl  main
main:   callq   far@PLT
        movl    $1, value(%rip)
        ret
        .size   main, . - main
        .data
value:  .long   7
"""

CHECKED = (
    """# Loads, places, operands.
# jitlink-check: *{4}value = 7
# jitlink-check: decode_operand(main, 0) = stub_addr(main.s, far) - next_pc(main)
# jitlink-check: *{8}got_addr(main.s, far) = far
# jitlink-check: section_addr(main.s, .text) = main
# other: value = 0
# other: main = \\
# other:   main
"""
    + MAIN
)


@pytest.fixture
def program(linking):
    linking.object("main.o", MAIN)
    return linking


def test_addresses_of_a_slab_are_where_it_is_said_to_be(program):
    text = program.ok(*SLAB, "-abs", "far=0x123456789abc", "-show-addrs", "main.o")
    assert text.startswith("Registered addresses:\nSymbols:\n")
    places = dict(re.findall(r"^  (.+): target addr = (0x\w+)", text, re.MULTILINE))
    assert {'"main"', '"value"', 'Section ".text"', 'Section ".data"', 'GOT "far"',
            'Stub "far"'} <= places.keys()  # fmt: skip
    addresses = {key: int(value, 16) for key, value in places.items()}
    assert all(0x10000 <= value < 0x20000 for value in addresses.values())
    assert addresses['"main"'] % 4096 == 0 and addresses['"value"'] % 4096 < 0x100
    assert addresses['Section ".text"'] == addresses['"main"']
    again = program.ok(*SLAB, "-abs", "far=0x123456789abc", "-show-addrs", "main.o")
    assert again == text


def test_a_slab_that_is_run_in(linking):
    linking.object("main.o", returns("main", 3))
    linking.ok("-slab-allocate=64Kb", "main.o", code=3)


def test_a_slab_that_is_too_small(linking):
    linking.object("main.o", returns("main", 3) + ".data\n.space 100000\n.globl d\nd: .quad main\n")
    words = linking.fails("-slab-allocate=16Kb", "-noexec", "-entry=d", "main.o")
    assert "100008 bytes" in words


def test_contents_after_fix_up(program):
    text = program.ok(*SLAB, "-abs", "far=0x123456789abc", "main.o",
                      "-show-relocated-section-contents")  # fmt: skip
    assert text.startswith("Relocated section contents for main.o:\n.text content:\n")
    assert "bc 9a 78 56 34 12 00 00" in text  # the GOT entry


def test_a_table_of_symbols(program):
    program.ok(*SLAB, "-phony-externals", "-write-symtab=out.txt", "main.o")
    lines = program.path("out.txt").read_text().splitlines()
    assert lines[0] == '"main.o"'
    rows = {name: int(address, 16) for address, name in (line.split() for line in lines[1:])}
    assert rows.keys() >= {"main", "value"} and rows["main"] % 4096 == 0
    assert "Is a directory" in program.fails(
        "-noexec", "-phony-externals", "-write-symtab=.", "main.o"
    )


def test_graphs_of_files_that_match(program):
    program.object("other.o", returns("far", 2))
    text = program.ok("-noexec", "main.o", "other.o", "-show-graphs")
    assert text.count("Link graph ") == 2
    assert 'Link graph "main.o" post-fixup:\n' in text and "far" in text
    some = program.ok("-noexec", "main.o", "other.o", "-show-graphs=^oth")
    assert some.startswith('Link graph "other.o"') and some.count("Link graph ") == 1
    none = program.run("-noexec", "main.o", "other.o", "-show-graphs=nowhere")
    assert (none.returncode, none.stdout) == (0, "")
    assert none.stderr == "lazyjit: warning: -show-graphs: no linked file matches 'nowhere'\n"
    assert "-show-graphs: '('" in program.fails("main.o", "-show-graphs=(", code=2)


def test_dylibs_and_symbols(program):
    text = program.ok("-noexec", "-phony-externals", "main.o", "-show-init-es", "-show-entry-es")
    before, after = text.split('JITDylib "<process>"')[1:]
    assert '"main": <not resolved> NEVER_SEARCHED (by main.o)\n' in before
    assert re.search(r'"main": 0x\w+ READY\n', after)


# -- checks --------------------------------------------------------------------------------------


def test_checks_in_the_source_hold(linking):
    linking.path("main.s").write_text(CHECKED)
    words = [*SLAB, "-abs", "far=0x123456789abc", "main.s", "-check=main.s"]
    assert linking.ok(*words) == ""
    done = linking.run(*words, "-check-name=other")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[0].startswith("lazyjit: check: main.s:6: 'value = 0' is false")
    assert done.stderr.splitlines()[1:] == ["lazyjit: error: 1 check failed"]
    assert linking.fails(*words, "-check-name=none") == "main.s: there are no checks in it"
    assert linking.fails(*words, "-check=nothing") == "nothing: No such file or directory"


def test_checks_see_aliases_and_several_files_of_checks(linking):
    linking.object("main.o", returns("main", 4))
    linking.path("one").write_text("# jitlink-check: other = main\n")
    linking.path("two").write_text("# jitlink-check: main = other\n# jitlink-check: far = 5\n")
    words = ["main.o", "-alias", "other=main", "-abs", "far=5", "-check", "one", "-check=two"]
    linking.ok("-noexec", *words)
    linking.ok(*words, code=4)


def test_a_program_whose_checks_fail_is_not_run(linking):
    linking.object("main.o", calls("main", "abort"))
    linking.path("one").write_text("# jitlink-check: main = 0\n# jitlink-check: (\n")
    done = linking.run("main.o", "-check=one")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "lazyjit: error: 2 checks failed"


# -- elsewhere -----------------------------------------------------------------------------------

AARCH64 = """
# jitlink-check: decode_operand(main, 0) = (far - main)[27:2]
        .globl  main
main:   bl      far
        ret
"""


@needs_llvm_mc
def test_other_processors_are_linked_and_checked(linking):
    linking.path("main.s").write_text(AARCH64)
    words = ["-triple=aarch64-linux-gnu", "main.s", "-abs", "far=0x20000"]
    linking.ok(*SLAB, *words, "-check=main.s")
    linking.ok("-noexec", *words)
    assert linking.fails(*words, code=2) == "code for aarch64 can't run here; -noexec links it"
    linking.path("bad.s").write_text("ret\nmovq %rax, %rbx\n")
    assert linking.fails("-noexec", words[0], "bad.s").startswith("bad.s:2: ")


@needs_llvm_mc
def test_the_objects_say_what_they_are_for(linking):
    from lazyjit.codegen.assembler import assembler_for

    linking.object("x.o", returns("x", 5))
    data = assembler_for("aarch64-linux-gnu").assemble(AARCH64).object
    linking.path("a.o").write_bytes(data)
    assert LinkGraph.from_object(data).arch == "aarch64"
    linking.ok("-noexec", "a.o", "-abs=far=0")
    assert linking.fails("-noexec", "a.o", "x.o") == (
        "x.o: it is for x86_64, and the link for aarch64"
    )
    assert "for aarch64" in linking.fails("-noexec", "-triple=x86_64-linux-gnu", "a.o")
    assert "arm: lazyjit links for" in linking.fails("-noexec", "-triple=arm", "a.o", code=2)


def test_without_an_assembler_for_it_the_error_says_so(linking):
    linking.path("main.s").write_text(AARCH64)
    words = ["-noexec", "-triple=aarch64-linux-gnu", "--assembler=/nothing/llvm-mc", "main.s"]
    assert "needs /nothing/llvm-mc" in linking.fails(*words)


# -- profilers and debuggers ---------------------------------------------------------------------


def test_perf_and_debuggers_can_be_told(linking):
    linking.object("main.o", returns("main", 6))
    linking.ok("main.o", "-perf-support", code=6)
    linking.ok("main.o", "-debugger-support", code=6)
    linking.ok("main.o", "-debugger-support=false", code=6)
