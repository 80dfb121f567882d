"""Links with memory managers of all kinds: quick, late, failing, and pretending."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

from lazyjit import JIT
from lazyjit.errors import ArenaFull, FailedToMaterialize, LazyJITError, ResourceError, UsageError
from lazyjit.layers.plugin import Plugin
from lazyjit.link.memory_null import NullMemoryManager
from lazyjit.link.memory_slab import SlabMemoryManager

INT = ctypes.c_int
MIB = 1 << 20

F = "int counter = 4; const int table[3] = {1, 2, 3}; int f(int i) { return counter + table[i]; }"
THROWS = """
extern "C" int f(int x) {
    try { if (x > 1) throw x; return 0; } catch (int thrown) { return thrown + 100; }
}
"""
TLS = "_Thread_local int mine = 7; int f(int x) { mine += x; return mine; }"


@pytest.fixture
def slab() -> Iterator[SlabMemoryManager]:
    slab = SlabMemoryManager(4 * MIB)
    yield slab
    assert slab.used == 0
    slab.close()


def make_jit(memory, **options) -> JIT:
    return JIT(compile_threads=2, opt_level=1, speculate=False, memory_manager=memory, **options)


@pytest.mark.parametrize("source", [F, TLS])
def test_code_runs_in_a_slab_of_its_own(slab, compile_object, source):
    with make_jit(slab) as jit:
        jit.add(compile_object(source))
        f = jit.function("f", INT, INT)
        assert f(1) in (6, 8)
        assert slab.address <= jit.lookup("f") < slab.address + slab.size
        assert slab.used > 0


def test_compiled_modules_go_to_the_manager_too(slab):
    with make_jit(slab) as jit:
        jit.add("@g = global i32 5\ndefine i32 @f() {\n %r = load i32, ptr @g\n ret i32 %r\n}\n")
        assert jit.function("f", INT)() == 5
        assert slab.address <= jit.lookup("g") < slab.address + slab.size


def test_exceptions_find_their_tables_in_a_slab(slab, compile_object):
    with make_jit(slab) as jit:
        jit.load_library("libstdc++.so.6")
        jit.load_library("libgcc_s.so.1")
        tracker = jit.add(compile_object(THROWS, language="c++"))
        assert jit.function("f", INT, INT)(5) == 105
        jit.remove(tracker)
        jit.add(compile_object(THROWS, language="c++"))
        assert jit.function("f", INT, INT)(6) == 106


def test_removed_code_gives_its_slab_back(slab, compile_object):
    with make_jit(slab) as jit:
        tracker = jit.add(compile_object(F))
        assert jit.function("f", INT, INT)(0) == 5
        assert slab.used > 0
        jit.remove(tracker)
        assert slab.used == 0


def test_a_full_slab_is_a_failed_link_and_no_more(slab, compile_object):
    with make_jit(slab) as jit:
        jit.add(compile_object("char large[8000000]; char *g(void) { return large; }"))
        jit.add(compile_object(F))
        with pytest.raises(FailedToMaterialize) as caught:
            jit.lookup("g")
        assert isinstance(caught.value.__cause__, ArenaFull)
        assert jit.function("f", INT, INT)(2) == 7


# -- managers that fail ----------------------------------------------------------------------------


class Sour:
    """Fails at a moment, in one way or another; else a slab."""

    def __init__(self, slab: SlabMemoryManager, moment: str, how: str) -> None:
        self.slab, self.moment, self.how = slab, moment, how
        self.page_size, self.runs_here = slab.page_size, True

    def answer(self, callback) -> None:
        if self.how == "answers":
            callback(None, ResourceError("sour"))
        elif self.how == "raises":
            raise ResourceError("sour")
        elif self.how == "answers neither":
            callback(None, None)

    def allocate(self, request, on_allocated) -> None:
        if self.moment == "allocate":
            self.answer(on_allocated)
            return

        def wrap(allocation, error) -> None:
            on_allocated(allocation and SourAllocation(self, allocation), error)

        self.slab.allocate(request, wrap)

    def deallocate(self, allocations, on_deallocated) -> None:
        self.slab.deallocate(allocations, on_deallocated)


class SourAllocation:
    def __init__(self, manager: Sour, inner) -> None:
        self.manager, self.inner = manager, inner
        self.segments = inner.segments
        if manager.moment == "segments":
            self.segments = self.segments[:-1]

    def finalize(self, actions, on_finalized) -> None:
        if self.manager.moment == "finalize":
            self.inner.abandon(lambda error: None)
            self.manager.answer(on_finalized)
        else:
            self.inner.finalize(actions, on_finalized)

    def abandon(self, on_abandoned) -> None:
        self.inner.abandon(on_abandoned)


def roots(error: BaseException) -> BaseException:
    while isinstance(error, FailedToMaterialize) and error.__cause__ is not None:
        error = error.__cause__
    return error


@pytest.mark.parametrize(
    ("moment", "how", "expected"),
    [
        ("allocate", "answers", ResourceError),
        ("allocate", "raises", ResourceError),
        ("allocate", "answers neither", UsageError),
        ("finalize", "answers", ResourceError),
        ("finalize", "raises", ResourceError),
        ("finalize", "answers neither", UsageError),
        ("segments", "", UsageError),
    ],
)
def test_a_failing_manager_fails_each_link_with_its_error(
    slab, compile_object, moment, how, expected
):
    sour = Sour(slab, moment, how)
    seen = []

    class Watcher(Plugin):
        def notify_failed(self, responsibility):
            seen.append(sorted(responsibility.symbols))

    with make_jit(sour) as jit:
        jit.add_plugin(Watcher())
        jit.add(compile_object("int f(void) { return 3; } int g(void) { return 4; }"))
        jit.add(compile_object("int f(void); int h(void) { return f(); }"))
        for name in ("f", "g", "h"):
            with pytest.raises(LazyJITError) as caught:
                jit.lookup(name)
            assert isinstance(roots(caught.value), expected)
        assert seen
        assert slab.used == 0
        sour.moment = "never"
        jit.add(compile_object("int later(void) { return 7; }"))
        assert jit.function("later", INT)() == 7


def test_a_manager_that_answers_twice_is_told_so(slab, compile_object):
    told = []

    class Twice(Sour):
        def allocate(self, request, on_allocated) -> None:
            def both(allocation, error) -> None:
                on_allocated(allocation, error)
                try:
                    on_allocated(allocation, error)
                except UsageError as error:
                    told.append(error)

            self.slab.allocate(request, both)

    with make_jit(Twice(slab, "never", "")) as jit:
        jit.add(compile_object("int f(void) { return 3; }"))
        assert jit.function("f", INT)() == 3
    assert len(told) == 1


def test_memory_that_cannot_be_taken_back_is_reported(slab, compile_object):
    class Keeps(Sour):
        def deallocate(self, allocations, on_deallocated) -> None:
            self.slab.deallocate(allocations, lambda error: on_deallocated(ResourceError("mine")))

    with make_jit(Keeps(slab, "never", "")) as jit:
        reported = []
        jit.session.report_error = reported.append
        tracker = jit.add(compile_object("int f(void) { return 3; }"))
        jit.lookup("f")
        jit.remove(tracker)
        assert [str(error) for error in reported] == ["mine"]


# -- linking without execution ---------------------------------------------------------------------


@pytest.mark.parametrize(("source", "language"), [(F, "c"), (TLS, "c"), (THROWS, "c++")])
def test_a_pretending_link_registers_nothing(compile_object, source, language):
    made = NullMemoryManager(0x5000_0000_0000)
    contents: dict[str, tuple[int, bytes]] = {}

    class Contents(Plugin):
        def modify_pass_config(self, responsibility, graph, config):
            config.post_fixup.append(self.look)

        def look(self, graph):
            for symbol in graph.symbols():
                if symbol.block is not None and symbol.name:
                    contents[symbol.name] = symbol.address, symbol.block.content

    with make_jit(made) as jit:
        jit.add_plugin(Contents())
        jit.load_library("libstdc++.so.6")
        jit.add(compile_object(source, language=language))
        address = jit.lookup("f")
        assert made._ranges.start <= address < made._ranges.start + made._ranges.size
        assert contents["f"][0] == address
        assert frames_known(address) is False
        used = made.used
        assert used > 0
    assert made.used == 0


def frames_known(address: int) -> bool:
    """Whether the unwinder knows of call frame information for an address."""
    find = ctypes.CDLL("libgcc_s.so.1")._Unwind_Find_FDE
    find.restype = ctypes.c_void_p
    find.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    return find(address, (ctypes.c_void_p * 3)()) is not None


def test_what_runs_is_known_to_the_unwinder_until_it_goes(slab, compile_object):
    with make_jit(slab) as jit:
        tracker = jit.add(compile_object(THROWS, language="c++"))
        jit.load_library("libstdc++.so.6")
        address = jit.lookup("f")
        assert frames_known(address) is True
        jit.remove(tracker)
        assert frames_known(address) is False
