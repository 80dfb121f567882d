"""A hook of MkDocs: the files of examples/ as one page, and links to them led there.

In the repository a page's link to `../examples/threads.py` opens the file; the site has no such
file, and shows it as a section of its page of examples.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
LINK = re.compile(r"\]\(\.\./examples/(\w+\.(?:py|c|ll))\)")
LANGUAGES = {".py": "python", ".c": "c"}


def anchor(file: str) -> str:
    """`one_thing.py` -> `one-thing-py`; IR is shown as the C that it was made of."""
    return file.replace(".ll", ".c").replace("_", "-").replace(".", "-")


def page() -> str:
    """All examples, in Markdown."""
    parts = ["# Examples\n\nEach is a file of the repository's `examples/`, run by the tests.\n"]
    for suffix, language in LANGUAGES.items():
        for path in sorted(EXAMPLES.glob(f"*{suffix}")):
            title = f"## {path.name} {{ #{anchor(path.name)} }}"
            parts.append(f"{title}\n\n```{language}\n{path.read_text()}```\n")
    return "\n".join(parts)


def on_files(files: Files, config: Any, **_: Any) -> Files:
    """MkDocs asks for more files: the page."""
    files.append(File.generated(config, "examples.md", content=page()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs hands over a page: its links to examples."""
    return LINK.sub(lambda match: f"](examples.md#{anchor(match[1])})", markdown)
