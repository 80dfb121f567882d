"""The plugins that lazyjit has, each an example of `lazyjit.layers.plugin.Plugin`.

None is there unless it is added (`JIT.add_plugin`, or an option of `JIT`): each costs something.
"""
