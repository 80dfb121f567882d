"""Dependences that passes add: of a whole link, or of some of its symbols."""

from __future__ import annotations

import pytest

from lazyjit.core import ExecutionSession, InPlaceDispatcher, MaterializationUnit, SymbolState
from lazyjit.errors import FailedToMaterialize, GraphError, SymbolsNotFound
from lazyjit.layers.grace import GracePeriods
from lazyjit.layers.object_linking import ObjectLinkingLayer
from lazyjit.layers.plugin import Plugin
from lazyjit.layers.statistics import Counters
from lazyjit.link.arena import Arena
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

SOURCE = """
static int local(void) { return 5; }
int f(void) { return local(); }
int g(void) { return f() + 1; }
int h(void) { return 2; }
int (*t[])(void) = {g};
"""


class Held(MaterializationUnit):
    """A symbol that is resolved at once, and emitted when the test says so."""

    def __init__(self, name: str) -> None:
        super().__init__(name, {name: SymbolFlags.EXPORTED})
        self.responsibility = None

    def materialize(self, responsibility):
        self.responsibility = responsibility
        flags = SymbolFlags.EXPORTED
        (name,) = responsibility.symbols
        responsibility.notify_resolved({name: ExecutorSymbolDef(0x1000, flags)})


class Depends(Plugin):
    """Gives `of` (None: the whole link) dependences on `names`, in the object that defines f."""

    def __init__(self, *wanted) -> None:
        self.wanted = wanted

    def modify_pass_config(self, responsibility, graph, config):
        if "f" in responsibility.symbols:
            config.post_prune.append(
                lambda graph: [
                    config.add_dependences(dylib, names, of=of) for dylib, names, of in self.wanted
                ]
            )


class Linker:
    """An object layer without threads: when a lookup returns, all that can be done is done."""

    def __init__(self) -> None:
        self.session = ExecutionSession(InPlaceDispatcher())
        self.main = self.session.create_dylib("main")
        self.arena = Arena()
        self.layer = ObjectLinkingLayer(self.session, self.arena, GracePeriods(), Counters())

    def ready(self, names: str = "fght") -> str:
        """Those that are ready now when each is asked for."""
        found: set[str] = set()
        for name in names:
            self.session.lookup_async(
                self.main.link_order,
                [name],
                SymbolState.READY,
                lambda result, error, name=name: found.update([name] if result else []),
            )
        return "".join(sorted(found))


@pytest.fixture
def linker():
    linker = Linker()
    yield linker
    linker.session.verify_session()
    linker.session.close()
    linker.arena.close()


@pytest.mark.parametrize(
    ("of", "ready"),
    [
        (None, ""),
        (["h"], "fgt"),
        (["g"], "fh"),
        (["f"], "h"),
        (["local"], "h"),
        (["f", "h"], ""),
        (["t"], "fgh"),
    ],
)
def test_only_what_leads_to_the_named_symbols_waits(linker, compile_object, of, ready):
    held = Held("held")
    linker.main.define(held)
    linker.layer.add_plugin(Depends((linker.main, ["held"], of)))
    linker.layer.add(
        linker.main,
        compile_object(SOURCE, "-O0", "-ffunction-sections", "-fdata-sections"),
        file="x.o",
    )
    assert linker.ready() == ready
    held.responsibility.notify_emitted()
    assert linker.ready() == "fght"


def test_symbols_of_one_block_wait_together(linker, compile_object):
    held = Held("held")
    linker.main.define(held)
    linker.layer.add_plugin(Depends((linker.main, ["held"], ["h"])))
    linker.layer.add(linker.main, compile_object(SOURCE, "-O0"), file="x.o")
    assert linker.ready() == ""
    held.responsibility.notify_emitted()
    assert linker.ready() == "fght"


def test_dependences_of_several_kinds_add_up(linker, compile_object):
    a, b, c = units = [Held(name) for name in ("a", "b", "c")]
    for unit in units:
        linker.main.define(unit)
    linker.layer.add_plugin(
        Depends(
            (linker.main, ["a"], ["h"]), (linker.main, ["b"], ["g"]), (linker.main, ["c"], None)
        )
    )
    linker.layer.add(
        linker.main,
        compile_object(SOURCE, "-O0", "-ffunction-sections", "-fdata-sections"),
        file="x.o",
    )
    seen = [linker.ready()]
    for unit in (c, b, a):
        unit.responsibility.notify_emitted()
        seen.append(linker.ready())
    assert seen == ["", "f", "fgt", "fght"]


def test_a_dependence_that_fails_takes_along_who_has_it(linker, compile_object):
    held = Held("held")
    linker.main.define(held)
    linker.layer.add_plugin(Depends((linker.main, ["held"], ["g"])))
    linker.layer.add(
        linker.main,
        compile_object(SOURCE, "-O0", "-ffunction-sections", "-fdata-sections"),
        file="x.o",
    )
    assert linker.ready() == "fh"
    held.responsibility.fail_materialization(ZeroDivisionError())
    assert linker.ready() == "fh"


def test_dependences_of_what_is_not_there_fail_the_link(jit, compile_object):
    before = sum(jit.statistics().arena.values())
    jit.add_plugin(Depends((jit.main, ["x"], ["nobody"])))
    jit.add(compile_object("int f(void) { return 3; } int x;"))
    with pytest.raises(FailedToMaterialize) as caught:
        jit.lookup("f")
    assert isinstance(caught.value.__cause__, GraphError)
    assert "dependences of nobody" in str(caught.value.__cause__)
    assert sum(jit.statistics().arena.values()) == before


def test_dependences_of_some_on_what_is_not_there_fail_the_link(jit, compile_object):
    before = sum(jit.statistics().arena.values())
    jit.add_plugin(Depends((jit.main, ["nowhere"], ["f"])))
    jit.add(compile_object("int f(void) { return 3; } int x;"))
    with pytest.raises(FailedToMaterialize) as caught:
        jit.lookup("x")
    assert isinstance(caught.value.__cause__, SymbolsNotFound)
    assert sum(jit.statistics().arena.values()) == before
