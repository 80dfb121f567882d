"""Dependences between emitted units: chains, stars and rings of 100,000, released in linear time.

The peer is LLVM's JITLink with one object of 2,000 functions, each in a section of its own, that
call each other in a chain: its bookkeeping of who depends on whom grows with the square.
"""

from __future__ import annotations

from pathlib import Path

from bench import generate, peers
from bench.report import Cell, Column, Plot, Table, limit_aim
from bench.toolchain import Absent, built, digest, tool
from bench.toolchain import run as run_tool
from bench.workloads import Context

SHAPES = ("chain", "reverse-chain", "star", "reverse-star", "ring", "random")


def chain_object(length: int) -> Path:
    """An object with a call chain of this many functions, a section each."""
    clang = tool("clang")
    text = generate.call_chain(length)

    def build(product: Path) -> None:
        source = product.with_suffix(".ll")
        source.write_text(text)
        run_tool([clang, "-O0", "-ffunction-sections", "-w", "-c", source, "-o", product])

    return built("chain.o", digest([text, clang]), build)


def run(context: Context) -> list[Table]:
    """The table of this workload."""
    units = 2_000 if context.quick else 100_000
    length = 200 if context.quick else 2_000
    table = Table(
        "dependences",
        "Releasing units that depend on each other",
        f"{units:,} units of a symbol each, all asked for by one query, are emitted with their"
        " dependences (bench/peers/lazyjit_dependences.py describes the shapes).",
        [
            Column("subject", "the shape; for the peer, a call chain in one object"),
            Column("units", "how many units, or sections, there are", "{:,}"),
            Column(
                "release s", "from the first emission to the query's answer; the peer: its link"
            ),
            Column("us/unit", "the same, per unit", "{:.2f}"),
        ],
        plots=[
            Plot(
                "dependences",
                "Releasing units that depend on each other",
                ("us/unit",),
                "microseconds a unit",
                ratio=False,
            )
        ],
    )
    subjects = []
    if context.lazyjit:
        for shape in SHAPES:
            options = ["--shape", shape, "--units", str(units)]
            subjects.append(peers.script(f"lazyjit, {shape}", "lazyjit_dependences", *options))
    peer_name = None
    try:
        peer = peers.llvm("lljit", 0, 0, [chain_object(length)])
        peer_name = peer.name
        subjects.append(peer)
    except Absent as reason:
        context.leave_out(f"JITLink: {reason}")
    repeats, context.repeats = context.repeats, min(context.repeats, 3)
    measured = context.measure(subjects)
    context.repeats = repeats
    for name, entry in measured.items():
        seconds = entry.median("returned")
        count = length if name == peer_name else units
        each = seconds / count * 1e6 if seconds is not None else None
        shown = "LLVM JITLink, chain" if name == peer_name else name
        cells: list[Cell] = [shown, count, entry.failure or seconds, each]
        table.rows.append(cells)
        if name != peer_name:
            table.aims.append(limit_aim(f"{name}: within 1 s", seconds, 1.0, "s"))
    return [table]
