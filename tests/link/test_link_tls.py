"""Thread-local variables of JIT'd code: every dynamic model, many threads, birth and death."""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path

import pytest
from linking import Build, Program, on_thread

from lazyjit.errors import ArenaFull, RelocationError, UsageError
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph
from lazyjit.link.runtime import thread_local_address

SOURCE = """
__thread long a = 5; static __thread long b = 7; __thread char zeros[3000];
__thread __attribute__((aligned(64))) char aligned[64] = "aligned";
extern __thread long elsewhere;
long bump(void) { zeros[2999]++; return ++a * 10000 + ++b * 100 + ++elsewhere; }
long zero(void) { return zeros[2999]; }
long aligned_at(void) { return (long)aligned; }
"""
ELSEWHERE = "__thread long elsewhere = 1;"
MODELS = [
    pytest.param("gcc", ("-fPIC", "-O2"), id="gcc general dynamic"),
    pytest.param("gcc", ("-fPIC", "-O0"), id="gcc -O0"),
    pytest.param("gcc", ("-fPIC", "-mtls-dialect=gnu2", "-O2"), id="gcc descriptors"),
    pytest.param("gcc", ("-fPIC", "-mcmodel=large"), id="gcc large"),
    pytest.param("gcc", ("-fPIC", "-fno-plt"), id="gcc without PLT"),
    pytest.param("clang", ("-fPIC", "-O2"), id="clang general dynamic"),
    pytest.param("clang", ("-fPIC", "-ftls-model=local-dynamic"), id="clang local dynamic"),
    pytest.param("clang", ("-fPIC", "-mtls-dialect=gnu2"), id="clang descriptors"),
]


@pytest.mark.parametrize(("by", "flags"), MODELS)
def test_every_thread_has_its_own(
    build: Build, program: Program, by: str, flags: tuple[str, ...]
) -> None:
    program.link(build(SOURCE, *flags, by=by), build(ELSEWHERE, *flags, by=by))
    first, second = 6 * 10000 + 8 * 100 + 2, 7 * 10000 + 9 * 100 + 3
    assert [program.call("bump"), program.call("bump")] == [first, second]
    for _ in range(3):
        seen = on_thread(lambda: [program.call("zero"), program.call("bump"), program.call("bump")])
        assert seen == [0, first, second]
    assert program.call("zero") == 2
    assert int(program.call("aligned_at")) % 64 == 0  # type: ignore[call-overload]


def test_local_dynamic_code_reaches_a_hidden_variable_of_another_object(
    build: Build, program: Program
) -> None:
    """Carved units see each other's promoted locals so; compilers assume one library."""
    uses = """
    extern __thread long x __attribute__((visibility("hidden")));
    extern __thread long y __attribute__((visibility("hidden")));
    long use(void) { return ++x + ++y; }
    """
    data = build(uses, "-fPIC", "-O2", "-ftls-model=local-dynamic", by="clang")
    kinds = {edge.kind for section in LinkGraph.from_object(data).sections()
             for block in section.blocks() for edge in block.edges()}  # fmt: skip
    assert "R_X86_64_TLSLD" in kinds
    program.link(
        data,
        build('__attribute__((visibility("hidden"))) __thread long x = 100;', "-fPIC"),
        build('__attribute__((visibility("hidden"))) __thread long y = 1000;', "-fPIC"),
    )
    assert program.call("use") == 1102
    assert on_thread(lambda: program.call("use")) == 1102
    assert program.call("use") == 1104


def test_an_image_that_comes_later_is_initialized_in_running_threads(
    build: Build, program: Program
) -> None:
    one = "__thread long v%d = %d; long get%d(void) { return v%d++; }"
    go, done = threading.Semaphore(0), threading.Semaphore(0)
    seen: list[object] = []

    def work() -> None:
        for i in range(5):
            go.acquire()
            seen.append([program.call(f"get{k}") for k in range(i + 1)])
            done.release()

    thread = threading.Thread(target=work)
    thread.start()
    for i in range(5):
        program.link(build(one % (i, i * 10, i, i), "-fPIC"))
        go.release()
        done.acquire()
    thread.join()
    assert seen == [[10 * k + (i - k) for k in range(i + 1)] for i in range(5)]


def test_a_freed_range_is_clean_for_its_next_owner(build: Build, arena: Arena) -> None:
    source = "__thread char space[20000]; __thread long one = 1; long f(void)"
    fill = source + "{ for (int i = 0; i < 20000; i++) space[i] = 1; return one++; }"
    count = (
        source + "{ long n = 0; for (int i = 0; i < 20000; i++) n += space[i]; return n + one; }"
    )
    go, done = threading.Semaphore(0), threading.Semaphore(0)
    programs: list[Program] = []
    seen: list[object] = []

    def work() -> None:
        for _ in range(2):
            go.acquire()
            seen.append(programs[-1].call("f"))
            done.release()

    thread = threading.Thread(target=work)
    thread.start()
    for text in (fill, count):
        program = Program(arena).link(build(text, "-fPIC", "-O1"))
        programs.append(program)
        tokens = program.symbols["space"]
        program.call("f")
        go.release()
        done.acquire()
        program.close()
    thread.join()
    assert seen == [1, 1]
    assert programs[0].symbols["space"] == tokens, "the range is used again"


def test_many_threads_race_for_their_first_access(build: Build, program: Program) -> None:
    program.link(build(SOURCE, "-fPIC", "-mtls-dialect=gnu2"), build(ELSEWHERE, "-fPIC"))
    barrier = threading.Barrier(16)
    seen: list[object] = []

    def work() -> None:
        barrier.wait()
        seen.extend(program.call("bump") for _ in range(100))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one = [(5 + i) * 10000 + (7 + i) * 100 + 1 + i for i in range(1, 101)]
    assert sorted(seen) == sorted(one * 16)  # type: ignore[type-var]


def test_descriptors_keep_every_register(build: Build, program: Program) -> None:
    """The first access in a thread runs C code behind the compiler's back."""
    source = """
    __thread long x = 3;
    double f(double a, double b, double c, double d, long i, long j, long k, long l) {
        return a + b * 10 + c * 100 + d * 1000 + i + j + k + l + x++;
    }
    """
    program.link(build(source, "-fPIC", "-O2", "-mtls-dialect=gnu2"))
    arguments = (1.0, 2.0, 3.0, 4.0, 10, 20, 30, 40)
    call = lambda: program.call("f", *arguments, restype=ctypes.c_double)  # noqa: E731
    assert call() == 4321 + 100 + 3
    assert on_thread(call) == 4321 + 100 + 3


def test_descriptors_keep_every_register_of_the_vector_unit(
    assemble: Build, build: Build, program: Program
) -> None:
    """Every vector and general register is filled, and compared after the slow path."""
    if "avx2" not in _cpu_flags():
        pytest.skip("the processor has no AVX2")
    load = "\n".join(f"vpcmpeqd %ymm{i}, %ymm{i}, %ymm{i}" for i in range(16))
    check = "\n".join(f"vpand %ymm{i}, %ymm0, %ymm0" for i in range(1, 16))
    general = [
        "rcx",
        "rdx",
        "rsi",
        "rdi",
        "r8",
        "r9",
        "r10",
        "r11",
        "rbx",
        "r12",
        "r13",
        "r14",
        "r15",
    ]
    fill = "\n".join(f"mov ${100 + i}, %{name}" for i, name in enumerate(general))
    same = "\n".join(f"cmp ${100 + i}, %{name}\njne 9f" for i, name in enumerate(general))
    source = f"""
    .text
    .globl f
    f: push %rbx; push %r12; push %r13; push %r14; push %r15
    {load}
    {fill}
    lea x@tlsdesc(%rip), %rax
    call *x@tlscall(%rax)
    {same}
    mov %fs:(%rax), %rcx
    {check}
    vpmovmskb %ymm0, %eax
    cmp $-1, %eax
    jne 9f
    mov %rcx, %rax
    jmp 8f
    9: mov $-1, %rax
    8: vzeroupper
    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx
    ret
    """
    program.link(assemble(source), build("__thread long x = 77;", "-fPIC"))
    assert on_thread(lambda: [program.call("f"), program.call("f")]) == [77, 77]


def _cpu_flags() -> str:
    info = Path("/proc/cpuinfo").read_text()
    return next((line for line in info.splitlines() if line.startswith("flags")), "")


def test_a_librarys_thread_local_variable_is_found(build: Build, program: Program) -> None:
    """std::call_once in libstdc++ passes its callable through two of them."""
    source = """
    #include <mutex>
    #include <thread>
    static std::once_flag flag; static int value;
    extern "C" long once() {
        std::call_once(flag, [](int n) { value += n; }, 42);
        std::thread([] { std::call_once(flag, [](int n) { value += n; }, 1); }).join();
        return value;
    }
    """
    program.link(build(source, "-fPIC", "-O1", language="cpp"))
    assert program.call("once") == 42


def test_a_variable_that_nobody_has_is_refused(build: Build, arena: Arena) -> None:
    data = build("extern __thread long nowhere; long f(void) { return nowhere; }", "-fPIC")
    graph = LinkGraph.from_object(data, file="unit.o", arena=arena)
    with pytest.raises(RelocationError, match="thread-local") as caught:
        graph.fix_up([arena.start for _ in graph.externals])
    assert caught.value.symbol == "nowhere"
    graph.deallocate()


def test_an_ordinary_access_to_a_thread_local_variable_is_refused(assemble: Build) -> None:
    source = '.section .tdata,"awT"\n.globl x\nx: .quad 1\n.text\nmov x(%rip), %rax'
    with pytest.raises(RelocationError, match="thread-local"):
        LinkGraph.from_object(assemble(source).replace(b"\0", b"\0"))


def test_the_initial_data_may_hold_addresses(build: Build, program: Program) -> None:
    source = """
    static long target = 9; static __thread long *pointer = &target;
    long f(void) { return *pointer; }
    """
    program.link(build(source, "-fPIC", "-O0"))
    assert on_thread(lambda: program.call("f")) == 9


def test_a_token_stands_for_each_threads_address(build: Build, program: Program) -> None:
    program.link(build("__thread long x = 4; long *at(void) { return &x; }", "-fPIC"))
    token = program.symbols["x"]
    assert thread_local_address(token) == program.call("at")
    here = thread_local_address(token)
    there = on_thread(lambda: (thread_local_address(token), program.call("at")))
    assert there == (there[0], there[0]) and there[0] != here  # type: ignore[index]
    with pytest.raises(UsageError):
        thread_local_address(here)


def test_more_than_a_threads_block_holds_is_refused(assemble: Build, arena: Arena) -> None:
    source = '.section .tbss,"awT",@nobits\n.globl x\nx: .zero 0x20000000'
    with pytest.raises(ArenaFull, match="thread-local"):
        LinkGraph.from_object(assemble(source), arena=arena)


def test_a_thread_that_forks_keeps_its_variables(build: Build, program: Program) -> None:
    program.link(build(SOURCE, "-fPIC"), build(ELSEWHERE, "-fPIC"))
    program.call("bump")
    child = os.fork()
    if child == 0:
        ok = program.call("bump") == 70903 and on_thread(lambda: program.call("bump")) == 60802
        os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
