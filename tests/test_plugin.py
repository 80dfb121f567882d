"""Plug-ins: loaded, called, reloaded and unloaded, by many threads at once, without a trace."""

from __future__ import annotations

import ctypes
import gc
import inspect
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from leaking import growth

import lazyjit
from lazyjit import failures
from lazyjit.errors import (
    InputError,
    SymbolRemoved,
    SymbolsNotFound,
    UsageError,
)

FULL = os.environ.get("LAZYJIT_FULL", "") not in ("", "0")


def source(factor: int) -> str:
    """Counts in data of its own; tells `told` the count and its factor when it goes."""
    return f"""
@count = internal global i64 0
@llvm.global_ctors = appending global [1 x {{i32, ptr, ptr}}]
  [{{i32, ptr, ptr}} {{i32 1, ptr @hello, ptr null}}]
@llvm.global_dtors = appending global [1 x {{i32, ptr, ptr}}]
  [{{i32, ptr, ptr}} {{i32 1, ptr @bye, ptr null}}]
declare void @told(i64)
define internal void @hello() {{
  store i64 100, ptr @count
  ret void
}}
define internal void @bye() {{
  %v = load i64, ptr @count
  call void @told(i64 %v)
  ret void
}}
define i64 @next(i64 %by) {{
  %v = load i64, ptr @count
  %n = add i64 %v, %by
  store i64 %n, ptr @count
  ret i64 %n
}}
define i64 @scaled(i64 %x) {{
  %r = call i64 @times(i64 %x)
  ret i64 %r
}}
define internal i64 @times(i64 %x) noinline {{
  %r = mul i64 %x, {factor}
  ret i64 %r
}}
"""


class Host:
    """A JIT with a symbol that the plug-ins call when they go."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self._tell = ctypes.CFUNCTYPE(None, ctypes.c_int64)(self.told.append)
        self.jit = lazyjit.JIT(opt_level=1, compile_threads=2)
        self.jit.define("told", ctypes.cast(self._tell, ctypes.c_void_p).value or 0)

    def used(self) -> dict[str, int]:
        """Bytes of the arena that are in use, by region."""
        return self.jit.statistics().arena

    def wait_until_told(self, count: int) -> None:
        """Finalizers of what was dropped run on a compile thread."""
        limit = time.monotonic() + 600
        while len(self.told) < count:
            assert time.monotonic() < limit, self.told
            done = threading.Event()
            self.jit.after_calls(done.set)
            done.wait(600)


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    with made.jit:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "effects.ll"
    made.write_text(source(3))
    return made


def test_functions_are_typed_attributes_and_items(host: Host, path: Path) -> None:
    plugin = host.jit.load(path)
    assert plugin.scaled(5) == 15
    assert plugin["next"](1) == 101  # its constructor has run
    assert sorted(plugin.names()) == ["next", "scaled"]
    assert {"next", "scaled", "reload"} <= set(dir(plugin))
    assert not hasattr(plugin, "times")  # internal
    with pytest.raises(AttributeError, match="no function 'nothing'"):
        plugin.nothing  # noqa: B018  # the access is the test
    with pytest.raises(SymbolsNotFound):
        plugin["nothing"]
    with pytest.raises(TypeError):
        plugin.scaled("five")
    assert "effects.ll" in repr(plugin) and "scaled" in repr(plugin.scaled)


def test_a_signature_that_is_gone_is_not_taken_for_a_later_one(host: Host, path: Path) -> None:
    def typed(kind: type) -> Callable[..., object]:
        def scaled(x): ...

        scaled.__annotations__ = {"x": kind, "return": kind}
        return scaled

    plugin = host.jit.load(path)
    for _ in range(20):  # each may be where the one before was
        assert plugin.function("scaled", typed(int))(5) == 15
        with pytest.raises(UsageError):
            plugin.function("scaled", typed(float))


def test_a_function_has_the_name_and_the_signature_of_a_typed_callable(
    host: Host, path: Path
) -> None:
    scaled = host.jit.load(path).scaled
    assert scaled.__name__ == "scaled"
    assert str(inspect.signature(scaled)) == "(x: int) -> int"
    assert scaled(x=5) == 15


def test_two_loads_are_two_plugins(host: Host, path: Path) -> None:
    one, two = host.jit.load(path), host.jit.load(path)
    assert (one.next(1), one.next(1), two.next(5)) == (101, 102, 105)
    one.unload()
    assert host.told == [102]
    assert two.next(1) == 106


def test_an_unloaded_plugin_raises(host: Host, path: Path) -> None:
    with host.jit.load(path) as plugin:
        kept = plugin.scaled
        assert plugin.loaded and kept(1) == 3
    assert host.told == [100] and not plugin.loaded
    with pytest.raises(SymbolRemoved):
        kept(1)
    with pytest.raises(SymbolRemoved):
        plugin.function("scaled")
    with pytest.raises(SymbolRemoved):
        plugin.reload()
    plugin.unload()
    assert host.told == [100]


def test_the_last_handle_unloads(host: Host, path: Path) -> None:
    plugin = host.jit.load(path)
    function = plugin.next
    del plugin
    gc.collect()
    assert function(7) == 107  # a function keeps its plug-in
    del function
    gc.collect()
    host.wait_until_told(1)
    assert host.told == [107]


def test_reloading_swaps_the_functions_of_every_handle(host: Host, path: Path) -> None:
    plugin = host.jit.load(path)
    kept = plugin.scaled
    assert (kept(2), plugin.next(1)) == (6, 101)
    path.write_text(source(5))
    plugin.reload()
    assert (kept(2), plugin.scaled(2), plugin.next(1)) == (10, 10, 101)  # data starts anew
    host.wait_until_told(1)
    assert host.told == [101]


def test_a_reload_that_fails_leaves_the_old_code(host: Host, path: Path) -> None:
    plugin = host.jit.load(path)
    path.write_text("define i64 @scaled(")
    with pytest.raises(InputError):
        plugin.reload()
    assert plugin.scaled(2) == 6
    path.write_text(source(3).replace("@scaled", "@renamed"))
    scaled = plugin.scaled
    plugin.reload()
    with pytest.raises(SymbolsNotFound):
        scaled(2)
    assert plugin.renamed(2) == 6


def test_calls_under_way_finish_on_the_old_code(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "waits.ll"
    text = (
        "declare void @pause()\ndefine i64 @value() {{ call void @pause()\n ret i64 {} }}\n"
        "@llvm.global_dtors = appending global [1 x {{i32, ptr, ptr}}]"
        " [{{i32, ptr, ptr}} {{i32 1, ptr @bye, ptr null}}]\n"
        "declare void @told(i64)\n"
        "define internal void @bye() {{ call void @told(i64 {})\n ret void }}\n"
    )
    inside, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def pause() -> None:
        inside.release()
        assert go_on.acquire(timeout=600)

    callback = ctypes.CFUNCTYPE(None)(pause)
    host.jit.define("pause", ctypes.cast(callback, ctypes.c_void_p).value or 0)
    path.write_text(text.format(1, 1))
    plugin = host.jit.load(path)
    results: list[int] = []
    value = plugin.function("value", "int64()")
    thread = threading.Thread(target=lambda: results.append(value()))
    thread.start()
    assert inside.acquire(timeout=600)
    path.write_text(text.format(2, 2))
    plugin.reload()
    assert not host.told  # somebody is in the old code
    go_on.release()
    thread.join()
    host.wait_until_told(1)
    assert (results, host.told) == ([1], [1])
    go_on.release()
    assert value() == 2


def test_objects_and_archives_are_plugins_with_signatures(host: Host, tmp_path: Path) -> None:
    machine = __import__("lazyjit.codegen", fromlist=["LLVMCompiler"])
    with machine.LLVMCompiler().compile(
        b"define i32 @twice(i32 %x) {\n %r = add i32 %x, %x\n ret i32 %r\n}\n"
    ) as compiled:
        (tmp_path / "twice.o").write_bytes(compiled.bytes)
    plugin = host.jit.load(tmp_path / "twice.o")
    assert plugin.function("twice", "int32(int32)")(4) == 8
    assert plugin.names() == ["twice"]
    with pytest.raises(UsageError):
        plugin.twice(4)  # an object says nothing of types


def test_constructors_and_destructors_of_an_archives_members_run(
    host: Host, compile_object: Any, make_archive: Any
) -> None:
    members = {
        "used.o": "extern long other; long state; long get(void) { return state + other; }"
        "__attribute__((constructor)) static void up(void) { state = 40; }"
        "void told(long); __attribute__((destructor)) static void down(void) { told(state); }",
        "other.o": "long other; __attribute__((constructor)) static void up(void) { other = 2; }",
        "unused.o": "void no_such(void); void unused(void) { no_such(); }"
        "__attribute__((constructor)) static void up(void) { no_such(); }",
    }
    path = make_archive({name: compile_object(text) for name, text in members.items()})
    plugin = host.jit.load(path)
    assert plugin.function("get", "int64()")() == 42
    plugin.unload()
    assert host.told == [40]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"\x7fELF and no more", InputError),
        (b"define i32 @f( {", InputError),
        (b"!<arch>\nnonsense", InputError),
        (b"declare void @no_such()\n@llvm.global_ctors = appending global [1 x {i32, ptr, ptr}] "
         b"[{i32, ptr, ptr} {i32 1, ptr @no_such, ptr null}]\n", lazyjit.LazyJITError),
    ],
)  # fmt: skip
def test_what_cant_be_loaded_raises_and_leaves_nothing(
    host: Host, tmp_path: Path, content: bytes, error: type[Exception]
) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    dylibs = [dylib.name for dylib in host.jit.session.dylibs]
    with pytest.raises(error):
        host.jit.load(path)
    with pytest.raises(OSError):
        host.jit.load(tmp_path / "absent")
    assert [dylib.name for dylib in host.jit.session.dylibs] == dylibs


def test_closing_the_jit_leaves_dead_plugins(path: Path) -> None:
    host = Host()
    plugin = host.jit.load(path)
    function = plugin.scaled
    assert function(1) == 3
    host.jit.close()
    assert not plugin.loaded
    with pytest.raises(lazyjit.LazyJITError):
        function(1)
    with pytest.raises(lazyjit.LazyJITError):
        plugin.reload()
    plugin.unload()


def resident() -> int:
    """Bytes, with what the allocator could give back given back."""
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_cycles_leave_memory_where_it_was(host: Host, path: Path) -> None:
    cycles = 10_000 if FULL else 200

    def run(count: int) -> None:
        for i in range(count):
            with host.jit.load(path) as plugin:
                assert plugin.next(i) == 100 + i

    run(cycles // 4)
    used, dylibs = host.used(), len(host.jit.session.dylibs)
    kept = {*failures._failures}
    # Not by the cycle: an allocator's ways and the list of what was told.
    assert growth(resident, lambda: run(cycles // 4), rounds=4) < (1 << 20) + 16 * cycles
    assert len(host.told) == cycles // 4 * 5
    assert host.used() == used
    assert {*failures._failures} <= kept
    assert len(host.jit.session.dylibs) == dylibs


def test_threads_load_call_reload_and_unload_at_once(host: Host, tmp_path: Path) -> None:
    """For ten minutes in a full run; a moment otherwise."""
    seconds = float(os.environ.get("LAZYJIT_SOAK", 600 if FULL else 3))
    shared_path = tmp_path / "shared.ll"
    shared_path.write_text(source(1))
    shared = host.jit.load(shared_path)
    wrong: list[BaseException] = []
    counts = [0] * 8
    writing = threading.Lock()
    until = time.monotonic() + seconds

    def work(number: int) -> None:
        rng = random.Random(number)
        try:
            mine = tmp_path / f"{number}.ll"
            factor = number + 2
            mine.write_text(source(factor))
            scaled = shared.scaled
            while time.monotonic() < until or not counts[number]:
                plugin = host.jit.load(mine)
                for _ in range(rng.randrange(1, 20)):
                    x = rng.randrange(1 << 40)
                    assert plugin.scaled(x) == x * factor
                    assert scaled(x) % x == 0 if x else scaled(x) == 0
                way = rng.randrange(4)
                if way == 0:
                    factor = rng.randrange(2, 1000)
                    mine.write_text(source(factor))
                    plugin.reload()
                    assert plugin.scaled(7) == 7 * factor
                elif way == 1:
                    with writing:
                        shared_path.write_text(source(rng.randrange(1, 1000)))
                        shared.reload()
                if rng.randrange(2):
                    plugin.unload()
                del plugin
                counts[number] += 1
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    early = None
    if FULL:
        threads[0].join(seconds / 4)  # what is warm by then is the measure
        gc.collect()
        early = resident()
    for thread in threads:
        thread.join()
    assert not wrong, wrong
    assert all(counts), counts
    shared.unload()
    drained = threading.Event()
    host.jit.after_calls(drained.set)
    assert drained.wait(600)
    print(f"cycles by thread: {counts}")
    if early is not None:
        gc.collect()
        late = resident()
        print(f"resident after a quarter: {early >> 20} MiB, at the end: {late >> 20} MiB")
        assert late - early < 16 << 20
