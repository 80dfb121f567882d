"""Call sites: found in what is linked, led elsewhere and back, under load and after removal."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import threading

import pytest

import lazyjit
from lazyjit.errors import FailedToMaterialize, UsageError
from lazyjit.layers.plugin import Plugin
from lazyjit.layers.plugins.call_sites import CallSites
from lazyjit.link.disassembly import disassemble
from lazyjit.link.memory_null import NullMemoryManager

INT = ctypes.c_int
TARGETS = "int old(int x) { return x + 1; } int fresh(int x) { return x + 1000; }"
CALLER = """
int old(int);
int once(int x) { return old(x) * 2; }
int twice(int x) { return old(x) - old(x + 5); }
int tail(int x) { return old(x + 1); }
int (*pointer(void))(int) { return old; }
"""


@pytest.fixture
def calls(jit) -> CallSites:
    plugin = CallSites("old")
    jit.add_plugin(plugin)
    return plugin


def test_every_call_is_found_and_none_else(jit, calls, compile_object):
    jit.add(compile_object(TARGETS))
    jit.add(compile_object(CALLER), name="caller.o")
    assert jit.function("once", INT, INT)(1) == 4
    sites = calls.sites()
    assert sorted(site.caller for site in sites) == ["once", "tail", "twice", "twice"]
    assert {site.file for site in sites} == {"caller.o"}
    assert {site.target for site in sites} == {jit.lookup("old")}
    once = jit.lookup("once")
    assert any(once < site.address < once + 64 for site in sites)


def test_calls_are_led_elsewhere_and_back(jit, calls, compile_object):
    jit.add(compile_object(TARGETS))
    jit.add(compile_object(CALLER))
    once, twice, tail = (jit.function(name, INT, INT) for name in ("once", "twice", "tail"))
    assert (once(1), twice(1), tail(1)) == (4, -5, 3)
    calls.patch(jit.lookup("fresh"))
    assert (once(1), twice(1), tail(1)) == (2002, -5, 1002)
    assert jit.function("old", INT, INT)(1) == 2, "the function itself is as it was"
    pointer = ctypes.CFUNCTYPE(INT, INT)(jit.function("pointer", ctypes.c_void_p)())
    assert pointer(1) == 2, "an address is not a call"
    calls.restore()
    assert (once(1), twice(1), tail(1)) == (4, -5, 3)


def test_one_site_is_led_alone(jit, calls, compile_object):
    jit.add(compile_object(TARGETS))
    jit.add(compile_object(CALLER))
    once, tail = (jit.function(name, INT, INT) for name in ("once", "tail"))
    (site,) = [site for site in calls.sites() if site.caller == "once"]
    site.patch(jit.lookup("fresh"))
    assert site.target == jit.lookup("fresh")
    assert (once(1), tail(1)) == (2002, 3)
    site.restore()
    assert once(1) == 4


def test_what_is_linked_later_follows_a_patch(jit, calls, compile_object):
    jit.add(compile_object(TARGETS))
    jit.lookup("fresh")
    calls.patch(jit.lookup("fresh"))
    jit.add(compile_object("int old(int); int later(int x) { return old(x); }"))
    assert jit.function("later", INT, INT)(1) == 1001
    calls.restore()
    assert jit.function("later", INT, INT)(1) == 2


def test_a_target_anywhere_in_memory_is_in_reach(jit, calls, compile_object):
    jit.add(compile_object(TARGETS))
    jit.add(compile_object(CALLER))
    once = jit.function("once", INT, INT)
    far = ctypes.CFUNCTYPE(INT, INT)(lambda x: x + 7)
    calls.patch(ctypes.cast(far, ctypes.c_void_p).value)
    assert once(1) == 16
    calls.restore()


def test_a_local_function_in_a_section_of_its_own(jit, calls, compile_object):
    source = (
        "static __attribute__((noinline)) int old(int x) { return x + 1; }"
        "int first(int x) { return old(x) * 2; } int fresh(int x) { return x + 1000; }"
    )
    jit.add(compile_object(source, "-ffunction-sections"))
    first = jit.function("first", INT, INT)
    assert first(1) == 4
    assert [site.caller for site in calls.sites()] == ["first"]
    calls.patch(jit.lookup("fresh"))
    assert first(1) == 2002


def test_calls_in_modules(calls):
    with lazyjit.JIT(unit_policy="function", speculate=False, opt_level=0) as jit:
        jit.add_plugin(calls)
        jit.add(
            "define i32 @old(i32 %x) {\n  %r = add i32 %x, 1\n  ret i32 %r\n}\n"
            "define i32 @fresh(i32 %x) {\n  %r = add i32 %x, 1000\n  ret i32 %r\n}\n"
            "define i32 @use(i32 %x) {\n  %r = call i32 @old(i32 %x)\n  ret i32 %r\n}\n"
        )
        use = jit.function("use", INT, INT)
        assert use(1) == 2
        assert [site.caller for site in calls.sites()] == ["use"]
        calls.patch(jit.lookup("fresh"))
        assert use(1) == 1001


def test_threads_that_call_meanwhile_get_one_or_the_other(jit, calls, compile_object):
    jit.add(compile_object(TARGETS))
    jit.add(
        compile_object(
            "int old(int); int loop(int n) {"
            " int bad = 0; for (int i = 0; i < n; i++) { int r = old(i);"
            " bad += r != i + 1 && r != i + 1000; } return bad; }"
        )
    )
    loop, fresh = jit.function("loop", INT, INT), jit.lookup("fresh")
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(loop(3_000_000))) for _ in range(2)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        calls.patch(fresh)
        calls.restore()
    assert found == [0, 0]


def test_removed_code_has_no_sites(jit, calls, compile_object):
    jit.add(compile_object(TARGETS))
    tracker = jit.add(compile_object(CALLER))
    jit.lookup("once")
    site = calls.sites()[0]
    tracker.remove()
    assert calls.sites() == []
    for attempt in (site.restore, lambda: site.patch(1), lambda: site.target):
        with pytest.raises(UsageError):
            attempt()
    calls.patch(jit.lookup("fresh"))


def test_a_link_that_fails_leaves_no_sites(jit, calls, compile_object):
    jit.add(compile_object(TARGETS))
    jit.add(compile_object("int old(int); int no(void); int f(int x) { return old(x) + no(); }"))
    with pytest.raises(FailedToMaterialize):
        jit.lookup("f")
    assert calls.sites() == []


def test_entries_of_aarch64_jump_through_their_slots(tmp_path):
    """Linked for another machine, and not run: what the instructions say is what counts."""
    if "LAZYJIT_SANITIZED" in os.environ:
        pytest.skip("capstone can't be loaded under the sanitizers")
    pytest.importorskip("capstone")
    mc = shutil.which("llvm-mc-22") or shutil.which("llvm-mc")
    if mc is None:
        pytest.skip("needs llvm-mc")
    source = ".globl use, old\nuse: bl old\nret\nold: ret\n"
    out = tmp_path / "a64.o"
    command = [mc, "-triple=aarch64-linux-gnu", "-filetype=obj", "-", "-o", out]
    subprocess.run(command, input=source, text=True, check=True)
    found: list[str] = []

    class Reader(Plugin):
        """Reads what the recorder has made."""

        def modify_pass_config(self, responsibility, graph, config):
            config.post_fixup.append(self.read)

        def read(self, graph):
            code, slots = graph.find_section("$__CALLS"), graph.find_section("$__CALL_SLOTS")
            (entry,), (slot,) = code.blocks(), slots.blocks()
            page, load, *rest = disassemble(entry.content, entry.address, graph.triple)
            offset = int(load.operands.split("#")[1].rstrip("]"), 0) if "#" in load.operands else 0
            assert page.target is not None and page.target + offset == slot.address
            found.extend([page.mnemonic, load.mnemonic, *(insn.text() for insn in rest)])
            use, old = graph.find_symbol("use"), graph.find_symbol("old")
            (call, *_) = disassemble(use.block.content, use.block.address, graph.triple)
            assert call.mnemonic == "bl" and call.target == entry.address
            assert int.from_bytes(slot.content, "little") == old.address

    calls = CallSites("old")
    with lazyjit.JIT(memory_manager=NullMemoryManager()) as jit:
        jit.add_plugin(calls)
        jit.add_plugin(Reader())
        jit.add(out)
        jit.lookup("use")
    assert found == ["adrp", "ldr", "br x16", "brk #0"]
    assert calls.sites() == [], "it doesn't run here"
