"""A hook of MkDocs: the files of examples/ as one page, and links to them led there.

In the repository a page's link to `../examples/threads.py` opens the file; the site has no such
file, and shows it as a section of its page of examples.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
LINK = re.compile(r"\]\(\.\./examples/(\w+)\.(?:py|c|ll)\)")


def anchor(name: str) -> str:
    return name.replace("_", "-")


def page() -> str:
    parts = ["# Examples\n\nEach is a file of the repository's `examples/`, run by the tests.\n"]
    for path in sorted(EXAMPLES.glob("*.py")):
        parts.append(
            f"## {path.stem} {{ #{anchor(path.stem)} }}\n\n```python\n{path.read_text()}```\n"
        )
    for path in sorted(EXAMPLES.glob("*.c")):
        parts.append(f"## {path.name} {{ #{anchor(path.stem)} }}\n\n```c\n{path.read_text()}```\n")
    return "\n".join(parts)


def on_files(files: Files, config: Any, **_: Any) -> Files:
    files.append(File.generated(config, "examples.md", content=page()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    return LINK.sub(lambda match: f"](examples.md#{anchor(match[1])})", markdown)
