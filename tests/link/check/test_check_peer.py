"""The same checks on the same object by llvm-jitlink: the same verdicts.

Both link with their own layout, so that what is checked holds in any. Where lazyjit differs on
purpose, the table says how.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from check_linked import recorded

from lazyjit.link.check import CheckRecorder, run_checks

SOURCE = """
    .text
    .globl main
    .type main, @function
main:
    movl foo(%rip), %eax
    movq far@GOTPCREL(%rip), %rax
    call far@PLT
    ret
    .size main, . - main
    .data
    .globl foo
foo: .long 0x12345678
    .quad main
    .globl zeros
    .bss
zeros: .zero 16
    .size zeros, 16
"""

SAME = [
    "1 = 1",
    "1 = 2",
    "4+3 = 7",
    "2+3<<1 = 10",
    "2+3<<1 = 8",
    "(4+3)=7",
    "1-2=0xffffffffffffffff",
    "010 = 8",
    "010 = 10",
    "6&3|8 = 10",
    "0xabcd[15:8] = 0xab",
    "0xabcd[15:8] = 0xcd",
    "0xabcd[15:8][3:0] = 11",
    "main-foo+foo=main",
    "main = (((main)))",
    "main = foo",
    "main != foo = 1",
    "main == main",
    "nowhere = 1",
    "$x = 1",
    "1 = ",
    "= 1",
    "1=2=1",
    "(1 = 1",
    "0xg = 0",
    "*{4}foo = 0x12345678",
    "*{2}foo = 0x5678",
    "*{1}foo + 1 = 0x56",
    "(*{4}foo)[7:0] = 0x78",
    "*{8}foo+4 = main",
    "*{8}(foo+4) = main",
    "*{8}zeros = 0",
    "*{0}foo = 0",
    "*{9}foo = 0",
    "*8foo = 0",
    "decode_operand(main, 4) = foo-next_pc(main)",
    "decode_operand(main, 4) = foo-next_pc(foo)",
    "decode_operand(main, 4)=foo - main",
    "decode_operand(main+6, 4) = got_addr(unit.o, far)-(main+13)",
    "decode_operand(main + 13, 0) = stub_addr(unit.o, far)-(main+18)",
    "decode_operand(main, 0) = 1",
    "decode_operand(main, 6) = 1",
    "decode_operand(main, 99) = 1",
    "decode_operand(main) = 1",
    "decode_operand(nowhere, 1) = 1",
    "next_pc(main) = main+6",
    "next_pc(main) = main+7",
    "next_pc(nowhere) = 1",
    "*{8}got_addr(unit.o, far) = 0x700000000000",
    "*{8}got_addr(unit.o, far) = 0x700000000001",
    "got_addr(unit.o, foo) = 1",
    "got_addr(other.o, far) = 1",
    "stub_addr(unit.o, foo) = 1",
    "stub_addr(unit.o, far, nokind) = 1",
    "*{2}stub_addr(unit.o, far) = 0x25ff",
    "section_addr(unit.o, .data) = foo",
    "section_addr(unit.o, .text) = main",
    "section_addr(unit.o, .nope) = 1",
    "section_addr(other.o, .data) = 1",
    "far = 0x700000000000",
]

#: Check, LLVM's verdict, why ours is the other one.
DIFFERENT = [
    ("main", True, "nothing is compared"),
    ("18446744073709551616 = 0", True, "the number has more than 64 bits"),
    ("(1)<<(64) = 1", True, "what the processor makes of a shift by 64"),
    ("4 + 3 = 7", False, "blanks after numbers"),
    ("main != foo", False, "other comparisons"),
    ("main <= main", False, "other comparisons"),
    ("next_pc(main+6) = main+13", False, "next_pc with an offset"),
    ("*{3}foo = 0x345678", False, "loads of 3 bytes"),
    ("main[63:0] = main", False, "slices of 64 bits"),
]

FAR = 0x7000_0000_0000


AARCH64_SOURCE = """
    .text
    .globl main
    .type main, @function
main:
    bl far
    b.ne main
    cbz x1, main
    tbz x2, #40, main
    adrp x3, foo
    add x3, x3, :lo12:foo
    ldr x4, [x3, :lo12:foo]
    adrp x5, :got:far
    ldr x5, [x5, :got_lo12:far]
    movk x6, #:abs_g1_nc:foo
    ldr x7, foo
    ldp x29, x30, [sp], #16
    add x0, x0, #1, lsl #12
    and x0, x0, #0xff
    ret
    .size main, . - main
    .p2align 3
    .globl foo
foo: .quad main
    .size foo, 8
"""

AARCH64_SAME = [
    "decode_operand(main, 0)[25:0] = ((stub_addr(unit.o, far)-main)>>2)[25:0]",
    "decode_operand(main, 0) = (stub_addr(unit.o, far)-main)",
    "decode_operand(main+4, 0) = 1",
    "decode_operand(main+4, 1) = 0xffffffffffffffff",
    "decode_operand(main+8, 0) = 1",
    "decode_operand(main+8, 1)[18:0] = (0-2)[18:0]",
    "decode_operand(main+12, 1) = 40",
    "decode_operand(main+12, 2) = 0-3",
    "decode_operand(main+16, 1) = (foo - main)[32:12]",
    "decode_operand(main+20, 2) = foo[11:0]",
    "decode_operand(main+20, 3) = 0",
    "decode_operand(main+24, 2) = foo[11:3]",
    "decode_operand(main+24, 2) = foo[11:0]",
    "decode_operand(main+28, 1) = (got_addr(unit.o, far)[31:12]-main[31:12])",
    "decode_operand(main+32, 2) = got_addr(unit.o, far)[11:3]",
    "decode_operand(main+36, 2) = foo[31:16]",
    "decode_operand(main+36, 3) = 16",
    "decode_operand(main+36, 1) = 16",
    "decode_operand(main+40, 1) = (foo - main - 40)[20:2]",
    "decode_operand(main+44, 4) = 2",
    "decode_operand(main+44, 3) = 2",
    "decode_operand(main+48, 2) = 1",
    "decode_operand(main+48, 3) = 12",
    "decode_operand(main+52, 2) = 0x1007",
    "decode_operand(main+56, 1) = 0",
    "next_pc(main) = main+4",
    "*{8}foo = main",
    "*{4}main = 0",
    "*{8}got_addr(unit.o, far) = 0x700000000000",
]


def assembled(folder: Path, source: str, triple: str) -> Path:
    for needed in ("llvm-jitlink-22", "llvm-mc-22"):
        if shutil.which(needed) is None:
            pytest.skip(f"no {needed} to compare with")
    (folder / "unit.s").write_text(source)
    command = ["llvm-mc-22", f"-triple={triple}", "-filetype=obj", "unit.s", "-o", "unit.o"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "unit.o"


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assembled(tmp_path_factory.mktemp("peer"), SOURCE, "x86_64-unknown-linux-gnu")


def file_of(expressions: list[str]) -> str:
    return "".join(f"# jitlink-check: {expression}\n" for expression in expressions)


def peer(unit: Path, expressions: list[str]) -> set[str]:
    """The checks that llvm-jitlink fails."""
    checks = unit.with_name("checks.txt")
    checks.write_text(file_of(expressions))
    command = ["llvm-jitlink-22", "-noexec", "-abs", f"far={FAR}", "-check", str(checks)]
    command += ["-slab-allocate=64Kb", "-slab-address=0x10000", "-slab-page-size=4096", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    pattern = re.compile(
        r"^(?:Error evaluating expression|Expression) '(.*?)'(?: is false)?: ", re.M
    )
    failed = set(pattern.findall(done.stderr))
    assert failed <= {expression.strip() for expression in expressions}, done.stderr
    return failed


def ours(unit: Path, expressions: list[str]) -> set[str]:
    recorder = recorded(unit.read_bytes(), str(unit), {"far": FAR})
    report = run_checks(file_of(expressions), recorder)
    assert report.checked == len(expressions)
    return {error.expression for error in report.failures}


def test_verdicts_are_llvms(unit: Path) -> None:
    theirs, mine = peer(unit, SAME), ours(unit, SAME)
    assert mine == theirs
    assert 15 < len(theirs) < len(SAME) - 15


def test_verdicts_on_aarch64_are_llvms(tmp_path: Path) -> None:
    unit = assembled(tmp_path, AARCH64_SOURCE, "aarch64-unknown-linux-gnu")
    theirs, mine = peer(unit, AARCH64_SAME), ours(unit, AARCH64_SAME)
    assert mine == theirs
    assert 4 < len(theirs) < 12


def test_differences_are_those_that_are_meant(unit: Path) -> None:
    expressions = [expression for expression, _, _ in DIFFERENT]
    theirs, mine = peer(unit, expressions), ours(unit, expressions)
    for expression, passes, why in DIFFERENT:
        assert (expression not in theirs) == passes, expression
        assert (expression not in mine) != passes, (expression, why)


def test_continuation_and_prefixes_are_llvms(unit: Path) -> None:
    text = """
        # jitlink-check: 1 \\

          # jitlink-check:  = 1
#jitlink-check: 1 = 2
## jitlink-check: 1 = 2
    # jitlink-check: 1 = \\
    # jitlink-check: 3
"""
    checks = unit.with_name("checks.txt")
    checks.write_text(text)
    command = ["llvm-jitlink-22", "-noexec", "-check", str(checks), "-abs", f"far={FAR}"]
    done = subprocess.run([*command, str(unit)], capture_output=True, text=True, check=False)
    assert done.stderr.count("xpression") == 1 and "0x1 != 0x3" in done.stderr
    report = run_checks(text, CheckRecorder())
    assert report.checked == 2 and [error.right for error in report.failures] == [3]
