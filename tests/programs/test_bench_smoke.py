"""The benchmarks run: in quick mode, with every workload, and say what they left out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import acceptance
import pytest

from bench.generate import RARE, generate
from bench.measure import Subject, interleaved
from bench.report import table_markdown
from bench.workloads import Context, modules

ROOT = acceptance.HERE.parents[1]


def test_the_quick_mode_runs_every_workload(tmp_path: Path) -> None:
    pytest.importorskip("rich", reason="the tables are shown with rich (the bench extra)")
    figures = tmp_path / "figures.json"
    markdown = tmp_path / "tables.md"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "bench", "--quick"),
            *("--json", str(figures), "--markdown", str(markdown)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": acceptance.python_path()},
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    data = json.loads(figures.read_text())
    names = {table["name"] for table in data["tables"]}
    assert {"modules", "overhead", "threads", "resolve", "dependences", "memory"} <= names
    assert "lazyjit" in data["versions"]
    assert "| subject |" in markdown.read_text()


def test_generated_text_is_the_same_for_the_same_arguments() -> None:
    assert generate(50, executed=10).text == generate(50, executed=10).text
    assert generate(50, seed=2).text != generate(50, seed=3).text


def test_generated_functions_execute_only_the_chosen_ones() -> None:
    program = generate(400, executed=40)
    chosen = set(program.executed)
    assert len(chosen) == 40
    for index in chosen:
        assert set(program.functions[index].hot) <= chosen
    assert any(set(f.cold) - chosen for f in program.functions)
    # No argument of a hot call is the one that leads to a cold path.
    assert RARE > 1048575


def test_subjects_take_turns_and_a_failure_is_kept_with_its_reason(tmp_path: Path) -> None:
    def subject(name: str, code: str) -> Subject:
        return Subject(name, lambda times: [sys.executable, "-c", code, times])

    works = "import json,sys; open(sys.argv[1],'w').write(json.dumps(dict(start=0,returned=1.5)))"
    order: list[str] = []
    measured = interleaved(
        [
            subject("works", works + "; print('out')"),
            subject("fails", "import sys; sys.exit('no such thing')"),
            subject("crashes", "import os,signal; os.kill(os.getpid(), signal.SIGSEGV)"),
        ],
        2,
        step=order.append,
    )
    assert order == ["works", "fails", "crashes", "fails", "crashes", "works"]
    assert measured["works"].median("returned") == 1.5
    assert measured["works"].failure is None
    assert measured["fails"].failure == "ended with 1: no such thing"
    assert measured["crashes"].failure == "crashes (SIGSEGV)"
    assert measured["crashes"].median("returned") is None


def test_tables_explain_their_columns() -> None:
    context = Context(quick=True, repeats=1, lazyjit=False)
    tables = modules.run(context)
    text = table_markdown(tables[0])
    for column in tables[0].columns:
        assert f"- *{column.heading}*: {column.meaning}" in text
