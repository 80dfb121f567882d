"""Linking alone, without execution, beside llvm-jitlink: a large object, small ones, a chain.

Each linker's own timer counts, from the first lookup to the last symbol's readiness, so neither
pays for the start of its process. The large object is SQLite from Debian's static library, its
members joined into one. The small ones call each other as a binary tree, so that all are needed.
The chain is one object with 2,000 sections, each of which calls the next.

What an object costs that is linked by itself, from its bytes to a symbol that is ready, is another
table: each linker links one small object again and again within its process, and times each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import peers
from bench.debian import SQLITE
from bench.measure import Subject
from bench.report import Cell, Column, Plot, Table, limit_aim, ratio_aim
from bench.toolchain import Absent, built, digest, system_tool, tool
from bench.toolchain import run as run_tool
from bench.workloads import Context, factor, present
from bench.workloads.dependences import chain_object


def large_object() -> Path:
    """SQLite as one relocatable object."""
    archive, linker = SQLITE.file(), system_tool("ld")
    return built(
        "sqlite.o",
        digest([archive, linker]),
        lambda product: run_tool([linker, "-r", "-o", product, "--whole-archive", archive]),
    )


def small_objects(count: int) -> list[Path]:
    """This many objects of one function: the i-th calls number 2i+1 and 2i+2."""
    assembler = system_tool("as")

    def source(number: int) -> str:
        calls = [
            f"\tcall t{child}\n" for child in (2 * number + 1, 2 * number + 2) if child < count
        ]
        return (
            f"\t.text\n\t.globl t{number}\n\t.type t{number}, @function\nt{number}:\n"
            f"\t.cfi_startproc\n\tpush %rax\n\t.cfi_def_cfa_offset 16\n{''.join(calls)}"
            "\tpop %rax\n\t.cfi_def_cfa_offset 8\n\tret\n\t.cfi_endproc\n"
            f"\t.size t{number}, .-t{number}\n"
        )

    def build(product: Path) -> None:
        product.mkdir()
        for number in range(count):
            text = product.parent / "one.s"
            text.write_text(source(number))
            run_tool([assembler, text, "-o", product / f"t{number}.o"])

    texts = [source(number) for number in range(count)]
    folder = built("tree.objects", digest([*texts, assembler]), build)
    return [folder / f"t{number}.o" for number in range(count)]


def one_function() -> Path:
    """An object of one function, `f`, as compilers make it."""
    assembler = system_tool("as")
    text = (
        "\t.text\n\t.globl f\n\t.type f, @function\nf:\n\t.cfi_startproc\n"
        "\tlea 1(%rdi), %eax\n\tret\n\t.cfi_endproc\n\t.size f, .-f\n"
    )

    def build(product: Path) -> None:
        source = product.parent / "one.s"
        source.write_text(text)
        run_tool([assembler, source, "-o", product])

    return built("one.o", digest([text, assembler]), build)


def run(context: Context) -> list[Table]:
    """The tables of this workload."""
    return [whole(context), alone(context)]


def alone(context: Context) -> Table:
    """One object at a time."""
    count = 50 if context.quick else 1_000
    table = Table(
        "one-object",
        "An object of one function, from its bytes to ready",
        f"It is added to {count:,} dylibs, one after the other, and its function looked up in each:"
        " the median. LLJIT, as LLVM sets it up, links on the thread that asks, with JITLink; so"
        " does a session of ours without a pool.",
        [
            Column("subject", "what linked it, and where"),
            Column("us", "from its bytes to a symbol that is ready", "{:.1f}"),
        ],
    )
    try:
        source = one_function()
        subjects = present(context, [lambda: peers.llvm_linking(count, source)])
    except Absent as reason:
        context.leave_out(f"linking an object of one function: {reason}")
        return table
    limits: dict[str, tuple[str, float]] = {}
    if context.lazyjit:
        for name, options, goal, limit in (
            ("lazyjit", [], "no plugin", 40.0),
            ("lazyjit, a Python pass in every list", ["--passes"], "a pass in every list", 400.0),
            ("lazyjit, on a JIT's compile thread", ["--pool"], "", 0.0),
        ):
            options = [*options, "--count", str(count)]
            subjects.append(peers.script(name, "lazyjit_objects", *options, program=[source]))
            if goal:
                limits[name] = (f"{goal}: at most {limit:.0f} us", limit)
    for name, entry in context.measure(subjects).items():
        seconds = entry.median("each")
        microseconds = None if seconds is None else seconds * 1e6
        table.rows.append([name, entry.failure or microseconds])
        if name in limits:
            text, most = limits[name]
            table.aims.append(limit_aim(text, microseconds, most, "us"))
    return table


def whole(context: Context) -> Table:
    """Much at a time."""
    count, length = (50, 200) if context.quick else (2_000, 2_000)
    table = Table(
        "linking",
        "Linking, without execution",
        "Seconds that linking took, by each linker's own timer (`-noexec -show-times`).",
        [
            Column("subject", "what was linked, and by whom"),
            Column("link s", "wall time of `time to link object files`", "{:.4f}"),
            Column("ratio", "llvm-jitlink's time over ours", "{:.2f}"),
        ],
        plots=[Plot("linking", "Linking: llvm-jitlink's time by ours", ("ratio",), "times ours")],
    )
    kinds: list[tuple[str, str, Callable[[], Sequence[Path]], float]] = [
        ("SQLite as one object", "sqlite3_open", lambda: [large_object()], 1.0),
        (f"{count:,} objects", "t0", lambda: small_objects(count), 1.0),
        (f"a chain of {length:,} sections", "main", lambda: [chain_object(length)], 50.0),
    ]
    for what, entry, make, least in kinds:
        try:
            inputs = make()
            words = ["-noexec", "-show-times", "-phony-externals", "-entry", entry, *inputs]
            subjects = [subject(f"LLVM llvm-jitlink, {what}", [tool("llvm-jitlink"), *words])]
        except Absent as reason:
            context.leave_out(f"linking {what}: {reason}")
            continue
        if context.lazyjit:
            command = [sys.executable, "-m", "lazyjit", "link", *words]
            subjects.append(subject(f"lazyjit, {what}", command))
        measured = context.measure(subjects)
        theirs = measured[subjects[0].name].median("returned")
        for each in subjects:
            seconds = measured[each.name].median("returned")
            ours = each is not subjects[0]
            cells: list[Cell] = [
                each.name,
                measured[each.name].failure or seconds,
                factor(theirs, seconds) if ours else None,
            ]
            table.rows.append(cells)
            if ours:
                goal = "level or ahead" if least == 1 else f"{least:.0f} times ahead"
                table.aims.append(ratio_aim(f"{what}: {goal}", factor(theirs, seconds), least))
    return table


def subject(name: str, command: Sequence[str | Path]) -> Subject:
    """A linker under its own clock."""
    return peers.script(name, "link_times", program=command)
