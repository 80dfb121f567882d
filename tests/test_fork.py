"""fork: the child has a session of its own that works, whatever the parent's threads were doing."""

import ctypes
import os
import signal
import threading

from lazyjit import JIT

INT = ctypes.c_int
FUNCTIONS = "\n".join(
    f"define i32 @f{i}(i32 %a) {{\n  %r = add i32 %a, {i}\n  ret i32 %r\n}}" for i in range(40)
)


def test_a_child_compiles_and_calls_while_threads_of_the_parent_were_calling():
    with JIT(opt_level=0, compile_threads=2) as jit:
        jit.add(FUNCTIONS)
        functions = [jit.function(f"f{i}", INT, INT) for i in range(40)]
        stop = threading.Event()
        wrong = []

        def call() -> None:
            while not stop.is_set():
                if functions[0](1) != 1:
                    wrong.append(1)

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        statuses = []
        for i in range(1, 20):
            child = os.fork()
            if child == 0:
                signal.alarm(600)  # a child that hangs is killed, and its status tells
                os._exit(0 if functions[2 * i](1) == 2 * i + 1 else 1)
            statuses.append(os.waitpid(child, 0)[1])
        stop.set()
        for thread in threads:
            thread.join()
        assert statuses == [0] * 19
        assert not wrong
        assert functions[39](1) == 40, "the parent goes on"


def test_data_is_the_child_s_own_after_a_fork():
    source = """
@count = global i32 0
define i32 @bump() {
  %old = load i32, ptr @count
  %new = add i32 %old, 1
  store i32 %new, ptr @count
  ret i32 %new
}
"""
    with JIT(opt_level=0, compile_threads=1) as jit:
        jit.add(source)
        bump = jit.function("bump", INT)
        assert bump() == 1
        child = os.fork()
        if child == 0:
            signal.alarm(600)
            os._exit(bump() * 10 + bump())
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 23
        assert bump() == 2


def test_a_fork_by_compiled_code_leaves_the_child_a_working_session():
    source = """
declare i32 @fork()
define i32 @splits() {
  %child = call i32 @fork()
  ret i32 %child
}
define i32 @later(i32 %a) {
  %r = mul i32 %a, 3
  ret i32 %r
}
"""
    with JIT(opt_level=0, compile_threads=1) as jit:
        jit.add(source)
        # One keeps the GIL, the other gives it away.
        for splits in (jit["splits"], jit.function("splits", INT)):
            child = splits()
            if child == 0:
                signal.alarm(30)
                os._exit(jit["later"](7))
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 21
        assert jit["later"](2) == 6


def test_compiled_code_may_define_what_the_runtime_offers():
    source = """
define i32 @fork() {
  ret i32 11
}
define void @quick_exit(i32 %status) {
  ret void
}
define i32 @splits() {
  call void @quick_exit(i32 3)
  %r = call i32 @fork()
  ret i32 %r
}
"""
    with JIT(opt_level=0, compile_threads=1) as jit:
        jit.add(source)
        assert jit["splits"]() == 11
