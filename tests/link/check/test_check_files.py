"""Checks in a file: which lines, in what order, and what is reported."""

from __future__ import annotations

import pytest
from check_contexts import Program

from lazyjit.errors import CheckError
from lazyjit.link.check import run_checks
from lazyjit.link.check.lines import CheckLine, find_checks


def test_only_lines_with_the_prefix_are_checks() -> None:
    text = """
    .text
    # jitlink-check: 1 = 1
# jitlink-check:2 = 2
#jitlink-check: 3 = 3
## jitlink-check: 4 = 4
  ret # jitlink-check: 5 = 5
\t# other-check: 6 = 6
"""
    assert list(find_checks(text)) == [CheckLine(3, "1 = 1"), CheckLine(4, "2 = 2")]
    assert list(find_checks(text, "other-check")) == [CheckLine(8, "6 = 6")]
    assert list(find_checks("")) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_backslash_continues_a_check(end: str) -> None:
    lines = ["# c: 1 + \\", "  # c: 2 \\", "", "   ", "# c: = 3", "# c: 4 = 4"]
    found = list(find_checks(end.join(lines), "c"))
    assert found == [CheckLine(1, "1 +  2  = 3"), CheckLine(6, "4 = 4")]


def test_a_check_that_is_cut_off_fails() -> None:
    text = "# c: 1 = 1 \\\nret\n# c: 2 = 2\n# c: 3 = 3 \\"
    found = list(find_checks(text, "c"))
    assert found == [
        CheckLine(1, "1 = 1", unfinished=True),
        CheckLine(3, "2 = 2"),
        CheckLine(4, "3 = 3", unfinished=True),
    ]
    report = run_checks(text, Program(), "c")
    assert report.checked == 3
    assert [error.line for error in report.failures] == [1, 4]


def test_text_ends_at_a_nul() -> None:
    assert len(list(find_checks("# c: 1 = 1\n\0\n# c: 1 = 1", "c"))) == 1


def test_all_checks_are_made_whatever_fails() -> None:
    text = "# c: 1 = 2\n# c: 1 = 1\n# c: nonsense = 1\n# c: 3 = 4\n"
    report = run_checks(text, Program(), "c", file="dir/a.s")
    assert report.checked == 4 and not report.passed
    assert [(e.file, e.line, e.left) for e in report.failures] == [
        ("dir/a.s", 1, 1),
        ("dir/a.s", 3, None),
        ("dir/a.s", 4, 3),
    ]
    with pytest.raises(CheckError, match=r"dir/a\.s:1: '1 = 2' is false: 0x1 != 0x2"):
        report.raise_failure()


def test_a_file_without_checks_passes_nothing() -> None:
    report = run_checks("ret\n", Program())
    assert report.checked == 0 and not report.passed
    report.raise_failure()
    assert run_checks("# jitlink-check: 1 = 1", Program()).passed
