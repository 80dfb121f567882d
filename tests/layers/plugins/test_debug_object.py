"""Debug objects: relocated as the system's linker would, small, and safe to make from anything."""

from __future__ import annotations

import random
import shutil
import subprocess

import numpy as np
import pytest

from lazyjit.errors import ObjectFormatError
from lazyjit.layers.plugins.debug_object import debug_object
from lazyjit.layers.plugins.elf import HEADER, ElfObject

SOURCE = """
int shared = 3;
static const char words[] = "words";
int f(int x) { return x * shared; }
const char *g(void) { return words; }
"""
#: Offsets within a section header.
FIELDS = {"type": 4, "flags": 8, "offset": 24, "size": 32, "link": 40, "info": 44, "align": 48}
TEXT, DATA = 0x10001000, 0x10400000


def symbols_of(elf: ElfObject, sections: dict[int, int]) -> np.ndarray:
    """Addresses of an object's symbols when its sections are there, by its own symbol table."""
    (table,) = elf.named(".symtab")
    kind = np.dtype(
        [
            ("name", "<u4"),
            ("info", "u1"),
            ("other", "u1"),
            ("section", "<u2"),
            ("value", "<u8"),
            ("size", "<u8"),
        ]
    )
    rows = np.frombuffer(elf.raw(table), kind)
    return np.array(
        [sections.get(int(row["section"]), 0) + int(row["value"]) for row in rows], np.uint64
    )


@pytest.fixture
def linked(compile_object):
    """An object, where its sections are, and its debug object."""

    def make(*flags: str) -> tuple[ElfObject, dict[int, int], ElfObject]:
        elf = ElfObject(compile_object(SOURCE, "-g", *flags), file="unit.o")
        sections = {elf.named(".text")[0]: TEXT, elf.named(".data")[0]: DATA}
        sections |= dict.fromkeys(elf.named(".rodata"), DATA + 4096)
        sections |= dict.fromkeys(elf.named(".eh_frame"), DATA + 8192)
        made = debug_object(elf, symbols_of(elf, sections), sections)
        return elf, sections, ElfObject(made)

    return make


@pytest.mark.parametrize("compression", ["none", "zlib"])
def test_debug_sections_are_as_the_systems_linker_makes_them(linked, tmp_path, compression):
    linker = shutil.which("ld") or shutil.which("ld.lld-22")
    if linker is None:
        pytest.skip("needs ld")
    # Version 4 has its strings in one section, which a linker may sort; so they are not compared.
    elf, _, made = linked("-gdwarf-4", f"-gz={compression}")
    (tmp_path / "unit.o").write_bytes(elf.data)
    command = [linker, "-e", "f", f"-Ttext={TEXT:#x}", f"-Tdata={DATA:#x}"]
    command += ["unit.o", "-o", "program", "--compress-debug-sections=none"]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    program = ElfObject((tmp_path / "program").read_bytes())
    for name in (".debug_line", ".debug_aranges", ".debug_abbrev"):
        ours, theirs = made.raw(made.named(name)[0]), program.raw(program.named(name)[0])
        assert ours == theirs, name


def test_sections_have_their_addresses_and_code_is_left_out(linked):
    elf, sections, made = linked("-ffunction-sections")
    for number in range(len(elf.headers)):
        assert made.headers[number].addr == sections.get(number, 0)
        assert made.name(number) in (elf.name(number), "")
    (text,) = made.named(".text")
    assert made.headers[text].type == 8  # SHT_NOBITS
    assert not any(made.relocations(number) for number in range(len(made.headers)))
    assert len(made.data) < len(elf.data)


def test_unwind_tables_point_at_the_code(linked):
    _, sections, made = linked()
    (number,) = made.named(".eh_frame")
    frames, at = made.raw(number), sections[number]
    first = int.from_bytes(frames[:4], "little") + 4  # an FDE, after the CIE
    begin = int.from_bytes(frames[first + 8 : first + 12], "little", signed=True)
    assert at + first + 8 + begin == TEXT


def test_what_cannot_be_applied_is_left_to_the_debugger(linked):
    elf, sections, _ = linked()
    data = bytearray(elf.data)
    (info,) = elf.named(".debug_info")
    (table,) = elf.relocations(info)
    at = elf.headers[table].offset
    data[at + 8 : at + 12] = (200).to_bytes(4, "little")  # no such kind
    strange = ElfObject(bytes(data))
    made = ElfObject(debug_object(strange, symbols_of(strange, sections), sections))
    assert made.raw(info) == strange.raw(info)
    assert made.raw(table) == strange.raw(table)


def test_damaged_objects_give_objects_or_typed_errors(linked):
    elf, sections, _ = linked("-gz=zlib")
    chance = random.Random(5)
    symbols = symbols_of(elf, sections)
    outcomes = set()
    for _ in range(400):
        data = bytearray(elf.data)
        start = int.from_bytes(data[0x28:0x30], "little")
        number = chance.randrange(1, len(elf.headers))
        field = chance.choice(["type", "flags", "offset", "size", "link", "info", "align"])
        offset = start + number * HEADER.size + FIELDS[field]
        data[offset + chance.randrange(4)] = chance.randrange(256)
        for _ in range(3):
            data[chance.randrange(64, len(data))] = chance.randrange(256)
        try:
            damaged = ElfObject(bytes(data))
            debug_object(damaged, symbols, sections)
            outcomes.add("made")
        except ObjectFormatError:
            outcomes.add("refused")
    assert outcomes == {"made", "refused"}


def test_a_section_that_lies_about_its_uncompressed_size_takes_no_memory(linked):
    elf, _, _ = linked("-gz=zlib")
    number = next(
        n for n, header in enumerate(elf.headers) if header.flags & 0x800
    )  # SHF_COMPRESSED
    at = elf.headers[number].offset
    data = bytearray(elf.data)
    data[at + 8 : at + 16] = (1 << 50).to_bytes(8, "little")
    with pytest.raises(ObjectFormatError):
        ElfObject(bytes(data)).plain(number)
