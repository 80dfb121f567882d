"""The life of a typed function: first calls that fail, removal, closing, threads, leaks.

What is raised, and what stays in memory as long as somebody is in it.
"""

import contextlib
import ctypes
import gc
import subprocess
import sys
import textwrap
import threading
import tracemalloc
import weakref

import pytest
from leaking import growth

from lazyjit import JIT, FunctionState
from lazyjit.errors import FailedToMaterialize, SessionClosed, SymbolRemoved, SymbolsNotFound

CALLBACK = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)

#: `outer` is not self-contained; `leaf` is; `back` calls a function that it is given.
SOURCE = """
define double @leaf(double %x) {
  %r = fadd double %x, 1.0
  ret double %r
}
define double @outer(double %x) noinline {
  %r = call double @inner(double %x)
  ret double %r
}
define double @inner(double %x) noinline {
  %r = fmul double %x, 2.0
  ret double %r
}
define double @back(ptr %f, double %x) {
  %r = call double %f(double %x)
  %s = call double @inner(double %r)
  ret double %s
}
"""

BROKEN = """
declare double @missing(double)
define double @broken(double %x) {
  %r = call double @missing(double %x)
  ret double %r
}
define double @deep(double %x, i1 %go) {
  br i1 %go, label %yes, label %no
yes:
  %r = call double @broken(double %x)
  ret double %r
no:
  ret double %x
}
"""


def test_a_first_call_that_can_not_be_compiled_raises_there_and_every_time(jit):
    jit.add(BROKEN)
    broken = jit["broken"]
    assert broken.state is FunctionState.LAZY
    for _ in range(3):
        with pytest.raises((FailedToMaterialize, SymbolsNotFound), match="missing"):
            broken(1.0)
        assert broken.state is FunctionState.FAILED
    with pytest.raises((FailedToMaterialize, SymbolsNotFound), match="missing"):
        broken.compile()


@pytest.mark.parametrize("nogil", [False, True])
def test_a_failure_below_surfaces_at_the_call_and_spoils_no_other(nogil):
    with JIT(compile_threads=1, opt_level=0, unit_policy="function") as jit:
        jit.add(BROKEN)
        deep = jit.callable("deep", "double(double, bool)", nogil=nogil)
        assert deep(1.5, False) == 1.5
        for _ in range(3):
            with pytest.raises((FailedToMaterialize, SymbolsNotFound), match="missing"):
                deep(1.5, True)
            assert deep(2.5, False) == 2.5


def test_native_code_that_calls_a_removed_function_raises(jit):
    jit.add(
        "declare i32 @gone()\ndefine i32 @calls() {\n  %r = call i32 @gone()\n  ret i32 %r\n}\n"
    )
    tracker = jit.add("define i32 @gone() noinline {\n  ret i32 7\n}\n")
    assert jit["calls"]() == 7
    tracker.remove()
    with pytest.raises(SymbolRemoved):
        jit["calls"]()


def test_a_removed_function_raises(jit):
    tracker = jit.add(SOURCE)
    called, fresh, builtin = jit["leaf"], jit["outer"], jit["leaf"].builtin
    assert called(1.0) == 2.0
    tracker.remove()
    for function in (called, fresh, builtin):
        with pytest.raises(SymbolRemoved):
            function(1.0)
    assert called.state is fresh.state is FunctionState.REMOVED
    with pytest.raises(SymbolRemoved):
        fresh.compile()
    assert "removed" in repr(called)
    jit.add(SOURCE)
    assert jit["leaf"](1.0) == 2.0
    with pytest.raises(SymbolRemoved):
        called(1.0)


def test_a_transferred_function_goes_with_its_new_tracker(jit):
    first, second = jit.add(SOURCE), jit.main.create_tracker()
    leaf = jit["leaf"]
    first.transfer_to(second)
    first.remove()
    assert leaf(1.0) == 2.0
    second.remove()
    with pytest.raises(SymbolRemoved):
        leaf(1.0)


def test_a_function_may_be_transferred_while_it_is_made(jit):
    first, second = jit.add(SOURCE), jit.main.create_tracker()
    address = jit.lookup("leaf")
    # A thread has looked up what has the code; before it goes on, another's transfer is complete.
    first.transfer_to(second)
    leaf = jit._typed.make("leaf", address, jit.main, first, None, False, jit)
    assert leaf(1.0) == 2.0
    second.remove()
    with pytest.raises(SymbolRemoved):
        leaf(1.0)


def test_functions_of_a_closed_session_raise():
    jit = JIT(compile_threads=1)
    jit.add(SOURCE)
    called, fresh = jit["leaf"], jit["outer"]
    process = jit.callable("hypot", "double(double, double)")
    assert called(1.0) == 2.0 and process(3, 4) == 5
    jit.close()
    for function, arguments in ((called, (1.0,)), (fresh, (1.0,)), (process, (3, 4))):
        with pytest.raises(SessionClosed):
            function(*arguments)
    with pytest.raises(SessionClosed):
        _ = jit["leaf"]


def test_a_function_keeps_its_session():
    def make():
        jit = JIT(compile_threads=1)
        jit.add(SOURCE)
        return jit["leaf"]

    leaf = make()
    gc.collect()
    assert leaf(1.0) == 2.0


@pytest.mark.parametrize("nogil", [False, True])
@pytest.mark.parametrize("close", [False, True])
def test_removal_during_a_call_waits_for_it(nogil, close):
    """The call is in Python's callback while its code is removed, and goes on in it afterwards."""
    jit = JIT(compile_threads=1, opt_level=0, unit_policy="module")
    tracker = jit.add(SOURCE)
    back = jit.callable("back", "double(ptr, double)", nogil=nogil)
    jit.compile()
    removed = []

    def callback(x):
        if not removed:
            removed.append(True)
            if close:
                jit.close()
            else:
                tracker.remove()
            removed.append(jit._grace.waiting)
        return x + 1

    pointer = CALLBACK(callback)
    if close:
        assert back(pointer, 1.0) == 4.0  # what is compiled lasts as long as the call
    else:
        with contextlib.suppress(SymbolRemoved):  # if it calls on, through a stub that is no more
            assert back(pointer, 1.0) == 4.0
    assert removed[1] > 0
    assert jit._grace.waiting == 0
    with pytest.raises(SessionClosed if close else SymbolRemoved):
        back(pointer, 1.0)
    jit.close()


def test_removal_while_arguments_are_converted(jit):
    """An argument's own method removes the function that is being called."""
    for name in ("leaf", "outer"):
        tracker = jit.add(SOURCE)
        function = jit[name]
        expected = function(1.0)

        class Removing:
            def __float__(self, tracker=tracker):
                tracker.remove()
                return 1.0

        try:
            assert function(Removing()) == expected
        except SymbolRemoved:
            assert name == "outer"
        with pytest.raises(SymbolRemoved):
            function(1.0)
        assert jit._grace.waiting == 0


def test_calls_of_others_hold_back_what_they_may_be_in(jit):
    """A call of one module is under way while another one is removed."""
    jit.add(SOURCE)
    other = jit.add("define i32 @other() { ret i32 1 }")
    assert jit["other"]() == 1
    waiting = []

    def callback(x):
        if other is not None and not waiting:
            other.remove()
            waiting.append(jit._grace.waiting)
        return x

    assert jit.callable("back", "double(ptr, double)")(CALLBACK(callback), 1.0) == 2.0
    assert waiting[0] >= 1
    assert jit._grace.waiting == 0


def test_threads_call_while_modules_come_and_go():
    rounds, threads = 60, 4
    with JIT(compile_threads=2, opt_level=0) as jit:
        box = [None]
        done = threading.Event()
        wrong: list[object] = []

        def call(nogil):
            while not done.is_set():
                function = box[0] and box[0][nogil]
                if function is None:
                    continue
                try:
                    result = function(20.0)
                    if result != 40.0:
                        wrong.append(result)
                except SymbolRemoved:
                    pass
                except BaseException as error:
                    wrong.append(error)
                    raise

        callers = [threading.Thread(target=call, args=[n % 2]) for n in range(threads)]
        for thread in callers:
            thread.start()
        for _ in range(rounds):
            tracker = jit.add(SOURCE)
            box[0] = [jit.callable("outer", nogil=nogil) for nogil in (False, True)]
            box[0][0](20.0)
            tracker.remove()
        done.set()
        for thread in callers:
            thread.join()
        assert not wrong
        assert jit._grace.calls == 0 and jit._grace.waiting == 0


def test_with_nogil_threads_are_in_the_function_at_once(jit):
    """Two threads meet in a barrier of the C library, which they could not with the GIL held."""
    jit.add(
        """
        declare i32 @pthread_barrier_wait(ptr)
        define i32 @meet(ptr %barrier) {
          %r = call i32 @pthread_barrier_wait(ptr %barrier)
          ret i32 %r
        }
        """
    )
    libc = ctypes.CDLL(None)
    barrier = ctypes.create_string_buffer(64)
    libc.pthread_barrier_init(barrier, None, 2)
    meet = jit.callable("meet", "int(ptr)", nogil=True)
    results = []
    threads = [threading.Thread(target=lambda: results.append(meet(barrier))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    assert sorted(results) == [-1, 0]


def test_one_first_call_serves_all_threads():
    with JIT(compile_threads=2) as jit:
        jit.add(SOURCE)
        outer = jit["outer"]
        start = threading.Barrier(8)
        results = []

        def call():
            start.wait()
            results.append(outer(3.0))

        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [6.0] * 8
        assert jit.statistics().functions_compiled == 2


def test_a_callback_that_calls_back(jit):
    jit.add(SOURCE)
    back = jit.callable("back", "double(ptr, double)")

    def callback(x):
        return back(CALLBACK(lambda y: y), x - 1) if x > 0 else x

    assert back(CALLBACK(callback), 2.0) == 4.0


def test_functions_go_when_nobody_has_them(jit):
    jit.add(SOURCE)
    leaf = jit["leaf"]
    leaf(1.0)
    gone = weakref.ref(leaf)
    del leaf
    gc.collect()
    assert gone() is None


def test_a_circle_through_a_default_is_collected(jit):
    jit.add(SOURCE)

    class Circle(float):
        pass

    value = Circle(1.0)

    def stub(x: float = value) -> float: ...

    value.function = jit.callable("leaf", stub)
    assert value.function() == 2.0
    gone = weakref.ref(value.function)
    del value, stub
    gc.collect()
    assert gone() is None


def test_results_and_errors_leave_no_references(jit):
    jit.add(SOURCE)
    leaf = jit["leaf"]
    value = 1.5e300
    leaf(value)
    made = float("1.5e300")
    alone = sys.getrefcount(made)  # 2, or 1 from 3.14 on, where an argument may be borrowed

    def work():
        for _ in range(1000):
            result = leaf(value)
            count = sys.getrefcount(result)
            assert count == alone
        for _ in range(100):
            with pytest.raises(TypeError):
                leaf("x")
            with pytest.raises(TypeError):
                leaf(value, value)

    for counted in (value, None, leaf):
        assert abs(growth(lambda counted=counted: sys.getrefcount(counted), work)) < 20


def test_calls_of_every_kind_leak_nothing(jit):
    jit.add(
        SOURCE
        + """
        define { double, i64 } @pair(double %x) {
          %r = insertvalue { double, i64 } poison, double %x, 0
          %s = insertvalue { double, i64 } %r, i64 9223372036854775807, 1
          ret { double, i64 } %s
        }
        define void @nothing(ptr %x) { ret void }
        """
    )
    pair, nothing = jit["pair"], jit.callable("nothing", "void(double[:])")
    leaf, values = jit["leaf"], (ctypes.c_double * 4)()

    def work():
        for _ in range(300):
            leaf(2.0), pair(1.0), nothing(values), leaf(x=1)
            for arguments in ((), ("x",), (1, 2)):
                with pytest.raises(TypeError):
                    leaf(*arguments)

    work()
    tracemalloc.start()
    try:
        work()
        assert growth(lambda: tracemalloc.get_traced_memory()[0], work) < 1000
    finally:
        tracemalloc.stop()
    assert abs(growth(lambda: sys.getrefcount(None), work)) < 100


def test_loading_calling_and_removing_leaves_memory_where_it_was(jit):
    def once():
        tracker = jit.add(SOURCE)
        assert jit["leaf"](1.0) == 2.0
        tracker.remove()

    for _ in range(20):
        once()
    before, functions = jit.statistics().arena, len(jit._typed._open)
    for _ in range(50):
        once()
    assert jit.statistics().arena == before
    assert len(jit._typed._open) == functions


def test_an_exit_with_functions_alive_is_quiet():
    program = textwrap.dedent(
        """
        import lazyjit, threading
        jit = lazyjit.JIT()
        jit.add("define double @f(double %x) {\\n  ret double %x\\n}")
        f = jit["f"]
        f(1.0)
        g = f.builtin
        print(g(2.0))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=600
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "2.0\n", "")


def test_a_first_call_compiles_function_and_wrapper_at_once(monkeypatch):
    with JIT(compile_threads=2) as jit:
        jit.add(SOURCE)
        # Neither compilation goes on before both have begun: one after the other never would.
        both = threading.Barrier(2)
        compiler, [maker] = jit._typed.compiler(), jit._modules._makers.values()
        compiled, made = compiler.compile, maker.make

        def compile_wrapper(*given):
            both.wait(timeout=600)
            return compiled(*given)

        def make_function(units, *, plain):
            both.wait(timeout=600)
            return made(units, plain=plain)

        monkeypatch.setattr(compiler, "compile", compile_wrapper)
        monkeypatch.setattr(maker, "make", make_function)
        assert jit["leaf"](1.0) == 2.0
