"""The plugins that lazyjit has, each an example of `lazyjit.layers.plugin.Plugin`.

None is there unless it is added (`JIT.add_plugin`, or an option of `JIT`): each costs something.
"""

from __future__ import annotations

from lazyjit.layers.plugin import Plugin

__all__ = ["plugins_of"]


def plugins_of(*, debugger_support: bool, perf_support: bool) -> list[Plugin]:
    """What these options of a session ask for, and no more of it imported."""
    plugins: list[Plugin] = []
    if debugger_support:
        from lazyjit.layers.plugins.gdb import DebuggerSupport

        plugins.append(DebuggerSupport())
    if perf_support:
        from lazyjit.layers.plugins.perf import JitDump, PerfMap

        plugins += [PerfMap(), JitDump()]
    return plugins
