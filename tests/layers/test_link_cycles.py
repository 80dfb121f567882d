"""Linking and removing, over and over: what is removed leaves nothing behind."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from random import Random

import pytest
from leaking import growth

from lazyjit.core import ExecutionSession, ResourceTracker, SymbolState
from lazyjit.layers.grace import GracePeriods
from lazyjit.layers.object_linking import ObjectLinkingLayer
from lazyjit.layers.plugin import Plugin
from lazyjit.layers.statistics import Counters
from lazyjit.link.arena import Arena

FULL = bool(os.environ.get("LAZYJIT_FULL"))
CYCLES = 100_000 if FULL else 3_000

#: Code, constants, data and unwind tables, in pieces of different sizes.
SOURCE = """
int counter_{0} = {0};
const char table_{0}[{0} * 40 + 1] = "x";
static int twice(int x) {{ return x + x; }}
int f_{0}(int x) {{ counter_{0} += twice(x); return table_{0}[0] + counter_{0}; }}
"""


def resident() -> int:
    """Bytes of this process's memory that are in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * mmap.PAGESIZE


class Nothing(Plugin):
    """A plugin with a pass in every list."""

    def modify_pass_config(self, responsibility, graph, config):
        for passes in (
            config.pre_prune,
            config.post_prune,
            config.post_allocation,
            config.pre_fixup,
            config.post_fixup,
        ):
            passes.append(lambda graph: None)


@pytest.mark.skipif(
    "LAZYJIT_SANITIZED" in os.environ, reason="the sanitizer keeps what is freed for a while"
)
@pytest.mark.parametrize("plugin", [False, True], ids=["directly", "with passes"])
def test_memory_stays_as_it_is(compile_object, plugin):
    objects = [
        (f"f_{number}", compile_object(SOURCE.format(number), "-fno-inline"))
        for number in (1, 7, 50, 200)
    ]
    arena, grace = Arena(), GracePeriods()
    with ExecutionSession() as session:
        layer = ObjectLinkingLayer(session, arena, grace, Counters())
        if plugin:
            layer.add_plugin(Nothing())
        dylib = session.create_dylib("main")
        held: dict[str, ResourceTracker] = {}
        choose = Random(1)

        def cycle() -> None:
            name, data = choose.choice(objects)
            if name in held:
                held.pop(name).remove()
            tracker = held[name] = dylib.create_tracker()
            layer.add(dylib, data, file=f"{name}.o", tracker=tracker)
            session.lookup(dylib, [name], SymbolState.READY)
            if len(held) == len(objects):  # some are always there: spans are freed between others
                held.pop(choose.choice(list(held))).remove()

        for _ in range(CYCLES // 4):
            cycle()
        committed = sum(region.committed for region in arena.statistics())

        def cycles() -> None:
            for _ in range(CYCLES // 3):
                cycle()

        # Python takes memory from the system by the MiB: one step is not a leak.
        assert growth(resident, cycles, rounds=3) < 1 << 20
        assert sum(region.committed for region in arena.statistics()) == committed
        for tracker in held.values():
            tracker.remove()
        assert sum(region.used for region in arena.statistics()) == 0
        assert sum(region.spans for region in arena.statistics()) == 0
    arena.close()
