"""Sizes: sums that agree with what the object says."""

from __future__ import annotations

import ctypes

from lazyjit.layers.plugins.sizes import SizeStatistics, Total

SOURCE = """
char table[100] = {1};
static char zeros[50];
_Thread_local int mine = 3;
int f(int x) { zeros[x] = x; return table[x] + mine + zeros[x + 1]; }
"""


def test_sections_and_symbols_are_counted(jit, compile_object):
    sizes = SizeStatistics(largest=2)
    jit.add_plugin(sizes)
    jit.add(compile_object(SOURCE), name="counted.o")
    assert jit.function("f", ctypes.c_int, ctypes.c_int)(5) == 3
    found = sizes.statistics()
    assert found.links == 1
    assert found.sections[".bss"].bytes >= 50 and found.sections[".data"].bytes >= 100
    assert found.symbols["data"] == Total(2, 150)
    assert found.symbols["thread-local"] == Total(1, 4)
    assert found.symbols["functions"].count == 1
    assert [entry for entry in found.largest if entry[1] == "table"] == [
        (100, "table", "counted.o")
    ]
    assert len(found.largest) == 2


def test_links_add_up_and_the_table_shows_them(jit, compile_object):
    sizes = SizeStatistics()
    jit.add_plugin(sizes)
    for number in range(3):
        jit.add(
            compile_object(
                f"int d{number}[4] = {{1}}; int *f{number}(void) {{ return d{number}; }}"
            )
        )
        jit.lookup(f"f{number}")
    found = sizes.statistics()
    assert found.links == 3
    assert found.symbols["data"] == Total(3, 48)
    assert found.sections[".text"].count == 3
    text = sizes.table()
    assert text.startswith("3 links\n")
    assert ".text" in text and "functions" in text and "pruned blocks" in text


def test_a_snapshot_does_not_change(jit, compile_object):
    sizes = SizeStatistics()
    jit.add_plugin(sizes)
    before = sizes.statistics()
    jit.add(compile_object("int f(void) { return 1; }"))
    jit.lookup("f")
    assert before.links == 0 and not before.sections
    assert sizes.statistics().links == 1
