"""Plugins see what no memory is taken for, debug information above all; links without don't."""

from __future__ import annotations

import ctypes

import pytest

from lazyjit.layers.plugin import Plugin
from lazyjit.link.graph import LinkGraph
from lazyjit.link.model import Lifetime

INT = ctypes.c_int
SOURCE = """
extern int elsewhere;
static int *unused(void) { return &elsewhere; }
int helper(int x) { return x + 1; }
int f(void) { return helper(2); }
"""


class Sees(Plugin):
    """Which sections without memory there are, at each moment; and debug information as linked."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {}
        self.info: list[bytes] = []

    def note(self, moment: str, graph: LinkGraph) -> None:
        hidden = [s for s in graph.sections() if s.lifetime is Lifetime.NO_ALLOC]
        self.names[moment] = [section.name for section in hidden]
        if moment == "post_fixup":
            for section in hidden:
                if section.name == ".debug_info":
                    self.info += [block.content for block in section.blocks()]

    def modify_pass_config(self, responsibility, graph, config):
        for moment in ("pre_prune", "post_prune", "post_allocation", "pre_fixup", "post_fixup"):
            getattr(config, moment).append(lambda graph, moment=moment: self.note(moment, graph))


@pytest.mark.parametrize("flags", [(), ("-gz=zlib",)])
@pytest.mark.parametrize("large", [False, True])
def test_a_plugin_sees_debug_sections_fixed_up(jit, compile_object, flags, large):
    """A large object isn't kept read between adding and linking."""
    sees = Sees()
    jit.add_plugin(sees)
    filling = "int filling[8000] = {1};" if large else ""
    jit.add(compile_object(SOURCE + filling, "-g", "-O0", "-ffunction-sections", *flags))
    assert jit.function("f", INT)() == 3
    assert set(sees.names) == {
        "pre_prune", "post_prune", "post_allocation", "pre_fixup", "post_fixup"
    }  # fmt: skip
    for names in sees.names.values():
        assert {".debug_info", ".debug_line", ".debug_abbrev"} <= set(names)
    (info,) = sees.info
    assert jit.lookup("helper").to_bytes(8, "little") in info


def test_debug_information_needs_nothing(jit, compile_object):
    """What only dead code and debug information refer to isn't looked up."""
    jit.add_plugin(Sees())
    jit.add(compile_object(SOURCE, "-g", "-O0", "-ffunction-sections"))
    assert jit.function("f", INT)() == 3


def test_debug_information_needs_nothing_though_nothing_is_pruned(compile_object):
    source = (
        ".globl f\n.text\nf: ret\n"
        '.section .debug_mine,"",@progbits\n.quad f\n.quad nowhere\n'
    )  # fmt: skip
    data = compile_object(source, language="assembler")
    graph = LinkGraph.from_object(data, no_alloc=True)
    assert graph.externals == []
    list(graph.symbols())
    graph.plan()
    assert graph.externals == []


def test_without_a_plugin_nothing_of_it_is_read(jit, compile_object):
    data = compile_object(SOURCE + "int elsewhere;", "-g", "-O0")
    assert all(s.lifetime is not Lifetime.NO_ALLOC for s in LinkGraph.from_object(data).sections())
    jit.add(data)
    assert jit.function("f", INT)() == 3
