"""Fixtures: an arena that must be empty at the end, compilers, a program of linked objects."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from linking import Build, Program, compiler

from lazyjit.link.arena import Arena


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """`build(source, *flags, language="c", by="gcc")` -> the bytes of an object."""
    counter = iter(range(10**6))

    def make(source: str, *flags: str, language: str = "c", by: str = "gcc") -> bytes:
        stem = tmp_path / f"unit{next(counter)}"
        suffix = {"s": "S"}.get(language, language)
        text, out = stem.with_suffix(f".{suffix}"), stem.with_suffix(".o")
        text.write_text(source)
        command = [compiler(by, language), *flags, "-c", str(text), "-o", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return out.read_bytes()

    return make


@pytest.fixture
def assemble(build: Build) -> Build:
    """`assemble(source)` -> the bytes of an object, from GNU assembly."""
    return lambda source, *flags: build(source + "\n", *flags, language="s")


@pytest.fixture
def arena() -> Iterator[Arena]:
    """A real arena, near libc, empty again at the end."""
    arena = Arena()
    yield arena
    left = arena.statistics()
    arena.close()
    assert [left.text.spans, left.rodata.spans, left.data.spans] == [0, 0, 0]


@pytest.fixture
def program(arena: Arena) -> Iterator[Program]:
    """An empty program, freed at the end."""
    program = Program(arena)
    yield program
    program.close()
