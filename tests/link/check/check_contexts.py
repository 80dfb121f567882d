"""A linked program that is a dictionary: for tests of the language alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lazyjit.link.check import Region


@dataclass
class Program:
    triple: str = "x86_64-unknown-linux-gnu"
    symbols: dict[str, Region] = field(default_factory=dict)
    sections: dict[tuple[str, str], int] = field(default_factory=dict)
    stubs: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    got: dict[tuple[str, str], int] = field(default_factory=dict)

    def is_symbol_valid(self, name: str) -> bool:
        return name in self.symbols

    def symbol(self, name: str) -> Region:
        return self.symbols[name]

    def section(self, file: str, name: str, symbol: str | None = None) -> Region:
        key = f"{name}/{symbol}" if symbol else name
        if (file, key) not in self.sections:
            raise LookupError(f"no section {key} in {file}")
        return Region(self.sections[file, key])

    def stub(self, container: str, symbol: str, section: str | None, kind: str) -> Region:
        if section:
            container = f"{container}/{section}"
        for name, address in self.stubs.get((container, symbol), {}).items():
            if re.search(kind, name):
                return Region(address)
        raise LookupError(f"no stub for {symbol} in {container}")

    def got_entry(self, container: str, symbol: str) -> Region:
        if (container, symbol) not in self.got:
            raise LookupError(f"no GOT entry for {symbol} in {container}")
        return Region(self.got[container, symbol])

    def read(self, address: int, size: int) -> bytes:
        for region in self.symbols.values():
            if region.address <= address and address + size <= region.address + len(region.code):
                return region.code[address - region.address :][:size]
        raise LookupError(f"nothing at {address:#x}")
