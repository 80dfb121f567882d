"""Checks on a linked program, in the language of LLVM's linkers.

What a linker did to a byte is asserted beside the source that made it, in comments:

    # jitlink-check: decode_operand(call_g, 0) = g - next_pc(call_g)
    call_g:
        call g

`run_checks(text, context)` finds such lines and makes each check; `CheckRecorder` is a context that
records link graphs once they are fixed up. `expressions` has the grammar and where it differs from
LLVM's, `lazyjit.link.operands` the numbering of operands.

    lines         where checks are in a file
    expressions   one check: grammar and values
    running       all of a file: failures and report
    context       what the language asks of whoever has linked something
    recorder      ... answered from link graphs
"""

from lazyjit.errors import CheckError
from lazyjit.link.check.context import CheckContext, Region
from lazyjit.link.check.recorder import CheckRecorder
from lazyjit.link.check.running import CheckReport, check, run_checks

__all__ = [
    "CheckContext",
    "CheckError",
    "CheckRecorder",
    "CheckReport",
    "Region",
    "check",
    "run_checks",
]
