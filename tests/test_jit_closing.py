"""Closing: at the end, in the middle of things, or because nobody remembers the JIT."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from adding import INT, PROGRAM, TWICE
from surviving import GOOD, root
from waiting import eventually

from lazyjit import JIT
from lazyjit.errors import (
    LazyJITError,
    SessionClosed,
)

# The end


def test_what_was_closed_refuses_everything(jit):
    jit.add(PROGRAM)
    add, never = jit.function("add", INT, INT), jit.function("never", INT)
    add(1)
    jit.close()
    jit.close()
    for use in (
        lambda: jit.add(TWICE),
        lambda: jit.add_module(TWICE),
        lambda: jit.lookup("add"),
        lambda: jit.function("add", INT, INT),
        lambda: jit.compile(),
        lambda: jit.define("x", 1),
        lambda: jit.load_library("libm.so.6"),
        lambda: jit.create_dylib("late"),
        lambda: jit.initialize(),
        lambda: never(),
        lambda: add(1),
    ):
        with pytest.raises(SessionClosed):
            use()
    assert "closed" in repr(jit)
    assert jit.statistics().functions_known == 3


def test_with_closes_also_when_the_body_raises():
    with pytest.raises(ZeroDivisionError), JIT(compile_threads=1) as jit:
        _ = 1 // 0
    with pytest.raises(SessionClosed):
        jit.add(TWICE)


def test_a_forgotten_jit_is_closed_and_its_threads_end():
    jit = JIT(compile_threads=2)
    jit.add(TWICE)
    function = jit.function("twice", INT, INT)
    threads = list(jit._dispatcher._threads)
    assert [thread.is_alive() for thread in threads] == [True, True]
    gone = weakref.ref(jit)
    del jit
    gc.collect()
    assert gone() is not None  # the handle keeps it
    assert function(4) == 8
    del function
    # A pool thread may be on its way out of the first call still, and be the last to let go.
    assert eventually(lambda: gone() is None)
    for thread in threads:
        thread.join(600)
    assert [thread.is_alive() for thread in threads] == [False, False]


# Closing meanwhile


def test_closing_during_compilation_fails_who_waits_with_session_closed():
    compiling, closing = threading.Event(), threading.Event()

    def hold(unit) -> None:
        compiling.set()
        closing.wait()

    jit = JIT(compile_threads=2, on_unit=hold)
    jit.add(GOOD.format("", 2))
    alive = jit.function("alive", INT, INT)
    errors: list[BaseException] = []

    def call() -> None:
        try:
            alive(1)
        except BaseException as error:
            errors.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    compiling.wait()
    closer = threading.Thread(target=jit.close)
    closer.start()
    while not jit.session._closed:
        pass
    closing.set()
    closer.join()
    caller.join()
    assert [type(root(error)) for error in errors] == [SessionClosed]
    with pytest.raises(SessionClosed):
        jit.add(GOOD.format("", 2))


@pytest.mark.parametrize("ask", ["call", "compile"])
def test_a_unit_callback_may_close_the_session(ask):
    jit = JIT(compile_threads=2, on_unit=lambda unit: jit.close())
    jit.add(GOOD.format("", 2))
    alive = jit.function("alive", INT, INT)
    with pytest.raises(LazyJITError) as caught:
        if ask == "call":
            alive(1)
        else:
            jit.compile()
    assert isinstance(root(caught.value), SessionClosed)
    for thread in jit._dispatcher._threads:
        thread.join(600)
        assert not thread.is_alive()
