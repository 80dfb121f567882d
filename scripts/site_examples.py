"""A hook of MkDocs: a page for each file of examples/, and links to the files led there.

In the repository a page's link to `../examples/threads.py` opens the file; the site has no such
file, and shows it as a page: what its first words say as text, then the code.
"""

import ast
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
LINK = re.compile(r"\]\(\.\./examples/(\w+\.(?:py|c|ll))\)")
COMMENT = re.compile(r"/\*\s*(.*?)\s*\*/\n*", re.S)
LANGUAGES = {".py": "python", ".c": "c"}


def address(file: str) -> str:
    """`nbody.py` -> `examples/nbody-py.md`; IR is shown as the C that it was made of."""
    return f"examples/{file.replace('.ll', '.c').replace('.', '-')}.md"


def parted(path: Path) -> tuple[str, str]:
    """A file's first words, and the rest of it."""
    text = path.read_text()
    if path.suffix == ".py":
        words = ast.get_docstring(ast.parse(text)) or ""
        return words, text.split('"""', 2)[2].lstrip()
    comment = COMMENT.match(text)
    if comment is None:
        return "", text
    return re.sub(r"^ \* ?", "", comment[1], flags=re.M), text[comment.end() :]


def page(path: Path) -> str:
    """An example, in Markdown."""
    words, code = parted(path)
    name = path.name
    python = path.suffix == ".py"
    how = f"python examples/{name}" if python else f"lazyjit run examples/{path.stem}.ll"
    return (
        f"---\nhide: [toc]\n---\n\n# {name}\n\n{words}\n\n"
        f"[All examples](../examples.md). In a checkout: `{how}`\n\n"
        f"```{LANGUAGES[path.suffix]}\n{code}```\n"
    )


def on_files(files: Files, config: Any, **_: Any) -> Files:
    """MkDocs asks for more files: the pages, which are in no menu."""
    for path in sorted(EXAMPLES.iterdir()):
        if path.suffix in LANGUAGES:
            file = File.generated(config, address(path.name), content=page(path))
            file.inclusion = InclusionLevel.NOT_IN_NAV
            files.append(file)
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs hands over a page: its links to examples."""
    return LINK.sub(lambda match: f"]({address(match[1])})", markdown)
