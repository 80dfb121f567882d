"""What `lazyjit link` prints of a link, and of the time it took."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from lazyjit.core.listing import list_symbols

if TYPE_CHECKING:
    from lazyjit.core import ExecutionSession
    from lazyjit.link.check import CheckRecorder, Region

__all__ = ["Times", "addresses", "contents", "session_dump", "symbol_table"]


class Times:
    """How long the phases took, by the wall clock and by that of the processors. One thread."""

    def __init__(self) -> None:
        """Nothing has been done."""
        self._taken: dict[str, tuple[float, float]] = {}

    @contextlib.contextmanager
    def of(self, phase: str) -> Iterator[None]:
        """A part of a phase: the body of the `with` statement, which counts also if it fails."""
        wall, processors = perf_counter(), process_time()
        try:
            yield
        finally:
            before = self._taken.get(phase, (0.0, 0.0))
            self._taken[phase] = (
                before[0] + perf_counter() - wall,
                before[1] + process_time() - processors,
            )

    def table(self) -> str:
        """A line a phase: seconds of all processors, by the wall clock, and llvm-jitlink's name for
        it, so that one program reads both tables.
        """
        total = tuple(map(sum, zip(*self._taken.values(), strict=True))) or (0.0, 0.0)
        rows = [*self._taken.items(), ("total", total)]
        lines = [f"  {cpu:10.6f}  {wall:10.6f}  {phase}\n" for phase, (wall, cpu) in rows]
        return "lazyjit: times\n     CPU (s)    wall (s)\n" + "".join(lines)

    def report(self) -> None:
        """Print the table on stderr."""
        sys.stderr.write(self.table())
        sys.stderr.flush()


def addresses(recorder: CheckRecorder) -> str:
    """-show-addrs: symbols, then by file sections, GOT entries and stubs."""
    from lazyjit.link.check import Region

    lines = ["Registered addresses:\n", "Symbols:\n"]
    for file in recorder.files():
        lines += [_line("", name, region) for name, region in file.symbols.items()]
    for file in recorder.files():
        lines.append(f'File "{file.name}":\n')
        for section, parts in file.sections.items():
            start = min(part.address for part in parts)
            size = max(part.address + part.size for part in parts) - start
            lines.append(_line("Section ", section, Region(start, None, size)))
        lines += [_line("GOT ", name, region) for name, region in file.got.items()]
        for name, stubs in file.stubs.items():
            lines += [_line("Stub ", name, stub.region) for stub in stubs]
    return "".join(lines)


def _line(kind: str, name: str, region: Region) -> str:
    return f'  {kind}"{name}": target addr = {region.address:#018x} ({region.size} bytes)\n'


def contents(recorder: CheckRecorder) -> str:
    """-show-relocated-section-contents: sixteen bytes a line, at the addresses they are for."""
    lines = []
    for file in recorder.files():
        lines.append(f"Relocated section contents for {file.name}:\n")
        for section, parts in file.sections.items():
            lines.append(f"{section} content:\n")
            for part in parts:
                data = recorder.read(part.address, part.size)
                for offset in range(0, part.size, 16):
                    row = data[offset : offset + 16].hex(" ")
                    lines.append(f"{part.address + offset:#018x}: {row}\n")
    return "".join(lines)


def symbol_table(recorder: CheckRecorder) -> str:
    """-write-symtab: by file, addresses and names."""
    lines = []
    for file in recorder.files():
        lines.append(f'"{file.name}"\n')
        by_address = sorted(file.symbols.items(), key=lambda pair: pair[1].address)
        lines += [f"{region.address:#x} {name}\n" for name, region in by_address]
    return "".join(lines)


def session_dump(session: ExecutionSession) -> str:
    """-show-init-es and -show-entry-es: dylibs, what they link against, their symbols."""
    lines = []
    for dylib in session.dylibs:
        order = ", ".join(f'("{each.name}", {flags.name})' for each, flags in dylib.link_order)
        lines.append(f'JITDylib "{dylib.name}"\nLink order: [ {order} ]\nSymbol table:\n')
        for name, state, address, maker in list_symbols(dylib):
            place = f"{address:#018x}" if address else "<not resolved>"
            by = f" (by {maker})" if maker else ""
            lines.append(f'    "{name}": {place} {state.name}{by}\n')
    return "".join(lines)
