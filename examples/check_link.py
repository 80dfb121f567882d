"""Checks on what was linked, in the language of LLVM's linkers.

A recorder, a pass of the last list, keeps what each graph has become. Then a text with checks,
which would stand as comments beside the assembly, is held against it: is what the linker wrote into
the instructions what it should be? The linked code is shown too, with names for what it points at.
"""

import lazyjit
from lazyjit.layers.plugin import Plugin
from lazyjit.link.check import CheckRecorder, run_checks
from lazyjit.link.disassembly import disassemble
from lazyjit.link.graph import LinkGraph
from lazyjit.link.model import MemProt

CHECKS = """
# jitlink-check: decode_operand(length, 4) = greeting - next_pc(length)
# jitlink-check: decode_operand(length + 7, 0) = \\
# jitlink-check:   stub_addr(by_hand, nobody) - next_pc(length + 7)
# jitlink-check: *{8}got_addr(by_hand, nobody) = 0
# jitlink-check: (*{4}greeting)[7:0] = 0x68
# jitlink-check: section_addr(by_hand, .rodata) = greeting
# jitlink-check: *{1}greeting = 0x48
"""

graph = LinkGraph("by_hand")
constants = graph.create_section(".rodata", MemProt.READ)
text = graph.create_section(".text", MemProt.READ | MemProt.EXEC)
words = graph.create_content_block(constants, b"hello, linker\0")
greeting = graph.add_defined_symbol(words, 0, "greeting", 14)
nobody = graph.add_external_symbol("nobody", weak=True)
code = graph.create_content_block(
    text,
    bytes.fromhex(
        "48 8d 3d 00000000"  # lea greeting(%rip), %rdi
        "e9 00000000"  # jmp nobody
    ),
)
graph.add_defined_symbol(code, 0, "length", 12, callable=True)
code.add_edge("R_X86_64_PC32", 3, greeting, -4)
code.add_edge("R_X86_64_PLT32", 8, nobody, -4)

recorder = CheckRecorder()


class Recording(Plugin):
    """Records every link."""

    def modify_pass_config(self, responsibility, graph, config):
        """Have the recorder run when all is in place."""
        config.post_fixup.append(recorder.record)


with lazyjit.JIT() as jit:
    jit.add_plugin(Recording())
    jit.add_graph(graph)
    jit.lookup("length")

names = {recorder.symbol("greeting").address: "greeting"}
names[recorder.stub("by_hand", "nobody", None, "").address] = "stub of nobody"
length = recorder.symbol("length")
for insn in disassemble(length.code, length.address, recorder.triple):
    print(insn.mnemonic, "->", names.get(insn.target))

report = run_checks(CHECKS, recorder, file="by_hand.s")
print(report.checked, "checks,", len(report.failures), "failed")
for failure in report.failures:
    print(f"line {failure.line}: {failure.left:#x} isn't {failure.right:#x}")
