"""Relocations and features, one a file: assembly with what must come of it inside.

`cases/ARCHITECTURE/NAME.s` begins with a sentence on the behaviour, then says in comments

    # assemble: options for llvm-mc
    # link: options for `lazyjit link` besides those that all have (LINK below); may be missing
    # expect: success | error REGULAR EXPRESSION
    # peer: what llvm-jitlink does differently, or that it doesn't know the kind; may be missing

and has `# jitlink-check:` lines, which are made on the linked memory, in what it expects to link.
Checks name the object `case.o`. Distances at the edge of a range stand in addends, so that no case
depends on where a linker puts things. LAZYJIT_FULL=1 runs the cases by llvm-jitlink too.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = sorted((HERE / "cases").glob("*/*.s"))
NAMES = [f"{file.parent.name}/{file.stem}" for file in FILES]
#: A slab beyond 4 GiB: shortcuts for lower addresses would hide what is tested.
LINK = ["-noexec", "-slab-allocate=100Kb", "-slab-address=0x276ff0000", "-slab-page-size=4096"]
FULL = os.environ.get("LAZYJIT_FULL", "") not in ("", "0")
HEADER = re.compile(r"^# (assemble|link|expect|peer): (.*)$", re.MULTILINE)


def tool(name: str) -> str:
    """One of LLVM's programs, or a skip that says what is missing."""
    found = shutil.which(f"{name}-22") or shutil.which(name)
    if found is None:
        pytest.skip(f"no {name}")
    return found


class Case:
    """One file, and the object made of it."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.source = source
        self.header = dict(HEADER.findall(source.read_text()))
        self.object = folder / source.parent.name / source.stem / "case.o"

    @property
    def error(self) -> str | None:
        """What the error must say; None when there must be none."""
        kind, _, words = self.header["expect"].partition(" ")
        assert (kind, words) == ("success", "") or (kind == "error" and words), self.source
        return words or None

    def assemble(self) -> None:
        self.object.parent.mkdir(parents=True)
        options = shlex.split(self.header["assemble"])
        command = [tool("llvm-mc"), "-filetype=obj", *options, str(self.source), "-o"]
        subprocess.run([*command, str(self.object)], check=True)

    @property
    def words(self) -> list[str]:
        """Arguments of the linker."""
        checks = [] if self.error else [f"-check={self.source}"]
        return [*LINK, *shlex.split(self.header.get("link", "")), *checks, str(self.object)]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """By name, assembled."""
    tool("llvm-mc")
    folder = tmp_path_factory.mktemp("cases")
    cases = {name: Case(file, folder) for name, file in zip(NAMES, FILES, strict=True)}
    for case in cases.values():
        case.assemble()
    return cases


@pytest.fixture(scope="module")
def results(cases: dict[str, Case]) -> dict[str, tuple[int, str]]:
    """Exit code and stderr of `lazyjit link` for each case."""
    done = subprocess.run(
        [sys.executable, str(HERE / "case_runner.py")],
        input=json.dumps([["link", *case.words] for case in cases.values()]),
        cwd=HERE.parents[1],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(zip(cases, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_case_comes_out_as_it_says(
    cases: dict[str, Case], results: dict[str, tuple[int, str]], name: str
) -> None:
    code, words = results[name]
    error = cases[name].error
    if error is None:
        assert (code, words) == (0, "")
    else:
        assert code == 1
        assert words.startswith("lazyjit: error: ")
        assert re.search(error, words), words
        assert words.count("\n") == 1


def test_there_are_cases_of_both_architectures_and_of_both_outcomes() -> None:
    errors = {
        architecture: sum("# expect: error" in file.read_text() for file in files)
        for architecture, files in (
            (name, [file for file in FILES if file.parent.name == name])
            for name in ("x86_64", "aarch64")
        )
    }
    assert errors["x86_64"] >= 15
    assert errors["aarch64"] >= 15
    assert len(FILES) >= 120


def test_every_successful_case_checks_something(cases: dict[str, Case]) -> None:
    """A case without a check line would pass whatever the linker writes."""
    for case in cases.values():
        assert ("jitlink-check:" in case.source.read_text()) == (case.error is None), case.source


def test_a_case_that_states_something_false_fails(cases: dict[str, Case], tmp_path: Path) -> None:
    """The whole way, as a program: the checks are made, and count."""
    case = cases["x86_64/abs64"]
    wrong = tmp_path / "wrong.s"
    wrong.write_text(case.source.read_text().replace("target + 5", "target + 6"))
    command = [sys.executable, "-m", "lazyjit", "link", *case.words]
    command = [word.replace(str(case.source), str(wrong)) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "wrong.s:7" in done.stderr and "is false" in done.stderr


@pytest.mark.skipif(not FULL, reason="LAZYJIT_FULL=1 runs the cases by llvm-jitlink too")
@pytest.mark.parametrize("name", NAMES)
def test_llvms_linker_says_the_same(cases: dict[str, Case], name: str) -> None:
    case = cases[name]
    if "peer" in case.header:
        pytest.skip(f"llvm-jitlink: {case.header['peer']}")
    command = [tool("llvm-jitlink"), *case.words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if case.error is None:
        assert done.returncode == 0, done.stderr
    else:
        assert "llvm-jitlink error:" in done.stderr
