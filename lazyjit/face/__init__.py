"""The parts of `JIT` (`lazyjit.jit`): one file for each thing that one does with it.

`assembly` puts the layers together and takes them apart; `asking` is what comes out of them, and
`adding` what goes in; each is built on the one before.
"""
