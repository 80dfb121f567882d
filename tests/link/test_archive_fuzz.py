"""Archives whose structure is changed: only typed errors, and no memory beyond the input's.

An archive is headers, an index, a table of long names, and members. A mutation changes one of the
numbers in these (a size, a count, an offset, a name's place), cuts the file, or doubles a piece of
it; then everything is asked of what is left, and its members are linked as objects.

The mutations are the same in each run; `LAZYJIT_FUZZ_SECONDS=600 pytest
tests/link/test_archive_fuzz.py` goes on for that long, with others each time.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import struct
import subprocess
import time
import tracemalloc
from pathlib import Path

import pytest
from linking import Build

from lazyjit.errors import LazyJITError
from lazyjit.link.archive import Archive
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph

SECONDS = float(os.environ.get("LAZYJIT_FUZZ_SECONDS", "0"))
ROUNDS = 1500
HEADER = 60
#: Fields of a member's header: where they are, and how long.
FIELDS = ((0, 16), (16, 12), (28, 6), (34, 6), (40, 8), (48, 10), (58, 2))


@pytest.fixture
def archives(build: Build, tmp_path: Path) -> list[bytes]:
    """With an index, without one, and thin."""
    tool = shutil.which("ar")
    if tool is None:
        pytest.skip("no ar to make archives with")
    (tmp_path / "f.o").write_bytes(build("extern int g(void); int f(void) { return g(); }", "-O1"))
    long_name = "a_name_that_does_not_fit_into_a_header.o"
    (tmp_path / long_name).write_bytes(build("int shared; int g(void) { return shared; }", "-O1"))
    made = []
    for flags in ("rcs", "rcS", "rcsT"):
        path = tmp_path / f"lib{flags}.a"
        subprocess.run(
            [tool, flags, path.name, "f.o", long_name],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
        made.append(path.read_bytes())
    return made


def headers(data: bytes) -> list[int]:
    """Where the headers are, as far as they lead from one to the next."""
    found, at = [], 8
    while at + HEADER <= len(data) and data[at + 58 : at + 60] == b"`\n":
        found.append(at)
        size = data[at + 48 : at + 58].strip()
        if not size.isdigit():
            break
        at += HEADER + int(size) + int(size) % 2
    return found


def mutate(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        places = headers(bytes(changed))
        way = chance.randrange(6)
        if way == 0 and places:  # a header's field
            at, (offset, size) = chance.choice(places), chance.choice(FIELDS)
            words = (b"0", b"/", b"//", b"/0", b"/99999999", b"#1/20", b"-1", b"9" * size, b"\0")
            word = chance.choice([*words, str(chance.randrange(1 << 20)).encode()])
            changed[at + offset : at + offset + size] = word[:size].ljust(size)
        elif way == 1 and places:  # a number of the index
            at = places[0] + HEADER + 4 * chance.randrange(8)
            number = chance.choice((0, 1, 7, 8, 0x7FFFFFFF, 0xFFFFFFFF, chance.randrange(1 << 16)))
            changed[at : at + 4] = struct.pack(">I", number)
        elif way == 2:
            del changed[chance.randrange(len(changed) + 1) :]
        elif way == 3 and len(changed) > 80:
            at = chance.randrange(len(changed) - 70)
            changed[at:at] = changed[at : at + chance.randrange(1, 70)]
        elif changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def use(data: bytes, arena: Arena) -> None:
    """Ask everything of an archive; link its members."""
    archive = Archive(data, file="garbled.a")
    for symbol in archive.symbols[:50]:
        archive.member_for(symbol)
    for member in archive.members():
        graph = None
        try:
            graph = LinkGraph.from_object(member.data, file=member.name, arena=arena)
            graph.fix_up([0] * len(graph.externals))
        except LazyJITError:
            pass
        finally:
            if graph is not None:
                graph.deallocate()


def test_whatever_is_changed_only_typed_errors_come(archives: list[bytes]) -> None:
    seed = random.randrange(1 << 32) if SECONDS else 1
    chance = random.Random(seed)
    until = time.monotonic() + SECONDS
    rounds = refused = 0
    arena = Arena()
    tracemalloc.start()
    try:
        while rounds < ROUNDS or time.monotonic() < until:
            data = mutate(chance, chance.choice(archives))
            rounds += 1
            try:
                use(data, arena)
            except LazyJITError:
                refused += 1
            except BaseException as error:
                raise AssertionError(f"seed {seed}, round {rounds}: {data!r}") from error
            # Again, for memory, and the least of it: a first use may import a module, and any may
            # be the one that makes the interpreter's table of interned names grow.
            peaks = []
            for _ in range(2):
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                with contextlib.suppress(LazyJITError):
                    use(data, arena)
                peaks.append(tracemalloc.get_traced_memory()[1] - before)
            words = f"seed {seed}, round {rounds}: {peaks} bytes for {data!r}"
            assert min(peaks) < 64 * len(data) + (1 << 18), words
        statistics = arena.statistics()
        assert statistics.text.used + statistics.rodata.used + statistics.data.used == 0
    finally:
        tracemalloc.stop()
        arena.close()
    print(f"{rounds} archives, {refused} refused, seed {seed}")
    assert 0 < refused < rounds
