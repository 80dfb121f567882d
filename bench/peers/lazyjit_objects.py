"""How long one small object takes, from its bytes to a symbol that is ready: a subject.

    python -m bench.peers.lazyjit_objects [--count N] [--passes] [--pool] --times FILE OBJECT

OBJECT defines `f` and needs nothing. It is added N times, each time to a dylib of its own, and `f`
looked up there at once. The report's "each" is the median of these, in seconds. The session runs
its tasks on the thread that asks; with --pool on the thread of a JIT, as it does for users, which
adds the way there and back. --passes: a plugin has a pass in Python in each of the five lists.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import face

LISTS = ("pre_prune", "post_prune", "post_allocation", "pre_fixup", "post_fixup")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--passes", action="store_true")
    parser.add_argument("--pool", action="store_true")
    parser.add_argument("--times", type=Path, required=True)
    parser.add_argument("object", type=Path)
    options = parser.parse_args()
    data = options.object.read_bytes()

    linker = JITLinker() if options.pool else InPlaceLinker()
    if options.passes:
        linker.add_plugin(plugin())
    dylibs = [linker.create_dylib(f"d{number}") for number in range(options.count)]
    samples = []
    for dylib in dylibs:
        start = time.perf_counter()
        linker.add(data, dylib)
        linker.session.lookup(dylib, ["f"])
        samples.append(time.perf_counter() - start)
    options.times.write_text(json.dumps({"start": 0.0, "each": statistics.median(samples)}))
    os._exit(0)


class JITLinker:
    """The object layer of a JIT, through its face."""

    def __init__(self) -> None:
        jit = face.new_jit(compile_threads=1)
        self.session = jit.session
        self.create_dylib = jit.create_dylib
        self.add_plugin = jit.add_plugin
        self.add: Callable[[bytes, Any], object] = lambda data, dylib: jit.add_object(
            data, dylib=dylib, name="one.o"
        )


class InPlaceLinker:
    """An object layer over a session without threads."""

    def __init__(self) -> None:
        from lazyjit.core import ExecutionSession, InPlaceDispatcher
        from lazyjit.layers.grace import GracePeriods
        from lazyjit.layers.object_linking import ObjectLinkingLayer
        from lazyjit.layers.statistics import Counters
        from lazyjit.link.arena import Arena

        self.session = ExecutionSession(InPlaceDispatcher())
        layer = ObjectLinkingLayer(self.session, Arena(), GracePeriods(), Counters())
        self.create_dylib = self.session.create_dylib
        self.add_plugin = layer.add_plugin
        self.add: Callable[[bytes, Any], object] = lambda data, dylib: layer.add(
            dylib, data, file="one.o"
        )


def plugin() -> Any:
    """One that does nothing, five times a link."""
    from lazyjit.layers.plugin import Plugin

    class Idle(Plugin):
        def modify_pass_config(self, responsibility: Any, graph: Any, config: Any) -> None:
            for name in LISTS:
                getattr(config, name).append(lambda graph: None)

    return Idle()


if __name__ == "__main__":
    main()
