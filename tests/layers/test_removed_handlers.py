"""Exit handlers of code that a tracker removed: neither they are called nor what comes after."""

from __future__ import annotations

import ctypes
import threading

import pytest
from waiting import eventually

from lazyjit import JIT
from lazyjit.layers.plugin import Plugin

INT, POINTER = ctypes.c_int, ctypes.c_void_p


@pytest.fixture(params=["short way", "with a plugin"])
def jit(request):
    with JIT(compile_threads=1, speculate=False, opt_level=0) as jit:
        if request.param == "with a plugin":
            jit.add_plugin(Plugin())
        jit.seen = []
        jit.define("note", jit.seen.append, "void(int32)")
        yield jit


#: Registers `bye`, which notes a number.
C = """
extern int atexit(void (*)(void)); void note(int);
{static} void bye{number}(void) {{ note({number}); }}
int enrol{number}(void) {{ return atexit(bye{number}); }}
"""
IR = """
declare i32 @atexit(ptr)
declare void @note(i32)
define {linkage} void @bye{number}() {{
  call void @note(i32 {number})
  ret void
}}
define i32 @enrol{number}() {{
  %r = call i32 @atexit(ptr @bye{number})
  ret i32 %r
}}
"""


@pytest.fixture(params=["object", "object, exported", "module", "module, exported"])
def enrolled(request, jit, compile_object):
    """Adds code that registers a handler, and has it do so; the tracker."""

    def enrolled(number: int):
        if "object" in request.param:
            static = "" if "exported" in request.param else "static"
            tracker = jit.add(compile_object(C.format(static=static, number=number)))
        else:
            linkage = "" if "exported" in request.param else "internal"
            tracker = jit.add(IR.format(linkage=linkage, number=number))
        assert jit.function(f"enrol{number}", INT)() == 0
        return tracker

    return enrolled


def test_a_handler_goes_with_its_code_and_the_others_stay(jit, enrolled):
    enrolled(1)
    removed = enrolled(2)
    enrolled(3)
    removed.remove()
    jit.deinitialize()
    assert jit.seen == [3, 1]


def test_what_takes_the_memory_and_the_stub_is_not_called(jit, enrolled):
    enrolled(0).remove()
    for number in range(10, 40):
        enrolled(number)
    jit.deinitialize()
    assert jit.seen == list(range(39, 9, -1))


def test_a_handler_is_gone_while_calls_still_hold_its_memory(jit, enrolled):
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        assert go_on.wait(60)

    jit.define("hold", hold, "void()")
    jit.add("declare void @hold()\ndefine void @held() {\n  call void @hold()\n  ret void\n}\n")
    worker = threading.Thread(target=jit["held"])
    worker.start()
    try:
        assert inside.wait(60)
        enrolled(1).remove()
        assert jit._grace.waiting
        jit.deinitialize()
        assert jit.seen == []
    finally:
        go_on.set()
        worker.join()
    jit.deinitialize()
    assert jit.seen == []


def test_a_transferred_one_goes_with_its_new_tracker(jit, enrolled):
    first, second = enrolled(1), enrolled(2)
    first.transfer_to(second)
    second.remove()
    jit.deinitialize()
    assert jit.seen == []


CXX = """
extern "C" int __cxa_{which}(void (*)(void *), void *, void *);
extern "C" void *__dso_handle;
extern "C" void destroy(void *);
{thread} int value{number} = {number};
extern "C" int enrol{number}(void) {{
  return __cxa_{which}(destroy, &value{number}, &__dso_handle);
}}
"""


@pytest.mark.parametrize("thread", ["", "thread_local"])
def test_what_was_to_be_destroyed_goes_with_its_data(jit, compile_object, thread):
    # The destructor is somebody else's, as ~string is libstdc++'s.
    jit.define("destroy", lambda place: jit.seen.append(INT.from_address(place).value), "void(ptr)")
    which = "thread_atexit" if thread else "atexit"
    trackers = []
    for number in (1, 2, 3):
        source = CXX.format(which=which, thread=thread, number=number)
        trackers.append(jit.add(compile_object(source, language="c++")))
        assert jit.function(f"enrol{number}", INT)() == 0
    trackers[1].remove()
    jit.deinitialize()
    assert jit.seen == [3, 1]


def test_memory_waits_for_the_handlers_of_an_ending_thread(jit):
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        assert go_on.wait(60)

    jit.define("hold", hold, "void()")
    tracker = jit.add("""
        declare void @hold()
        declare i32 @__cxa_thread_atexit(ptr, ptr, ptr)
        @__dso_handle = external global i8
        @count = global i64 0
        define void @handler(ptr %unused) {
          call void @hold()
          store i64 1, ptr @count
          ret void
        }
        define i32 @enrol() {
          %s = call i32 @__cxa_thread_atexit(ptr @handler, ptr null, ptr @__dso_handle)
          ret i32 %s
        }""")
    jit.compile()
    worker = threading.Thread(target=jit["enrol"])
    worker.start()
    assert inside.wait(60)
    tracker.remove()
    assert jit._grace.waiting
    go_on.set()
    worker.join()
    assert eventually(lambda: not jit._grace.waiting)
