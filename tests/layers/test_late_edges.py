"""Passes that add edges which need slots: planned before layout, refused in words after it."""

from __future__ import annotations

import ctypes

import pytest

from lazyjit.errors import FailedToMaterialize, GraphError
from lazyjit.layers.plugin import Plugin
from lazyjit.link.model import MemProt

LOAD = b"\x48\x8b\x05\x00\x00\x00\x00\x48\x8b\x00\xc3"  # mov x@GOTPCREL(%rip), %rax; its value


class AddsEdges(Plugin):
    """Adds a function that calls, or loads, by a slot: the block early, its edge in one list."""

    def __init__(self, moment: str, plan_first: bool) -> None:
        self.moment = moment
        self.plan_first = plan_first

    def modify_pass_config(self, responsibility, graph, config):
        if "f" not in responsibility.symbols:
            return
        section = graph.create_section(".text.added", MemProt.READ | MemProt.EXEC)
        block = graph.create_content_block(section, LOAD, align=16)
        graph.add_defined_symbol(block, 0, "added", callable=True, live=True)

        def add(graph):
            if self.plan_first:
                graph.plan()
            block.add_edge("R_X86_64_REX_GOTPCRELX", 3, graph.add_external_symbol("variable"), -4)

        getattr(config, self.moment).append(add)


@pytest.mark.parametrize(
    ("moment", "plan_first"), [("pre_prune", False), ("post_prune", False), ("post_prune", True)]
)
def test_slots_are_planned_for_what_passes_add_before_layout(
    jit, compile_object, moment, plan_first
):
    jit.add_plugin(AddsEdges(moment, plan_first))
    jit.add(compile_object("int f(void) { return 3; }"))
    jit.add(compile_object("long variable = 12;"))
    jit.lookup("f")
    assert jit.function("added", ctypes.c_long)() == 12


@pytest.mark.parametrize("moment", ["post_allocation", "pre_fixup"])
def test_a_pass_that_comes_too_late_for_a_slot_is_told(jit, compile_object, moment):
    jit.add_plugin(AddsEdges(moment, plan_first=False))
    jit.add(compile_object("int f(void) { return 3; }"))
    jit.add(compile_object("long variable = 12;"))
    with pytest.raises(FailedToMaterialize) as caught:
        jit.lookup("f")
    assert isinstance(caught.value.__cause__, GraphError)
    assert "GOT entry" in str(caught.value.__cause__)
    assert "pre-prune or post-prune passes" in str(caught.value.__cause__)
