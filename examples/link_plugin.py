"""A plugin: it sees every link, of objects and of compiled modules alike.

A plugin's methods are called at the moments of a link. This one adds a pass to the list that runs
when unneeded code is gone and nothing is in memory yet, and prints what the link will define and
what it needs.
"""

import ctypes

import lazyjit
from lazyjit.layers.plugin import Plugin


class Symbols(Plugin):
    """Prints the symbols of each link."""

    def modify_pass_config(self, responsibility, graph, config):
        """Have `show` run after pruning."""
        config.post_prune.append(self.show)

    def show(self, graph):
        """Print what isn't the link's own."""
        print("link:")
        for symbol in graph.symbols():
            if symbol.name and not symbol.local:
                print("  needs" if symbol.external else "  defines", symbol.name)

    def notify_emitted(self, responsibility):
        """Print what can be called next."""
        print("in memory:", ", ".join(responsibility.symbols))


with lazyjit.JIT(unit_policy="function") as jit:
    jit.add_plugin(Symbols())
    jit.add(
        """
        declare i32 @toupper(i32)
        define i32 @loud(i32 %c) {
          %r = call i32 @toupper(i32 %c)
          ret i32 %r
        }
        """,
        name="loud.ll",
    )
    print("loud:", chr(jit.function("loud", ctypes.c_int, ctypes.c_int)(ord("a"))))
