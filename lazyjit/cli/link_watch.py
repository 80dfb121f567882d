"""What `lazyjit link` looks at in a link: a plugin that keeps what is to be shown or checked.

It takes part only when an option needs it; a link with a plugin costs a little more.
"""

from __future__ import annotations

import re
import sys
import threading
from typing import TYPE_CHECKING, Any

from lazyjit.cli.link_request import LinkRequest
from lazyjit.cli.options import CommandLineError
from lazyjit.errors import LinkError
from lazyjit.layers.plugin import Plugin

if TYPE_CHECKING:
    from lazyjit.core import MaterializationResponsibility
    from lazyjit.link.check.recorder import CheckRecorder
    from lazyjit.link.graph import LinkGraph
    from lazyjit.link.passes import PassConfiguration

__all__ = ["ChecksFailed", "Watcher"]


class ChecksFailed(LinkError):
    """Rules of -check did not hold; each was told on its own."""


def _pattern(expression: str | None) -> re.Pattern[str] | None:
    if expression is None:
        return None
    try:
        return re.compile(expression)
    except re.error as error:
        raise CommandLineError(f"-show-graphs: {expression!r}: {error}") from None


class Watcher(Plugin):
    """Keeps and prints what the request asks for. Links call it on any thread."""

    def __init__(self, request: LinkRequest, triple: str) -> None:
        """Of a link for `triple`. Raises CommandLineError for a malformed expression."""
        self.request = request
        self._triple = triple
        self._recorder: CheckRecorder | None = None
        self._graphs = _pattern(request.show_graphs)
        self._shown = False
        self._print = threading.Lock()
        self._records = bool(
            request.checks
            or request.show_addresses
            or request.show_contents
            or request.symbol_table
        )

    @property
    def recorder(self) -> CheckRecorder:
        """What is kept for checks and tables; made when `watch` or `tell` first needs it."""
        if self._recorder is None:
            from lazyjit.link.check.recorder import CheckRecorder  # a language, with its operands

            self._recorder = CheckRecorder(self._triple)
        return self._recorder

    def watch(self, jit: Any) -> None:
        """Take part in the links of `jit`, if there is something to see."""
        if self._records:
            assert self.recorder  # before links ask for it, on any thread
        if self._records or self._graphs is not None or self.request.show_files:
            jit.add_plugin(self)

    # -- during a link -------------------------------------------------------------------------

    def modify_pass_config(
        self,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        config: PassConfiguration,
    ) -> None:
        """See `Plugin`."""
        name = graph.file or ""
        if self.request.show_files:
            self._say(f"Linking {name}\n")
        if self._records:
            config.post_fixup.append(self.recorder.record)
        if self._graphs is not None and self._graphs.search(name):
            config.post_fixup.append(self._show)

    def _show(self, graph: LinkGraph) -> None:
        self._shown = True
        self._say(f'Link graph "{graph.file}" post-fixup:\n{graph.dump()}')

    def _say(self, text: str) -> None:
        with self._print:
            sys.stdout.write(text)

    # -- when all is linked --------------------------------------------------------------------

    def tell(self, jit: Any) -> None:
        """Print and write what was asked for, and make the checks.

        Raises ChecksFailed, OSError.
        """
        request = self.request
        if self._graphs is not None and not self._shown:
            words = f"-show-graphs: no linked file matches {request.show_graphs!r}"
            print(f"lazyjit: warning: {words}", file=sys.stderr)
        if not self._records:
            return
        from pathlib import Path

        from lazyjit.cli import link_report

        recorder = self.recorder
        for _, name, address in request.absolutes:
            recorder.define(name, address)
        if request.show_addresses:
            sys.stdout.write(link_report.addresses(recorder))
        if request.show_contents:
            sys.stdout.write(link_report.contents(recorder))
        if request.symbol_table is not None:
            text = link_report.symbol_table(recorder)
            Path(request.symbol_table).write_text(text, errors="surrogateescape")
        if request.checks:
            self._define_aliases(jit)
            self._check()

    def _define_aliases(self, jit: Any) -> None:
        from lazyjit.core import LookupFlags, SymbolState

        names = [name for _, name, _ in self.request.aliases]
        if not names:
            return
        dylibs = (jit.main, *map(jit.dylib, self.request.dylibs))
        order = [(dylib, LookupFlags.ALL_SYMBOLS) for dylib in dylibs]
        found = jit.session.lookup(order, names, SymbolState.READY, weak=names)
        for name, symbol in found.items():
            self.recorder.define(name, symbol.address)

    def _check(self) -> None:
        from pathlib import Path

        from lazyjit.link.check import run_checks

        failed = 0
        for path in self.request.checks:
            text = Path(path).read_text(errors="surrogateescape")
            made = 0
            for name in self.request.check_names or ["jitlink-check"]:
                report = run_checks(text, self.recorder, name, file=path)
                made += report.checked
                failed += len(report.failures)
                for failure in report.failures:
                    print(f"lazyjit: check: {failure}", file=sys.stderr)
            if not made:
                raise ChecksFailed(f"{path}: there are no checks in it")
        if failed:
            raise ChecksFailed(f"{failed} {'check' if failed == 1 else 'checks'} failed")
