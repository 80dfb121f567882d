"""A pass that rewrites a call: what was compiled to call one function calls another.

After pruning, before addresses: the last moment at which a pass may bring in a symbol that the
object didn't have. The call's edge is turned towards it; the linker looks the new name up and fixes
the call, with whatever entry of its own that takes.
"""

import ctypes

import lazyjit
from lazyjit.layers.plugin import Plugin


class Redirect(Plugin):
    """Calls of `old` become calls of `new`."""

    def __init__(self, old, new):
        self.old = old
        self.new = new

    def modify_pass_config(self, responsibility, graph, config):
        """Have the pass run after pruning."""
        config.post_prune.append(self.rewrite)

    def rewrite(self, graph):
        """Turn the edges."""
        old = graph.find_symbol(self.old)
        if old is None:
            return
        new = graph.add_external_symbol(self.new)
        for block in graph.blocks():
            for edge in block.edges():
                if edge.target == old:
                    print(f"{edge.kind} to {self.old} becomes one to {self.new}")
                    edge.target = new


PROGRAM = """
declare i32 @toupper(i32)
define i32 @change(i32 %c) {
  %r = call i32 @toupper(i32 %c)
  ret i32 %r
}
"""

with lazyjit.JIT() as jit:
    jit.add_plugin(Redirect("toupper", "tolower"))
    jit.add(PROGRAM, name="change.ll")
    change = jit.function("change", ctypes.c_int, ctypes.c_int)
    print("change('A'):", chr(change(ord("A"))))
