"""The documentation and the examples are what the code and the compiler make of them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lazyjit.cli import reference

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.ll"))


def test_the_option_lists_are_up_to_date():
    text = (ROOT / "docs" / "run.md").read_text()
    assert reference.with_options(text) == text, "run tests/cli/regenerate.py"


def test_the_option_lists_of_link_are_up_to_date():
    text = (ROOT / "docs" / "link.md").read_text()
    again = reference.with_options(text, reference.link_markdown())
    assert again == text, "run tests/cli/regenerate.py"


def test_the_link_commands_in_the_text_parse():
    from lazyjit.cli.link_parser import parse

    text = (ROOT / "docs" / "link.md").read_text()
    commands = re.findall(r"^    lazyjit link (.*)$", text, re.MULTILINE)
    assert len(commands) >= 6
    for command in commands:
        if not command.startswith("[options]"):
            assert parse(command.split()).inputs, command


def test_the_commands_in_the_text_parse():
    from lazyjit.cli.parser import parse

    text = (ROOT / "docs" / "run.md").read_text()
    commands = re.findall(r"^    (?:.*\| )?lazyjit run (.*)$", text, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        if not command.startswith("[options]"):
            assert parse(command.split()).file_given, command


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_run_on_any_machine(path):
    text = path.read_text()
    assert f'source_filename = "{path.stem}.c"' in text
    # No processor, no operation that is rounded differently on some, no absolute path.
    assert not re.search(r'target-cpu|tune-cpu|target-features|fmuladd|clang version|"/', text)


@pytest.mark.skipif(shutil.which("clang-22") is None, reason="clang-22 is not installed")
def test_examples_are_what_clang_makes_of_their_sources(tmp_path):
    for path in (ROOT / "examples").iterdir():
        shutil.copy(path, tmp_path)
        if path.suffix == ".ll":
            (tmp_path / path.name).unlink()
    subprocess.run([tmp_path / "rebuild"], check=True, timeout=600)
    for path in EXAMPLES:
        # Another patch release may print attributes otherwise; the functions stay.
        defined = [re.findall(r"^define .*?(@\w+)", text, re.MULTILINE)
                   for text in (path.read_text(), (tmp_path / path.name).read_text())]  # fmt: skip
        assert defined[0] == defined[1] != []
