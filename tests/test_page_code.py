"""Code on the pages runs, and does what the pages say of it.

The Python of a page in `PROGRAMS` is one program, block after block. What it promises:

    mean(1.0, 4.0)  # 2.5            the value of a statement that is an expression
    mean("one", 4.0)  # TypeError    what the statement raises
    a block of `text` after one of `python` is what that prints

Any other comment promises nothing. The Python of a page in `EXCERPTS` is lines of an example.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import re
from pathlib import Path

import pytest

from lazyjit import JIT, errors
from lazyjit.c_source import find_compiler

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)

#: The pages whose code is a program, with the number of its promises.
PROGRAMS = {
    "README.md": 1,
    "docs/callables.md": 18,
    "docs/cookbook.md": 24,
    "docs/errors.md": 7,
    "docs/index.md": 1,
    "docs/install.md": 1,
    "docs/kernels.md": 11,
    "docs/limits.md": 2,
    "docs/llvmlite.md": 0,
    "docs/python.md": 14,
    "docs/tutorial.md": 9,
    "docs/ufuncs.md": 9,
}
EXCERPTS = [f"docs/{name}.md" for name in ("checks", "debugging", "linking", "loading", "plugins")]


def blocks(page: str) -> list[tuple[str, str]]:
    """The code of a page and what it prints, each block's."""
    found = list(BLOCK.finditer((ROOT / page).read_text()))
    code = []
    for block, after in zip(found, [*found[1:], None], strict=True):
        if block[1] == "python":
            close = after and not block.string[block.end() : after.start()].strip()
            code.append((block[2], after[2] if close and after[1] == "text" else ""))
    return code


def lacking(code: str) -> str:
    """What has to be installed before this runs, or nothing."""
    for module in ("numba", "sympy"):
        if f"lazyjit.{module}" in code and importlib.util.find_spec(module) is None:
            return module
    if "add_c" in code:
        try:
            find_compiler()
        except errors.CompilerNotFound:
            return "clang"
    return ""


def promise(comment: str) -> tuple[str, object] | None:
    """("raises", a class) or ("gives", a value), or None for words."""
    error = getattr(errors, comment, None) or getattr(builtins, comment, None)
    if isinstance(error, type) and issubclass(error, BaseException):
        return "raises", error
    try:
        return "gives", ast.literal_eval(comment)
    except (SyntaxError, ValueError):
        return None


def run(block: str, names: dict[str, object]) -> int:
    """Run a block, a statement at a time; the number of promises that were kept."""
    kept = 0
    lines = block.splitlines()
    for statement in ast.parse(block).body:
        code = ast.unparse(statement)
        comment = lines[(statement.end_lineno or 0) - 1].partition("  # ")[2]
        promised = promise(comment) if comment else None
        what, value = promised or ("", None)
        if what == "raises":
            with pytest.raises(Exception) as raised:
                exec(code, names)
            assert raised.type is value, f"{code} raised {raised.value!r}"
        elif what and isinstance(statement, ast.Expr):
            assert eval(code, names) == value, code
        else:
            exec(code, names)
            continue
        kept += 1
    return kept


@pytest.mark.parametrize("page", PROGRAMS)
def test_the_code_of_a_page_does_what_the_page_says(
    page: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    kept, missing = 0, set()
    try:
        for code, printed in blocks(page):
            if wanted := lacking(code):
                missing.add(wanted)
                continue
            kept += run(code, names)
            out = capsys.readouterr().out
            if printed:
                assert out == printed
                kept += 1
    finally:
        for value in names.values():
            if isinstance(value, JIT):
                value.close()
    if missing:
        pytest.skip(f"ran all but what needs {' and '.join(sorted(missing))}")
    assert kept == PROGRAMS[page]


@pytest.mark.parametrize("page", EXCERPTS)
def test_code_that_is_an_excerpt_is_code_of_an_example(page: str) -> None:
    known = {
        line.strip()
        for example in (ROOT / "examples").glob("*.py")
        for line in example.read_text().splitlines()
    }
    lines = [line.strip() for code, _ in blocks(page) for line in code.splitlines()]
    assert lines
    assert [line for line in lines if line not in known] == []


def test_every_page_with_code_is_known() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    with_code = {str(page.relative_to(ROOT)) for page in pages if "```python" in page.read_text()}
    assert with_code == {*PROGRAMS, *EXCERPTS}
