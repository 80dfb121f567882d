"""Who waits for whom: when an emitted unit becomes ready.

The question. Units are emitted in any order, each naming the symbols that it depends on. A unit is
ready when everything that it reaches is emitted. Say the same backwards: it is *blocked* as long as
it reaches something that is not emitted yet. Counting a unit's unready dependences does not answer
that, for in a circle everybody counts somebody. Recomputing what each unit reaches, as emission
goes on, is quadratic.

The answer: a forest. Every blocked unit *leans on* one of its dependences, any one that is itself
blocked or not emitted. Following `leans_on` leads to an unemitted work, the root, and proves the
unit blocked. A unit looks at one dependence at a time and forgets those that can't block it; only
when what it leans on becomes ready does it look for the next. One that finds no more is ready.

Circles. A root that has just been emitted must find something to lean on. If the candidate is in
the root's own tree, then the lean path from the candidate to the root, closed by the root's
dependence on the candidate, is a circle. Units of one circle become ready together, so the path
is merged into one node (a union-find set): dependences within it are forgotten, the others pooled.
What remains is a forest again. A unit that nobody depends on yet is nobody's root and needs no
such test, which is why chains cost nothing extra, in either direction.

The cost. A dependence is looked at until it is forgotten or leaned on, and each happens once; each
merge removes nodes. What is left is finding a root. Lean paths can be 100,000 long, so a node keeps
a `jump`, an ancestor further up, which doubles with use (path halving). An ancestor remains one
for as long as it is blocked, so a jump is wrong only when its end is done, and then falls back to
`leans_on`. Nothing here recurses. This is Gabow's path-based search for strong components, turned
into a data structure that waits for its edges.

All of it runs under the session's lock and calls nothing outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

from lazyjit.core.entries import BLOCKED, DONE, MAKING, Effect, Entry, Work, pairs
from lazyjit.symbols import ExecutorSymbolDef

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib

__all__ = ["Dependences", "depend_locked", "doomed_locked", "find", "settle_locked"]

#: Names by the dylib that they are in.
Dependences = Mapping["JITDylib", Iterable[str]]


def depend_locked(node: Work, dependences: Dependences) -> list[tuple[JITDylib, str, Entry | None]]:
    """Make `node` an emitted node that depends on these names. It leans on nothing yet.

    Returns the dependences that can't be had: failed, gone, or never looked up.
    """
    deps: list[Work] = []
    unemitted = -1
    bad: list[tuple[JITDylib, str, Entry | None]] = []
    for dylib, names in dependences.items():
        get = dylib._symbols.get
        for name in names:
            entry = get(name)
            if entry.__class__ is Work:
                if entry.stage == MAKING:
                    if entry is node:
                        continue
                    unemitted = len(deps)
                elif entry.rep is not None:
                    entry = find(entry)
                deps.append(entry)
                waiters = entry.waiters
                if waiters is None:
                    entry.waiters = [node, name]
                else:
                    waiters += (node, name)
            elif entry.__class__ is not ExecutorSymbolDef and entry.__class__ is not Effect:
                bad.append((dylib, name, entry))
    if unemitted >= 0:
        # Last is where the search begins, and an unemitted one needs no root found.
        deps[unemitted], deps[-1] = deps[-1], deps[unemitted]
    node.deps = deps
    node.stage = BLOCKED
    node.leans_on = node.jump = node.members = None
    return bad


def settle_locked(scan: list[Work]) -> list[Work]:
    """Let each blocked work in `scan`, which leans on nothing, find something, or be ready.

    Returns the works that became ready, these and others, what they depend on first (but for
    circles). Their `stage` is DONE; publishing them is the caller's. Empties `scan`.
    """
    ready: list[Work] = []
    while scan:
        node = scan.pop()
        if node.rep is not None:
            node = find(node)
        if node.stage != BLOCKED or node.leans_on is not None:
            continue
        deps = node.deps
        while deps:
            target = deps[-1]
            if target.rep is not None:
                target = find(target)
            if target.stage == MAKING:
                node.leans_on = node.jump = target
                break
            if target.stage != BLOCKED or target is node:
                deps.pop()
            elif node.waiters and _root(target) is node:
                deps.pop()
                node = _merge_circle(node, target)
                deps = node.deps
            else:
                node.leans_on = node.jump = target
                break
        else:
            _release(node, ready, scan)
    return ready


def doomed_locked(works: Iterable[Work]) -> list[Work]:
    """`works` and all that depend on them, transitively: what fails if they do."""
    doomed: dict[Work, None] = {}
    stack = list(works)
    while stack:
        work = stack.pop()
        if work.rep is not None:
            work = find(work)
        if work in doomed:
            continue
        doomed[work] = None
        if work.waiters:
            stack += [node for node, _ in pairs(work.waiters) if node.stage == BLOCKED]
    everyone: list[Work] = []
    for work in doomed:
        if work.stage == BLOCKED and work.members is not None:
            everyone += work.members
        else:
            everyone.append(work)
    return everyone


def find(work: Work) -> Work:
    """The node that stands for `work`: of its circle, or of the claim that took it."""
    rep = work.rep
    if rep is None:
        return work
    while rep.rep is not None:
        work.rep = rep.rep
        work, rep = rep, rep.rep
    return rep


def _root(work: Work) -> Work:
    """Where the lean path from `work`, a blocked representative, ends."""
    while True:
        up = work.jump
        if up is None:
            return work
        if up.rep is not None:
            up = find(up)
        if up.stage > BLOCKED:
            # Done since. What `work` leans on is not, or it would not be blocked.
            assert work.leans_on is not None
            up = find(work.leans_on)
        if up.stage == MAKING or up.jump is None:
            return up
        work.jump = up.jump
        work = up


def _merge_circle(root: Work, target: Work) -> Work:
    """Make one node, which leans on nothing, of the lean path from `target` to `root`."""
    circle = [root]
    while target is not root:
        circle.append(target)
        assert target.leans_on is not None
        target = find(target.leans_on)
    # The one with most waiters takes in the others. Whatever moves is then in a node of at least
    # twice as many, so nothing moves more than a logarithmic number of times.
    node, largest = root, 0
    for work in circle:
        size = len(work.waiters or ())
        if size > largest:
            node, largest = work, size
    deps, waiters, members = node.deps, node.waiters or [], node.members or [node]
    for work in circle:
        if work is not node:
            deps += work.deps
            waiters += work.waiters or ()
            members += work.members or (work,)
            work.deps, work.waiters, work.members = [], None, None
            work.leans_on = work.jump = None
            work.rep = node
    node.waiters = waiters
    node.members = members
    node.leans_on = node.jump = None
    return node


def _release(node: Work, ready: list[Work], scan: list[Work]) -> None:
    """`node` reaches nothing unemitted: it is ready, and whoever leaned on it must look further."""
    members = node.members
    if members is None:
        node.stage = DONE
        ready.append(node)
    else:
        node.members = None
        for work in members:
            work.stage = DONE
        ready += members
    waiters = node.waiters
    if waiters is None:
        return
    node.waiters = None
    for waiter in cast("list[Work]", waiters[::2]):
        if waiter.rep is not None:
            waiter = find(waiter)
        if waiter.stage == BLOCKED:
            lean = waiter.leans_on
            if lean is not None and (lean is node or find(lean) is node):
                waiter.leans_on = waiter.jump = None
                scan.append(waiter)
