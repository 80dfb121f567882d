"""What ufuncs refuse, and their life: first calls that fail, removal, closing, threads, memory."""

import gc
import shutil
import subprocess
import threading
import weakref
from typing import Any

import numpy as np
import pytest
from waiting import eventually

from lazyjit import JIT
from lazyjit.errors import (
    FailedToMaterialize,
    IRError,
    SessionClosed,
    SymbolRemoved,
    SymbolsNotFound,
    UsageError,
)

SOURCE = """
@table = internal global [4 x double] [double 1.0, double 2.0, double 3.0, double 4.0]
define double @add(double %a, double %b) {
  %r = fadd double %a, %b
  ret double %r
}
define float @one(float %a) {
  ret float %a
}
define double @outer(double %x) {
  %r = call double @inner(double %x)
  ret double %r
}
define internal double @inner(double %x) noinline {
  %y = load double, ptr @table
  %r = fadd double %x, %y
  ret double %r
}
define double @recursive(double %x) {
  %small = fcmp olt double %x, 1.0
  br i1 %small, label %end, label %on
on:
  %less = fsub double %x, 1.0
  %rest = call double @recursive(double %less)
  %sum = fadd double %rest, %x
  ret double %sum
end:
  ret double 0.0
}
define weak double @replaceable(double %x) {
  ret double %x
}
define double @pointer(ptr %p) {
  ret double 0.0
}
define void @nothing(double %x) {
  ret void
}
define double @constant() {
  ret double 0.0
}
define half @half(half %x) {
  ret half %x
}
"""

BROKEN = """
declare double @missing(double)
define double @broken(double %x) {
  %r = call double @missing(double %x)
  ret double %r
}
define double @deep(double %x) {
  %big = fcmp ogt double %x, 10.0
  br i1 %big, label %yes, label %no
yes:
  %r = call double @broken(double %x)
  ret double %r
no:
  ret double %x
}
define double @malformed(double %x) {
  %r = fadd double %x, %nothing
  ret double %r
}
"""


@pytest.fixture
def jit(jit: JIT) -> JIT:
    jit.add(SOURCE)
    return jit


@pytest.mark.parametrize(
    ("functions", "words"),
    [
        ("pointer", "takes ptr, not a number"),
        ("nothing", "gives no number"),
        ("constant", "takes no number"),
        ("half", "half"),
        ("table$0", "."),
        (["add", "one"], "inputs"),
        ({"add": "double(double)"}, "."),
        ({"add": "double(double, double"}, "signature"),
        ([], "at least one"),
        ([3], "str"),
        (["add", "add"], "twice"),
        (7, "named by"),
    ],
)
def test_what_is_no_function_of_numbers_is_refused(jit: JIT, functions: object, words: str) -> None:
    with pytest.raises((UsageError, SymbolsNotFound), match=words):
        jit.ufunc(functions)  # type: ignore[arg-type]


def test_names_identities_and_missing_functions_are_checked(jit: JIT) -> None:
    with pytest.raises(SymbolsNotFound):
        jit.ufunc("nowhere")
    with pytest.raises(UsageError, match="identity"):
        jit.ufunc("add", identity="zero")
    with pytest.raises(UsageError, match="NUL"):
        jit.ufunc("add", name="a\0b")
    jit.add(SOURCE.replace("@", "@again."))
    with pytest.raises(UsageError, match="same types"):
        jit.ufunc(["add", "again.add"])


def test_a_first_call_that_fails_raises_and_goes_on_raising(jit: JIT) -> None:
    jit.add(BROKEN, name="broken.ll")
    for name, cause in (("broken", SymbolsNotFound), ("malformed", IRError)):
        ufunc = jit.ufunc(name)
        for argument in (1.0, np.ones(10), np.ones(100_000), np.ones((300, 300))[:, ::2]):
            with pytest.raises(FailedToMaterialize, match=name) as caught:
                ufunc(argument)
            assert isinstance(caught.value.__cause__, cause)
    with pytest.raises(FailedToMaterialize):
        jit.ufunc("broken").at(np.ones(3), [0, 1])


def test_a_line_of_the_module_is_named(jit: JIT) -> None:
    jit.add(BROKEN, name="broken.ll")
    with pytest.raises(FailedToMaterialize, match=r"broken.ll:17: use of undefined"):
        jit.ufunc("malformed")(1.0)


def test_a_callee_that_fails_does_so_only_when_it_is_called(jit: JIT) -> None:
    jit.add(BROKEN)
    deep = jit.ufunc("deep")
    assert (deep(np.arange(10.0)) == np.arange(10.0)).all()
    with pytest.raises(FailedToMaterialize):
        deep(np.arange(100.0))
    assert (deep(np.arange(10.0)) == np.arange(10.0)).all()


def test_hidden_data_recursion_and_replaceable_functions_work(jit: JIT) -> None:
    assert jit.ufunc("outer")(np.arange(3.0)).tolist() == [1.0, 2.0, 3.0]
    assert jit.ufunc("recursive")(np.arange(5.0)).tolist() == [0.0, 1.0, 3.0, 6.0, 10.0]
    assert jit.ufunc("replaceable")(np.arange(3.0)).tolist() == [0.0, 1.0, 2.0]


def test_functions_of_objects_and_of_the_process_work(jit: JIT, compile_object: object) -> None:
    code = compile_object("double twice(double x) { return 2 * x; }")  # type: ignore[operator]
    jit.add(code)
    with pytest.raises(UsageError, match="signature"):
        jit.ufunc("twice")
    assert jit.ufunc({"twice": "double(double)"})(np.arange(3.0)).tolist() == [0.0, 2.0, 4.0]


def test_after_removal_calls_raise(jit: JIT) -> None:
    tracker = jit.add(SOURCE.replace("@", "@gone."))
    used, unused, other = jit.ufunc("gone.add"), jit.ufunc("gone.one"), jit.ufunc("add")
    used(1.0, 2.0)
    tracker.remove()
    for call in (
        lambda: used(1.0, 2.0),
        lambda: unused(np.float32(1)),
        lambda: used(np.ones(10**5), 1.0),
    ):
        with pytest.raises(SymbolRemoved):
            call()
    assert other(1.0, 2.0) == 3.0


def test_after_the_end_calls_raise() -> None:
    jit = JIT(compile_threads=1)
    jit.add(SOURCE)
    add, one = jit.ufunc("add"), jit.ufunc("one")
    add(1.0, 2.0)
    jit.close()
    for call in (lambda: add(1.0, 2.0), lambda: one(np.float32(1))):
        with pytest.raises(SessionClosed):
            call()


def test_a_ufunc_keeps_its_jit_and_goes_with_it() -> None:
    jit = JIT(compile_threads=1)
    jit.add(SOURCE)
    add, gone = jit.ufunc("add", doc="words", identity=0.0), weakref.ref(jit)
    del jit
    gc.collect()
    assert add(1.0, 2.0) == 3.0
    assert gone() is not None
    assert "words" in add.__doc__
    del add
    assert eventually(lambda: gone() is None)


def test_the_code_of_a_ufunc_goes_with_it(jit: JIT) -> None:
    jit.ufunc("add")(1.0, 1.0)
    gc.collect()
    done = threading.Event()

    for _ in range(3):
        for _ in range(20):
            jit.ufunc("add")(1.0, 1.0)
        gc.collect()
        done.clear()
        jit.after_calls(done.set)
        assert done.wait(600)
    for _ in range(1000):
        if not [name for name in jit.main.names() if "$loop" in name]:
            break
        done.clear()
        jit.after_calls(done.set)
        assert done.wait(600)
    assert not [name for name in jit.main.names() if "$loop" in name]


def test_threads_that_start_together_get_the_same_results(jit: JIT) -> None:
    add, outer = jit.ufunc("add"), jit.ufunc("outer")
    barrier, wrong = threading.Barrier(6), []
    x = np.arange(20_000.0)

    def work() -> None:
        barrier.wait()
        for _ in range(20):
            if not ((add(x, x) == 2 * x).all() and (outer(x) == x + 1).all()):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_removal_waits_for_calls_under_way(jit: JIT) -> None:
    x = np.arange(30_000.0)
    for turn in range(8):
        tracker = jit.add(SOURCE.replace("@", f"@t{turn}."))
        add = jit.ufunc(f"t{turn}.add")
        add(x, x)
        barrier = threading.Barrier(3)
        unexpected: list[BaseException] = []

        def work(
            add: np.ufunc = add,
            barrier: threading.Barrier = barrier,
            unexpected: list[BaseException] = unexpected,
        ) -> None:
            barrier.wait()
            try:
                for _ in range(200):
                    assert add(x, x)[-1] == 2 * x[-1]
            except SymbolRemoved:
                return
            except BaseException as error:
                unexpected.append(error)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        barrier.wait()
        tracker.remove()
        for thread in threads:
            thread.join()
        assert not unexpected
        with pytest.raises(SymbolRemoved):
            add(1.0, 1.0)
    assert (jit._grace.waiting, jit._grace.calls) == (0, 0)


@pytest.mark.parametrize("flags", ["-O0 -g", "-O2 -g", "-O3"])
@pytest.mark.parametrize("options", [{}, {"tiered": True}, {"lazy": False}])
def test_code_of_a_c_compiler_is_taken_in(flags: str, options: dict[str, bool]) -> None:
    clang = shutil.which("clang-22") or shutil.which("clang")
    if clang is None:
        pytest.skip("needs clang")
    source = """
    #include <math.h>
    static double part(double x) { double y = 2 * x; return y > 3 ? y : -y; }
    double total(double a, int n) {
        double sum = 0;
        for (int i = 0; i < n; i++) sum += part(a + i);
        return fmax(sum, -100);
    }
    """
    command = [clang, "-S", "-emit-llvm", *flags.split(), "-x", "c", "-", "-o", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=True)
    with JIT(compile_threads=2, **options) as jit:
        jit.add(done.stdout)
        x = np.arange(50.0)
        parts = 2 * (x[:, None] + np.arange(4))
        with np.errstate(all="raise"):
            found = jit.ufunc("total")(x, np.int32(4))
        np.testing.assert_array_equal(found, np.where(parts > 3, parts, -parts).sum(1))


def test_removal_finds_code_whose_tracker_was_transferred(jit: JIT) -> None:
    tracker, other = jit.add(SOURCE.replace("@", "@moved.")), jit.main.create_tracker()
    before = jit.ufunc("moved.add")
    before(1.0, 2.0)
    tracker.transfer_to(other)
    after = jit.ufunc("moved.add")
    assert before(1.0, 2.0) == after(1.0, 2.0) == 3.0
    other.remove()
    for ufunc in (before, after):
        with pytest.raises(SymbolRemoved):
            ufunc(1.0, 2.0)


def test_a_ufunc_may_be_made_while_its_function_is_transferred(jit: JIT) -> None:
    tracker, other = jit.add(SOURCE.replace("@", "@moving.")), jit.main.create_tracker()
    tracker_of = jit.session.tracker_of

    def transferring(where: Any, name: str) -> Any:
        found = tracker_of(where, name)
        tracker.transfer_to(other)
        return found

    jit.session.tracker_of = transferring  # type: ignore[method-assign]
    ufunc = jit.ufunc("moving.add")
    assert ufunc(1.0, 2.0) == 3.0
    other.remove()
    with pytest.raises(SymbolRemoved):
        ufunc(1.0, 2.0)


def test_closing_frees_memory_once_a_call_under_way_has_returned() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hold(x: float) -> float:
        inside.set()
        assert go_on.wait(600)
        return x

    jit = JIT(compile_threads=1)
    jit.define("hold", hold, "double(double)")
    jit.add("""
declare double @hold(double)
define double @held(double %x) {
  %y = call double @hold(double %x)
  ret double %y
}
""")
    ufunc = jit.ufunc("held")
    results: list[object] = []
    worker = threading.Thread(target=lambda: results.append(ufunc(1.0)))
    worker.start()
    assert inside.wait(600)
    jit.close()
    assert not jit._arena.closed
    go_on.set()
    worker.join()
    assert results == [1.0]
    assert jit._arena.closed
