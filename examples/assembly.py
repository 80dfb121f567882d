"""Assembly as a source of code: it calls the C library, Python calls it, errors have lines."""

import ctypes

import lazyjit

SOURCE = """
        .globl  shout
        .type   shout, @function
shout:  pushq   %rbx
        movq    %rdi, %rbx
.Lnext: movsbl  (%rbx), %edi
        testl   %edi, %edi
        je      .Ldone
        callq   toupper@PLT
        movb    %al, (%rbx)
        incq    %rbx
        jmp     .Lnext
.Ldone: popq    %rbx
        ret
        .size   shout, . - shout
"""

with lazyjit.JIT() as jit:
    jit.add_assembly(SOURCE, name="shout.s")
    shout = jit.function("shout", None, ctypes.c_char_p)
    text = ctypes.create_string_buffer(b"so loud")
    shout(text)
    print(text.value.decode())
    assert text.value == b"SO LOUD"

    try:
        jit.add_assembly("nop\nnonsense %rax\n", name="wrong.s")
    except lazyjit.errors.AssemblyError as error:
        print(error)
        assert (error.file, error.line) == ("wrong.s", 2)
