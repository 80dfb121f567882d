"""Variables in the threads' static block: code that isn't compiled for a shared library."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from linking import Build, Program, on_thread

from lazyjit.errors import ObjectFormatError, RelocationError, ResourceError
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph
from lazyjit.link.runtime import thread_local_address

SOURCE = """
__thread long a = 5; static __thread long b = 7; __thread char zeros[40];
long bump(void) { zeros[39]++; return ++a * 10000 + ++b * 100 + zeros[39]; }
"""
#: What makes compilers use one model or the other.
MODELS = [
    pytest.param("gcc", ("-fno-pic", "-mcmodel=large", "-O2"), id="gcc local exec"),
    pytest.param("gcc", ("-fPIC", "-ftls-model=local-exec", "-O0"), id="gcc local exec -O0"),
    pytest.param("gcc", ("-fPIC", "-ftls-model=initial-exec"), id="gcc initial exec"),
    pytest.param("clang", ("-fPIE", "-O2"), id="clang local exec"),
    pytest.param("clang", ("-fPIC", "-ftls-model=initial-exec"), id="clang initial exec"),
]
FIRST, SECOND = 6 * 10000 + 8 * 100 + 1, 7 * 10000 + 9 * 100 + 2


@pytest.mark.parametrize(("by", "flags"), MODELS)
def test_threads_that_run_already_and_later_ones_have_their_own(
    build: Build, program: Program, by: str, flags: tuple[str, ...]
) -> None:
    data = build(SOURCE, *flags, by=by)
    ready, linked = threading.Event(), threading.Event()
    seen: list[object] = []

    def work() -> None:
        ready.set()
        linked.wait()
        seen.extend([program.call("bump"), program.call("bump")])

    early = threading.Thread(target=work)
    early.start()
    ready.wait()
    try:
        program.link(data)
    finally:
        linked.set()
        early.join()
    assert seen == [FIRST, SECOND]
    assert [program.call("bump"), program.call("bump")] == [FIRST, SECOND]
    assert on_thread(lambda: [program.call("bump"), program.call("bump")]) == [FIRST, SECOND]


@pytest.mark.parametrize("flags", [("-fPIC",), ("-fPIC", "-mtls-dialect=gnu2"), ("-fPIE",)])
def test_other_objects_reach_the_variable_by_every_model(
    build: Build, program: Program, flags: tuple[str, ...]
) -> None:
    """General dynamic, descriptors, and initial exec against a variable that is static."""
    uses = "extern __thread long a; long twice(void) { return a * 2; }"
    program.link(build(SOURCE, "-fPIE"), build(uses, "-O1", *flags))
    program.call("bump")
    assert program.call("twice") == 12
    assert on_thread(lambda: program.call("twice")) == 10


def test_one_object_may_mix_the_models(assemble: Build, program: Program) -> None:
    """Local exec, initial exec, general and local dynamic, and a descriptor agree."""
    program.link(
        assemble("""
        .text
        .globl f
        f: push %rbx
        mov %fs:0, %rbx
        lea x@TPOFF(%rbx), %rbx
        mov x@GOTTPOFF(%rip), %rax
        add %fs:0, %rax
        cmp %rax, %rbx
        jne 9f
        .byte 0x66
        leaq x@TLSGD(%rip), %rdi
        .word 0x6666
        rex64
        call __tls_get_addr@PLT
        cmp %rax, %rbx
        jne 9f
        leaq x@TLSLD(%rip), %rdi
        call __tls_get_addr@PLT
        lea x@DTPOFF(%rax), %rax
        cmp %rax, %rbx
        jne 9f
        leaq x@tlsdesc(%rip), %rax
        call *x@tlscall(%rax)
        add %fs:0, %rax
        cmp %rax, %rbx
        jne 9f
        mov (%rax), %rax
        pop %rbx
        ret
        9: mov $-1, %rax
        pop %rbx
        ret
        .section .tdata,"awT",@progbits
        .quad 1
        .globl x
        x: .quad 42
        .section .tbss,"awT",@nobits
        .zero 32
        """)
    )
    assert program.call("f") == 42
    assert on_thread(lambda: program.call("f")) == 42


def test_the_token_stands_for_each_threads_address(build: Build, program: Program) -> None:
    program.link(build("__thread long x = 4; long *at(void) { return &x; }", "-fPIE"))
    token = program.symbols["x"]
    assert thread_local_address(token) == program.call("at")
    here = thread_local_address(token)
    there = on_thread(lambda: (thread_local_address(token), program.call("at")))
    assert there == (there[0], there[0]) and there[0] != here  # type: ignore[index]


def test_initial_data_may_point_into_the_object(build: Build, program: Program) -> None:
    source = """
    static long target = 9; static __thread long *pointer = &target;
    long f(void) { return *pointer; }
    """
    program.link(build(source, "-fPIE", "-O0"))
    assert program.call("f") == 9
    assert on_thread(lambda: program.call("f")) == 9


def test_initial_data_that_points_elsewhere_is_refused(build: Build, arena: Arena) -> None:
    """The threads were given it before the other object had an address."""
    data = build(
        "extern long target; static __thread long *p = &target; long f(void) { return *p; }",
        "-fPIE", "-O0",
    )  # fmt: skip
    graph = LinkGraph.from_object(data, arena=arena)
    with pytest.raises(ObjectFormatError, match="refers to another object"):
        graph.fix_up([arena.start for _ in graph.externals])
    graph.deallocate()


def test_the_room_comes_back(build: Build, arena: Arena) -> None:
    """Far more images than there is room for, one after the other."""
    data = build("__thread char space[200] = {1}; long f(void) { return space[0]++; }", "-fPIE")
    for _ in range(100):
        program = Program(arena).link(data)
        assert program.call("f") == 1
        program.close()


def test_the_room_comes_back_in_whatever_order(build: Build, arena: Arena) -> None:
    """The loader alone would leave a hole for every image that goes before its neighbour."""
    data = build("__thread char space[200] = {1}; long f(void) { return space[0]++; }", "-fPIE")
    for _ in range(30):
        programs = [Program(arena).link(data) for _ in range(3)]
        for program in programs:
            assert program.call("f") == 1
            program.close()


def test_without_room_the_link_fails_and_others_go_on(build: Build, arena: Arena) -> None:
    data = build("__thread char space[400]; long f(void) { return space[0]++; }", "-fPIE")
    programs: list[Program] = []
    try:
        with pytest.raises(ResourceError, match="no room") as caught:
            for _ in range(100):
                programs.append(Program(arena))
                programs[-1].link(data)
        assert "optional_static_tls" in str(caught.value)
        assert len(programs) > 1, "some had room"
        for program in programs[:-1]:
            assert [program.call("f"), program.call("f")] == [0, 1]
    finally:
        for program in reversed(programs):
            program.close()
    Program(arena).link(data).close()


def test_an_image_larger_than_the_static_block_is_refused(build: Build, arena: Arena) -> None:
    data = build("__thread char space[1 << 20]; long f(void) { return space[0]; }", "-fPIE")
    with pytest.raises(ResourceError, match="no room"):
        LinkGraph.from_object(data, arena=arena)


def test_an_alignment_that_threads_do_not_have_is_refused(assemble: Build, arena: Arena) -> None:
    source = '.text\nmov %fs:x@TPOFF, %rax\n.section .tbss,"awT",@nobits\n.p2align 14\nx: .quad 0'
    with pytest.raises(ResourceError, match="aligned to 16384"):
        LinkGraph.from_object(assemble(source), arena=arena)


def test_a_library_variable_in_the_static_block_is_reached(build: Build, program: Program) -> None:
    """The C library's errno is there; code for executables reads it by its offset."""
    source = """
    extern __thread int errno_tls __asm__("errno");
    extern int *__errno_location(void);
    long f(void) { *__errno_location() = 77; return errno_tls; }
    """
    program.link(build(source, "-fPIE", "-O1"))
    assert program.call("f") == 77
    assert on_thread(lambda: program.call("f")) == 77


def test_a_variable_in_the_dynamic_block_is_refused(build: Build, arena: Arena) -> None:
    """Compiled apart with -fPIC, and not used in its own object: it has no fixed distance."""
    program = Program(arena).link(build("__thread long x = 1;", "-fPIC"))
    data = build("extern __thread long x; long f(void) { return x; }", "-fPIE")
    graph = LinkGraph.from_object(data, file="unit.o", arena=arena)
    with pytest.raises(RelocationError, match="static block") as caught:
        graph.fix_up([program.find(name) for name in graph.externals])
    assert (caught.value.symbol, caught.value.kind) == ("x", "R_X86_64_TPOFF64")
    graph.deallocate()
    program.close()


def test_a_name_that_is_no_thread_local_variable_is_refused(build: Build, arena: Arena) -> None:
    data = build("extern __thread long nowhere; long f(void) { return nowhere; }", "-fPIE")
    graph = LinkGraph.from_object(data, arena=arena)
    with pytest.raises(RelocationError, match="static block"):
        graph.fix_up([arena.start for _ in graph.externals])
    graph.deallocate()


def test_many_threads_link_and_remove_at_once(build: Build, arena: Arena) -> None:
    """In rounds: an image that is released waits for those that came later."""
    data = build("__thread long x = 3; long f(void) { return x++; }", "-fPIE")
    barrier = threading.Barrier(4)
    wrong: list[object] = []

    def work() -> None:
        for _ in range(20):
            program = Program(arena).link(data)
            if [program.call("f"), program.call("f")] != [3, 4]:
                wrong.append(program)
            barrier.wait()
            program.close()
            barrier.wait()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_variables_without_bytes_are_refused(
    compile_object: Callable[..., bytes],
) -> None:
    # Found by fuzzing: there is no image for them, and so no module.
    data = compile_object(
        '.section .tbss,"awT",@nobits\nx:\n.text\n.globl f\n'
        "f: movq x@gottpoff(%rip), %rax\n lea x@dtpoff(%rax), %rax\n ret\n",
        language="assembler",
    )
    arena = Arena()
    graph = LinkGraph.from_object(data, file="f.o", arena=arena)
    with pytest.raises(RelocationError, match="thread-local"):
        graph.fix_up([0] * len(graph.externals))
    graph.deallocate()
    arena.close()
