"""Modules of any number of functions, with a call graph like a program's, and what they compute.

A generated function takes and returns an `i64`. It mixes its argument, walks a small constant table
in a loop, calls up to three others, and has a cold path, never taken at run time, which counts in a
shared variable, prints a private string in one function of four, and calls more functions from
anywhere in the module: so that the static call graph reaches everywhere although little of it runs,
as in real programs. Every fourth function is a leaf;
hot calls go from one of four levels to the next lower one, so the calls below a function are few
(39 at most) while any two functions may share callees.

`Program.expected` is the same arithmetic in Python: a test can check every single result. `main`
calls the functions that are to be executed, in the order of their numbers, and prints one checksum.

    program = generate(16_000, executed=100)
    path.write_text(program.text)
    program.checksum()          # what main prints
    program.expected(17, 5)     # what f17(5) returns, whether executed or not
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.toolchain import built, digest

__all__ = ["Function", "Program", "call_chain", "generate", "module_path"]

MASK = (1 << 64) - 1
#: No call ever passes this argument (see Program.expected): it guards the cold path.
RARE = 0x7FFF_FFFF_FFFF_FFF1
LEVELS = 4
TABLES = 16
TABLE_LENGTH = 8
#: How many of the functions have a private string of their own.
STRING_SHARE = 0.25


@dataclass(frozen=True)
class Function:
    """One function as data: its numbers, and whom it calls."""

    index: int
    prefix: str
    local: bool
    multiplier: int
    mask: int
    rounds: int
    table: int
    speaks: bool
    hot: tuple[int, ...]
    cold: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"{self.prefix}{self.index}"

    def text(self) -> str:
        """Its definition, and its private string if it has one, as LLVM prints them."""
        n, f = self.index, self.prefix
        string = f'@.str.{n} = private unnamed_addr constant [12 x i8] c"rare {n:6d}\\00", align 1'
        lines = [
            *([string, ""] if self.speaks else []),
            f"define {'internal ' if self.local else ''}i64 @{f}{n}(i64 noundef %x) #0 {{",
            "entry:",
            f"  %m = mul i64 %x, {self.multiplier}",
            f"  %h = xor i64 %m, {self.mask}",
            f"  %is.rare = icmp eq i64 %x, {RARE}",
            "  br i1 %is.rare, label %rare, label %warm",
            "",
            "rare:",
            *([f"  %put = call i32 @puts(ptr noundef @.str.{n})"] if self.speaks else []),
            f"  %seen = load i64, ptr @{f}.rare_calls, align 8",
            "  %seen.next = add i64 %seen, 1",
            f"  store i64 %seen.next, ptr @{f}.rare_calls, align 8",
        ]
        last = "%h"
        for position, callee in enumerate(self.cold):
            lines.append(f"  %c{position} = call i64 @{f}{callee}(i64 noundef {last})")
            last = f"%c{position}"
        lines += [
            "  br label %warm",
            "",
            "warm:",
            f"  %from = phi i64 [ %h, %entry ], [ {last}, %rare ]",
            "  br label %loop",
            "",
            "loop:",
            "  %i = phi i64 [ 0, %warm ], [ %i.next, %loop ]",
            "  %acc = phi i64 [ %from, %warm ], [ %acc.next, %loop ]",
            f"  %at = and i64 %i, {TABLE_LENGTH - 1}",
            f"  %slot = getelementptr inbounds [{TABLE_LENGTH} x i64], ptr @table.{self.table},"
            " i64 0, i64 %at",
            "  %entry.value = load i64, ptr %slot, align 8",
            "  %mixed = xor i64 %acc, %entry.value",
            "  %acc.next = mul i64 %mixed, 6364136223846793005",
            "  %i.next = add nuw nsw i64 %i, 1",
            f"  %more = icmp ult i64 %i.next, {self.rounds}",
            "  br i1 %more, label %loop, label %done",
            "",
            "done:",
        ]
        last = "%acc.next"
        for position, callee in enumerate(self.hot):
            lines += [
                f"  %a{position} = and i64 {last}, 1048575",
                f"  %r{position} = call i64 @{f}{callee}(i64 noundef %a{position})",
                f"  %s{position} = add i64 {last}, %r{position}",
            ]
            last = f"%s{position}"
        lines += [f"  ret i64 {last}", "}", ""]
        return "\n".join(lines)


@dataclass(frozen=True)
class Program:
    """A generated module: `functions` in order, `executed` the numbers that main calls."""

    functions: tuple[Function, ...]
    executed: tuple[int, ...]
    tables: tuple[tuple[int, ...], ...]
    text: str = field(repr=False)

    def expected(self, index: int, x: int) -> int:
        """What f`index`(x) returns, as a signed 64-bit number; x is below 2**20."""
        return signed(self._value(index, x))

    def _value(self, index: int, x: int) -> int:
        function = self.functions[index]
        table = self.tables[function.table]
        value = ((x * function.multiplier) & MASK) ^ function.mask
        for i in range(function.rounds):
            value = ((value ^ table[i % TABLE_LENGTH]) * 6364136223846793005) & MASK
        for callee in function.hot:
            value = (value + self._value(callee, value & 1048575)) & MASK
        return value

    def checksum(self) -> int:
        """The number that main prints."""
        total = 0
        for index in self.executed:
            total = ((total * 31) & MASK) ^ self._value(index, index)
        return signed(total)


def signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def generate(
    count: int,
    *,
    executed: int | None = None,
    local_share: float = 0.25,
    seed: int = 1,
    prefix: str = "f",
    with_main: bool = True,
) -> Program:
    """A module of `count` functions, beside main, of which main executes `executed` (default: all).

    The executed functions call only each other on their hot paths, so exactly so many run. A
    `local_share` of the functions has internal linkage. Modules of different `prefix`, at most one
    of them `with_main`, can live in one dylib. The same arguments give the same text.
    """
    dice = random.Random(f"{count} {executed} {local_share} {seed}")
    chosen = sorted(dice.sample(range(count), count if executed is None else executed))
    by_level = levels(range(count))
    chosen_by_level = levels(chosen)
    is_chosen = set(chosen)
    functions = []
    for index in range(count):
        pool = (chosen_by_level if index in is_chosen else by_level)[index % LEVELS - 1]
        calls = dice.randint(1, 3) if index % LEVELS and pool else 0
        functions.append(
            Function(
                index=index,
                prefix=prefix,
                local=dice.random() < local_share,
                multiplier=dice.getrandbits(62) | 1,
                mask=dice.getrandbits(62),
                rounds=dice.randint(1, 12),
                table=dice.randrange(TABLES),
                speaks=dice.random() < STRING_SHARE,
                hot=tuple(dice.choice(pool) for _ in range(calls)),
                cold=tuple(dice.randrange(count) for _ in range(dice.randint(0, 3))),
            )
        )
    tables = tuple(tuple(dice.getrandbits(62) for _ in range(TABLE_LENGTH)) for _ in range(TABLES))
    text = module_text(functions, chosen if with_main else None, tables, prefix)
    return Program(tuple(functions), tuple(chosen), tables, text)


def levels(indices: range | list[int]) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(LEVELS)]
    for index in indices:
        found[index % LEVELS].append(index)
    return found


def module_text(
    functions: Sequence[Function],
    executed: Sequence[int] | None,
    tables: Sequence[Sequence[int]],
    prefix: str,
) -> str:
    parts = [
        'source_filename = "generated.c"',
        'target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-'
        'n8:16:32:64-S128"',
        'target triple = "x86_64-pc-linux-gnu"',
        "",
        f"@{prefix}.rare_calls = global i64 0, align 8",
        '@.format = private unnamed_addr constant [5 x i8] c"%ld\\0A\\00", align 1',
    ]
    for number, table in enumerate(tables):
        entries = ", ".join(f"i64 {value}" for value in table)
        parts.append(
            f"@table.{number} = internal constant [{TABLE_LENGTH} x i64] [{entries}], align 16"
        )
    parts += ["", "declare i32 @puts(ptr noundef)", "declare i32 @printf(ptr noundef, ...)", ""]
    parts += [function.text() for function in functions]
    if executed is not None:
        parts += main_text(executed, prefix)
    parts += ["attributes #0 = { nounwind uwtable }", ""]
    return "\n".join(parts)


def main_text(executed: Sequence[int], prefix: str) -> list[str]:
    parts = ["define i32 @main(i32 noundef %argc, ptr noundef %argv) {", "entry:"]
    last = "0"
    for index in executed:
        parts += [
            f"  %v{index} = call i64 @{prefix}{index}(i64 noundef {index})",
            f"  %t{index} = mul i64 {last}, 31",
            f"  %s{index} = xor i64 %t{index}, %v{index}",
        ]
        last = f"%s{index}"
    parts += [
        f"  %put = call i32 (ptr, ...) @printf(ptr noundef @.format, i64 noundef {last})",
        "  ret i32 0",
        "}",
        "",
    ]
    return parts


def module_path(count: int, *, executed: int | None = None, seed: int = 1) -> Path:
    """The generated module as a .ll file in the cache."""
    key = digest([Path(__file__), str(count), str(executed), str(seed)])

    def build(product: Path) -> None:
        product.write_text(generate(count, executed=executed, seed=seed).text)

    return built(f"generated-{count}.ll", key, build)


def call_chain(length: int) -> str:
    """A module whose function `c0` calls `c1`, which calls `c2` and so on; main calls the first."""
    parts = [
        f"define i64 @c{i}(i64 %x) {{\n  %r = call i64 @c{i + 1}(i64 %x)\n"
        f"  %s = add i64 %r, 1\n  ret i64 %s\n}}\n"
        for i in range(length - 1)
    ]
    parts.append(f"define i64 @c{length - 1}(i64 %x) {{\n  ret i64 %x\n}}\n")
    parts.append(
        "define i32 @main(i32 %argc, ptr %argv) {\n  %r = call i64 @c0(i64 0)\n"
        f"  %ok = icmp eq i64 %r, {length - 1}\n  %bad = xor i1 %ok, true\n"
        "  %code = zext i1 %bad to i32\n  ret i32 %code\n}\n"
    )
    return "\n".join(parts)
