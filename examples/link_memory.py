"""Where linked code goes is a memory manager's business: a slab, or addresses that don't exist.

A slab is one piece of memory, at an address and with pages of one's choice. The null manager has no
memory for the program at all: objects are linked as if at its addresses, to be looked at.
"""

import ctypes

import lazyjit
from lazyjit.link.memory_null import NullMemoryManager
from lazyjit.link.memory_slab import SlabMemoryManager

SOURCE = """
        .globl  answer
answer: leaq    number(%rip), %rax
        movl    (%rax), %eax
        ret
        .section .rodata
        .globl  number
number: .long   42
"""

slab = SlabMemoryManager(1 << 20)
with lazyjit.JIT(memory_manager=slab) as jit:
    jit.add_assembly(SOURCE)
    print("answer:", jit.function("answer", ctypes.c_int)())

null = NullMemoryManager(base=0x10_0000, size=1 << 20)
with lazyjit.JIT(memory_manager=null) as jit:
    jit.add_assembly(SOURCE)
    where = {name: jit.lookup(name) for name in ("answer", "number")}
    for name, address in where.items():
        print(f"{name} would be at {address:#x}")
    print("within what was pretended:", all(0x10_0000 <= a < 0x20_0000 for a in where.values()))
