"""The pages of docs/ are true: the tutorial runs, their code is of examples, no name is missing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import lazyjit
from lazyjit import core, errors

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)


def blocks(page: str) -> list[str]:
    return BLOCK.findall((DOCS / page).read_text())


def test_the_tutorial_runs_and_its_comments_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`call()  # 3.0` gives 3.0, and `call()  # SomeError` raises it."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    promised = 0
    for block in blocks("tutorial.md"):
        lines = block.splitlines()
        for statement in ast.parse(block).body:
            code = ast.get_source_segment(block, statement)
            assert code is not None and statement.end_lineno is not None
            _, _, comment = lines[statement.end_lineno - 1].partition("  # ")
            if not comment:
                exec(code, names)
            elif comment[0].isupper():
                with pytest.raises(Exception) as raised:
                    eval(code, names)
                assert raised.type.__name__ == comment
            else:
                assert eval(code, names) == ast.literal_eval(comment)
            promised += bool(comment)
    assert promised == 9
    names["jit"].close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", ["loading.md", "linking.md", "debugging.md"])
def test_code_on_how_to_pages_is_code_of_an_example(page: str) -> None:
    known = {
        line.strip()
        for example in (ROOT / "examples").glob("*.py")
        for line in example.read_text().splitlines()
    }
    lines = [line.strip() for block in blocks(page) for line in block.splitlines()]
    assert lines
    assert [line for line in lines if line not in known] == []


def test_every_public_name_is_on_an_api_page() -> None:
    pages = "\n".join(page.read_text() for page in DOCS.glob("api*.md"))
    shown = set(re.findall(r"^::: (\S+)$", pages, re.M))
    last = {name.rpartition(".")[2] for name in shown}
    last |= {*core.__all__, *errors.__all__}  # each is shown as a module, with what it exports
    assert {"lazyjit.core", "lazyjit.errors"} <= shown
    assert {*lazyjit.__all__} - last == {"__version__"}
    plugins = [f.read_text() for f in (ROOT / "lazyjit/layers/plugins").glob("*.py")]
    classes = set(re.findall(r"^class (\w+)\(.*Plugin", "\n".join(plugins), re.M))
    assert classes and classes <= last


def test_every_page_is_in_the_menu() -> None:
    menu = set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M))
    assert menu == {page.name for page in DOCS.glob("*.md")} | {"examples.md"}


def test_every_example_is_in_the_index() -> None:
    linked = set(re.findall(r"examples/(\w+\.py)\)", (DOCS / "index.md").read_text()))
    assert linked == {path.name for path in (ROOT / "examples").glob("*.py")}
