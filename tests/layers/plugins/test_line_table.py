"""Line tables: the same rows as LLVM's own reader finds, and no harm from malformed ones."""

from __future__ import annotations

import random
import re
import shutil
import subprocess

import numpy as np
import pytest

from lazyjit.errors import ObjectFormatError
from lazyjit.layers.plugins.elf import ElfObject
from lazyjit.layers.plugins.line_table import Line, line_table

SOURCE = """
# 1 "first.c"
static int twice(int x) { return x * 2; }
# 900 "folder/second.c"
int f(int x) {
  int y = 0;
  for (int i = 0; i < x; i++)
    y += twice(i);

  return y;
}
# 5 "/elsewhere/third.h"
int g(int x) { return f(x) + twice(x); }
"""


def read(data: bytes) -> list[Line]:
    """The rows of an object's line table, every symbol at 0."""
    elf = ElfObject(data)
    (number,) = elf.named(".debug_line")
    symbols = np.zeros(1 << 12, np.uint64)
    strings = [
        b"".join(elf.plain(i) or b"" for i in elf.named(name))
        for name in (".debug_line_str", ".debug_str")
    ]
    program = elf.relocated(number, symbols)
    assert program is not None
    return line_table(program, *strings)


@pytest.mark.parametrize("version", [2, 3, 4, 5])
@pytest.mark.parametrize("flags", [("-O0",), ("-O2", "-ffunction-sections")], ids="_".join)
def test_rows_are_those_that_llvm_reads(tmp_path, compile_object, version, flags):
    dump = shutil.which("llvm-dwarfdump-22") or shutil.which("llvm-dwarfdump")
    if dump is None:
        pytest.skip("needs llvm-dwarfdump")
    data = compile_object(SOURCE, "-g", f"-gdwarf-{version}", *flags)
    path = tmp_path / "unit.o"
    path.write_bytes(data)
    command = [dump, "--debug-line", path]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # Address, line, column, file, discriminators and flags.
    pattern = r"^0x([0-9a-f]{16})\s+(\d+)\s+(\d+)\s+\d+\s+\d+\s+(.*)$"
    theirs = [
        (int(address, 16), 0 if "end_sequence" in rest else int(line), "end_sequence" in rest)
        for address, line, _, rest in re.findall(pattern, text, re.MULTILINE)
    ]
    rows = read(data)
    assert len(rows) > 10
    # dwarfdump shows section offsets: the object's symbols are all at 0 here, so they agree.
    assert [(row.address, row.line, row.end) for row in rows] == theirs
    files = {row.file.rsplit("/", 1)[-1] for row in rows if not row.end}
    assert files == {"first.c", "second.c", "third.h"} or files == {"second.c", "third.h"}
    assert any(row.file == "/elsewhere/third.h" for row in rows)


@pytest.mark.parametrize("version", [3, 5])
def test_a_damaged_table_gives_rows_or_a_typed_error(compile_object, version):
    data = compile_object(SOURCE, "-g", f"-gdwarf-{version}", "-O1")
    elf = ElfObject(data)
    program = elf.plain(elf.named(".debug_line")[0])
    assert program
    chance = random.Random(version)
    failures = 0
    for _ in range(2000):
        damaged = bytearray(
            program[: chance.choice([len(program), chance.randrange(len(program))])]
        )
        for _ in range(chance.randrange(4)):
            if damaged:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            rows = line_table(bytes(damaged), b"\0a\0", b"b\0", object_file="bad.o")
        except ObjectFormatError as error:
            assert error.file == "bad.o"
            failures += 1
        else:
            assert len(rows) <= len(damaged)
    assert failures > 500


def test_an_empty_table_has_no_rows():
    assert line_table(b"") == []
