"""Plugins: called in order, heard by each link, and no danger to any other link."""

from __future__ import annotations

import ctypes

import pytest

from lazyjit.core import ResourceTracker
from lazyjit.errors import FailedToMaterialize, GraphError, SymbolsNotFound, UsageError
from lazyjit.layers.plugin import Plugin

INT = ctypes.c_int


class Watcher(Plugin):
    """Writes down what it is told, the passes included; raises where it was told to."""

    def __init__(self, raise_at: str | None = None) -> None:
        self.seen: list[str] = []
        self.graphs: list[list[str]] = []
        self.keys: list[tuple[int, ...]] = []
        self.raise_at = raise_at

    def note(self, what: str) -> None:
        self.seen.append(what)
        if what == self.raise_at:
            raise ZeroDivisionError(what)

    def notify_materializing(self, responsibility, graph, data):
        assert data is None or bytes(data[:4]) == b"\x7fELF"
        self.note("materializing")

    def modify_pass_config(self, responsibility, graph, config):
        self.graphs.append(sorted(responsibility.symbols))
        for name in ("pre_prune", "post_prune", "post_allocation", "pre_fixup", "post_fixup"):
            getattr(config, name).append(lambda graph, name=name: self.note(name))
        self.note("modify")

    def notify_loaded(self, responsibility):
        self.note("loaded")

    def notify_emitted(self, responsibility):
        responsibility.with_resource_key(lambda key: self.keys.append((key,)))
        self.note("emitted")

    def notify_failed(self, responsibility):
        self.note("failed")

    def notify_removing_resources(self, dylib, key):
        self.keys.append((key,))
        self.note("removing")

    def notify_transferring_resources(self, dylib, destination, source):
        self.keys.append((destination, source))
        self.note("transferring")


BEFORE_LOOKUP = [
    "materializing",
    "modify",
    "pre_prune",
    "post_prune",
    "post_allocation",
    "loaded",
]
WHOLE = [*BEFORE_LOOKUP, "pre_fixup", "post_fixup", "emitted"]


def spans(jit) -> int:
    """Bytes of the arena in use."""
    return sum(jit.statistics().arena.values())


@pytest.mark.parametrize("source", ["object", "module"])
def test_a_plugin_sees_each_link_in_order(jit, compile_object, source):
    watcher = Watcher()
    jit.add_plugin(watcher)
    if source == "object":
        jit.add(compile_object("int f(void) { return 3; }"))
    else:
        jit.add("define i32 @f() {\n  ret i32 3\n}\n")
    assert jit.function("f", INT)() == 3
    assert watcher.seen == WHOLE
    assert len(watcher.graphs) == 1


def test_plugins_are_asked_in_the_order_in_which_they_were_added(jit, compile_object):
    order = []

    class Named(Plugin):
        def __init__(self, name):
            self.name = name

        def modify_pass_config(self, responsibility, graph, config):
            config.post_prune.append(lambda graph: order.append(self.name))

    for name in "abc":
        jit.add_plugin(Named(name))
    jit.add(compile_object("int f(void) { return 3; }"))
    jit.function("f", INT)()
    assert order == ["a", "b", "c"]


def test_a_removed_plugin_sees_no_more_links_nor_removals(jit, compile_object):
    watcher = Watcher()
    jit.add_plugin(watcher)
    tracker = jit.add(compile_object("int f(void) { return 3; }"))
    jit.lookup("f")
    jit.remove_plugin(watcher)
    jit.add(compile_object("int g(void) { return 4; }"))
    assert jit.function("g", INT)() == 4
    jit.remove(tracker)
    assert watcher.seen == WHOLE


def test_a_plugin_is_added_and_removed_once(jit):
    watcher = Watcher()
    with pytest.raises(UsageError):
        jit.remove_plugin(watcher)
    jit.add_plugin(watcher)
    with pytest.raises(UsageError):
        jit.add_plugin(watcher)


def test_a_plugin_hears_of_removal_with_the_key_it_filed_under(jit, compile_object):
    watcher = Watcher()
    jit.add_plugin(watcher)
    tracker = jit.add(compile_object("int f(void) { return 3; }"))
    jit.lookup("f")
    jit.remove(tracker)
    assert watcher.seen == [*WHOLE, "removing"]
    assert watcher.keys[0] == watcher.keys[1]


def test_a_plugin_hears_of_a_transfer(jit, compile_object):
    watcher = Watcher()
    jit.add_plugin(watcher)
    tracker = jit.add(compile_object("int f(void) { return 3; }"))
    other: ResourceTracker = jit.main.create_tracker()
    jit.lookup("f")
    tracker.transfer_to(other)
    assert watcher.seen == [*WHOLE, "transferring"]
    assert watcher.keys[1] == (other.key, watcher.keys[0][0])
    other.remove()
    assert watcher.seen[-1] == "removing"
    assert watcher.keys[2] == (other.key,)


@pytest.mark.parametrize("moment", WHOLE)
def test_what_raises_fails_its_link_alone(jit, compile_object, moment):
    bad, good = Watcher(raise_at=moment), Watcher()
    jit.add_plugin(good)
    jit.add_plugin(bad)
    jit.add(compile_object("int f(void) { return 3; } int g(void) { return 1; }"))
    jit.add(compile_object("int f(void); int h(void) { return f(); }"))
    before = spans(jit)
    for name in ("f", "g", "h"):
        with pytest.raises(FailedToMaterialize) as caught:
            jit.lookup(name)
        cause = caught.value
        while isinstance(cause, FailedToMaterialize):
            cause = cause.__cause__
        assert isinstance(cause, ZeroDivisionError)
    assert bad.seen[-1] == good.seen[-1] == "failed"
    assert spans(jit) == before
    bad.raise_at = None
    jit.add(compile_object("int later(void) { return 7; }"))
    assert jit.function("later", INT)() == 7


def test_a_missing_symbol_is_told_as_a_failed_link(jit, compile_object):
    watcher = Watcher()
    jit.add_plugin(watcher)
    jit.add(compile_object("int nowhere(void); int f(void) { return nowhere(); }"))
    with pytest.raises(FailedToMaterialize) as caught:
        jit.lookup("f")
    assert isinstance(caught.value.__cause__, SymbolsNotFound)
    assert watcher.seen == [*BEFORE_LOOKUP, "failed"]


def test_a_plugin_that_raises_when_told_of_a_failure_is_reported(jit, compile_object):
    reported = []
    jit.session.report_error = reported.append

    class Sour(Plugin):
        def notify_failed(self, responsibility):
            raise KeyError("sour")

    watcher = Watcher(raise_at="post_fixup")
    jit.add_plugin(Sour())
    jit.add_plugin(watcher)
    jit.add(compile_object("int f(void) { return 3; }"))
    with pytest.raises(FailedToMaterialize):
        jit.lookup("f")
    assert watcher.seen[-1] == "failed"
    assert [type(error) for error in reported] == [KeyError]


def test_a_plugin_that_raises_at_a_removal_does_not_keep_the_memory(jit, compile_object):
    before = spans(jit)
    tracker = jit.add(compile_object("int f(void) { return 3; }"))
    jit.lookup("f")
    jit.add_plugin(Watcher(raise_at="removing"))
    with pytest.raises(ZeroDivisionError):
        jit.remove(tracker)
    assert spans(jit) == before


def test_a_link_waits_for_the_dependences_that_a_pass_adds(jit, compile_object):
    other = jit.create_dylib("other")
    jit.add(compile_object("int needed(void) { return 1; }"), dylib=other)

    class Depends(Plugin):
        def modify_pass_config(self, responsibility, graph, config):
            if "f" in responsibility.symbols:
                config.post_fixup.append(lambda g: config.add_dependences(other, ["needed"]))

    watcher = Watcher()
    jit.add_plugin(Depends())
    jit.add_plugin(watcher)
    jit.add(compile_object("int f(void) { return 3; }"))
    assert jit.function("f", INT)() == 3
    assert watcher.graphs == [["f"], ["needed"]]


def test_a_dependence_that_cannot_be_had_fails_the_link(jit, compile_object):
    class Depends(Plugin):
        def modify_pass_config(self, responsibility, graph, config):
            config.pre_prune.append(lambda g: config.add_dependences(jit.main, ["nowhere"]))

    before = spans(jit)
    jit.add_plugin(Depends())
    jit.add(compile_object("int f(void) { return 3; }"))
    with pytest.raises(FailedToMaterialize) as caught:
        jit.lookup("f")
    assert isinstance(caught.value.__cause__, SymbolsNotFound)
    assert spans(jit) == before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("moment", WHOLE)
def test_an_interrupt_fails_its_link_and_the_memory_goes_back(jit, compile_object, moment, kind):

    class Interrupted(Watcher):
        def note(self, what: str) -> None:
            self.seen.append(what)
            if what in (moment, "failed"):
                raise kind(what)

    bad, good = Interrupted(), Watcher()
    jit.session.report_error = lambda error: None  # what `notify_failed` raises
    jit.add_plugin(bad)
    jit.add_plugin(good)
    jit.add(compile_object("int f(void) { return 3; }"))
    before = spans(jit)
    with pytest.raises(FailedToMaterialize) as caught:
        jit.lookup("f")
    assert isinstance(caught.value.__cause__, kind)
    assert bad.seen.count("failed") == 1
    assert spans(jit) == before


@pytest.mark.parametrize("end", ["remove", "close"])
def test_views_of_freed_code_refuse_to_show_it(jit, compile_object, end):
    blocks = []

    class Keeper(Plugin):
        def modify_pass_config(self, responsibility, graph, config):
            config.post_fixup.append(
                lambda graph: blocks.extend(b for b in graph.blocks() if b.section.linked)
            )

    jit.add_plugin(Keeper())
    tracker = jit.add(compile_object("int f(void) { return 3; }"))
    assert jit.function("f", INT)() == 3
    assert blocks and all(len(block.content) == block.size for block in blocks)
    if end == "remove":
        jit.remove(tracker)
    else:
        jit.close()
    for block in blocks:
        with pytest.raises(GraphError, match="given back"):
            _ = block.content
        with pytest.raises(GraphError, match="given back"):
            block.mutable_content()
