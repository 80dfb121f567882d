"""Testing a private function of a compiled object, with what it calls replaced.

`price` is local to its file, and asks `rate`, which would ask the network. The test calls the one
and replaces the other, in the object as it was built.
"""

import ctypes

import lazyjit
from lazyjit.codegen.assembler import assembler_for
from lazyjit.layers.harness import apply_harness
from lazyjit.link.graph import LinkGraph

SHOP = """
        .section .text.price,"ax",@progbits
price:  pushq   %rbx                    # static int price(int n) { return n * rate(); }
        movl    %edi, %ebx
        callq   rate@PLT
        imull   %ebx, %eax
        popq    %rbx
        ret
        .section .text.rate,"ax",@progbits
        .globl  rate
rate:   jmp     ask_the_network@PLT     # which this test can do without
"""

TEST = """
        .globl  test_price
test_price:                             # int test_price(void) { return price(6); }
        movl    $6, %edi
        jmp     price@PLT
        .globl  rate
rate:   movl    $7, %eax                # int rate(void) { return 7; }
        ret
"""

assembler = assembler_for()
shop = LinkGraph.from_object(assembler.assemble(SHOP).object, file="shop.o")
test = LinkGraph.from_object(assembler.assemble(TEST).object, file="test.o")
apply_harness([test], [shop])

with lazyjit.JIT() as jit:
    jit.add_graph(test)
    jit.add_graph(shop)
    result = jit.function("test_price", ctypes.c_int)()
    print(f"price(6) at a rate of 7 is {result}")
    assert result == 42
