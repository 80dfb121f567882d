"""The pages of docs/ are whole: no page, example, name or error is missing from them."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import lazyjit
from lazyjit import core, errors, forking

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
API = DOCS / "api.md"

#: Packages that have one row.
WHOLE = ["layers/plugins", "link/check", "link/operands"]


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
    assert menu == {page.name for page in DOCS.glob("*.md")}


def test_every_example_is_in_the_index() -> None:
    linked = set(re.findall(r"examples/(\w+\.py)\)", (DOCS / "examples.md").read_text()))
    assert linked == {path.name for path in (ROOT / "examples").glob("*.py")}


def test_every_error_is_explained() -> None:
    rows = re.findall(r"^\| [·*\s]*(\w+)", (DOCS / "errors.md").read_text(), re.M)
    assert {*errors.__all__} - {"Diagnostic"} <= {*rows}


def test_every_method_of_the_jit_has_its_place() -> None:
    shown = re.search(r"^::: lazyjit.JIT$.*?members:\n(.*?)^$", API.read_text(), re.M | re.S)
    assert shown
    inner = set(dir(forking.Guarded))
    members = {name for name in dir(lazyjit.JIT) if not name.startswith("_")} - inner
    members |= {"__getitem__", "main", "session"}
    assert {*re.findall(r"- (\w+)$", shown[1], re.M)} == members


def test_every_file_is_in_the_tables_of_the_architecture() -> None:
    tables = re.findall(r"^\|.*\|$", (DOCS / "architecture.md").read_text(), re.M)
    named = {name.removesuffix(".py") for name in re.findall(r"`([\w/.*]+)`", "\n".join(tables))}
    named |= {name.rpartition("/")[2] for name in named}
    lost = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "lazyjit").rglob("*.py")
        if file.stem not in {*named, "__init__", "__main__"}
        and not any(file.is_relative_to(ROOT / "lazyjit" / folder) for folder in WHOLE)
    ]
    lost += [
        file.name
        for file in (ROOT / "native").glob("*.c")
        if not any(fnmatch(file.stem, name) for name in named)
    ]
    assert lost == []
