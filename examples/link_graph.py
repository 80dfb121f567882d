"""A link graph made by hand, with no object file: linked and called.

Two sections, a block in each. The code refers to the data by an edge, and to a function of the C
library by another; where these are, and that they are in reach, is the linker's business. What the
graph defines joins a dylib like the symbols of any object, and is linked when it is wanted.
"""

import ctypes

import lazyjit
from lazyjit.link.graph import LinkGraph
from lazyjit.link.model import MemProt

CODE = bytes.fromhex(
    "48 8d 3d 00000000"  # lea greeting(%rip), %rdi
    "e9 00000000"  # jmp strlen
)

graph = LinkGraph("by hand")

constants = graph.create_section(".rodata", MemProt.READ)
text = graph.create_section(".text", MemProt.READ | MemProt.EXEC)

words = graph.create_content_block(constants, b"hello, linker\0")
greeting = graph.add_defined_symbol(words, 0, "greeting", 14)
strlen = graph.add_external_symbol("strlen")

code = graph.create_content_block(text, CODE, align=16)
graph.add_defined_symbol(code, 0, "length", len(CODE), callable=True)
code.add_edge("R_X86_64_PC32", 3, greeting, -4)
code.add_edge("R_X86_64_PLT32", 8, strlen, -4)

graph.verify()
print(graph.dump())

with lazyjit.JIT() as jit:
    jit.add_graph(graph)
    print("greeting:", ctypes.string_at(jit.lookup("greeting")).decode())
    print("length:", jit.function("length", ctypes.c_size_t)())
