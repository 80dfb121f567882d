"""Machine code as text, with names for what it points at; and life without capstone."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from lazyjit.errors import UsageError
from lazyjit.link.disassembly import Instruction, disassemble

X86_64, AARCH64 = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"


def resolve(address: int) -> str | None:
    return {0x1000: "f", 0x2000: "data"}.get(address)


def test_instructions_come_with_addresses_bytes_and_targets() -> None:
    code = bytes.fromhex("e8fb0f0000 488b05f4ffffff 74f2 ff25f00f0000 c3")
    found = list(disassemble(code, 0x1005 - 0x1005 + 0x1000, X86_64))
    assert [insn.mnemonic for insn in found] == ["call", "mov", "je", "jmp", "ret"]
    assert [insn.address for insn in found] == [0x1000, 0x1005, 0x100C, 0x100E, 0x1014]
    assert [insn.target for insn in found] == [0x2000, 0x1000, 0x1000, 0x2004, None]
    assert b"".join(insn.code for insn in found) == code
    assert found[0].size == 5
    assert found[0].text() == "call 0x2000"
    assert found[0].text(resolve) == "call 0x2000 <data>"
    assert found[4].text(resolve) == "ret"
    assert found[4].line() == f"{'1014':>16}:  {'c3':<30}  ret"


def test_aarch64_names_targets_too() -> None:
    words = [0x94000400, 0x54FFFFE0, 0xB0000000, 0x58007FA0, 0x10007F80, 0x37007F60, 0xD65F03C0]
    code = b"".join(word.to_bytes(4, "little") for word in words)
    found = list(disassemble(code, 0x1000, AARCH64))
    mnemonics = [insn.mnemonic for insn in found]
    assert mnemonics == ["bl", "b.eq", "adrp", "ldr", "adr", "tbnz", "ret"]
    targets = [insn.target for insn in found]
    assert targets == [0x2000, 0x1000, 0x2000, 0x2000, 0x2000, 0x2000, None]
    assert found[2].text(resolve).endswith("<data>")


def test_what_is_no_instruction_is_data_and_the_rest_goes_on() -> None:
    found = list(disassemble(b"\x90\x06\x07\xc3\xe8\0", 0, X86_64))
    assert [(i.mnemonic, i.operands) for i in found] == [
        ("nop", ""),
        (".byte", "0x06"),
        (".byte", "0x07"),
        ("ret", ""),
        (".byte", "0xe8"),
        (".byte", "0x00"),
    ]
    words = (0xFFFFFFFF).to_bytes(4, "little") + (0xD65F03C0).to_bytes(4, "little") + b"\1\2"
    found = list(disassemble(words, 0x40, AARCH64))
    assert [i.text() for i in found] == [".word 0xffffffff", "ret", ".byte 0x01, 0x02"]
    assert list(disassemble(b"", 0, X86_64)) == []


def test_threads_have_engines_of_their_own() -> None:
    results: list[list[Instruction]] = []
    code = bytes.fromhex("488b05f4ffffff") * 200
    threads = [
        threading.Thread(target=lambda: results.append(list(disassemble(code, 0, X86_64))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4 and all(len(found) == 200 for found in results)
    assert all(found == results[0] for found in results)


def test_other_architectures_are_refused() -> None:
    with pytest.raises(UsageError, match="riscv64"):
        list(disassemble(b"\0" * 4, 0, "riscv64-unknown-linux-gnu"))


def test_without_capstone_the_error_names_what_to_install() -> None:
    program = """
import sys
sys.modules["capstone"] = None
import lazyjit.link.check as check
from lazyjit.errors import LibraryNotFound
from lazyjit.link.disassembly import disassemble
recorder = check.CheckRecorder()
recorder.define("f", 0x1000, bytes([0xC3]))
assert check.run_checks("# jitlink-check: f = 0x1000", recorder).passed
for attempt in (
    lambda: list(disassemble(bytes([0xC3]), 0, "x86_64")),
    lambda: check.run_checks("# jitlink-check: next_pc(f) = f + 1", recorder),
):
    try:
        attempt()
    except LibraryNotFound as error:
        assert "lazyjit[link]" in str(error) and "capstone" in str(error)
    else:
        raise AssertionError("no error")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
