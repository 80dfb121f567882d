"""Looks through the built site: links and anchors that lead nowhere, API entries that say nothing.

MkDocs warns of much of this. What templates and mkdocstrings make it takes for granted; here HTML
is looked at as a browser sees it. Prints what it finds, and exits with 1 if that is anything.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

ENTRY = re.compile(r'<h\d id="([^"]+)" class="doc doc-heading">.*?</h\d>(.*?)(?=<h\d id=|$)', re.S)
SIGNATURE = re.compile(r'<div class="doc-signature highlight">.*?</div>', re.S)
ELSEWHERE = re.compile(r"[a-z]+:")


class Page(HTMLParser):
    """The anchors and links of a page."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.text = file.read_text()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif tag == "a" and name == "href" and value and not ELSEWHERE.match(value):
                self.links.append(value)


def problems(root: Path) -> list[str]:
    """What is wrong with the site in this folder."""
    # 404.html is shown at any address, so its links count from the site's root on its server.
    pages = {file: Page(file) for file in root.resolve().rglob("*.html") if file.name != "404.html"}
    found = [] if pages else [f"there is no page in {root}"]
    for file, page in pages.items():
        for link in page.links:
            path, _, anchor = link.partition("#")
            target = (file.parent / path).resolve() if path else file
            target = target / "index.html" if target.is_dir() else target
            there = pages.get(target)
            if not target.exists() or (there and anchor and anchor not in there.anchors):
                found.append(f"{file.relative_to(root.resolve())}: {link} leads nowhere")
        for name, body in ENTRY.findall(page.text):
            if not re.sub(r"<[^>]+>|\s", "", SIGNATURE.sub("", body)):
                found.append(f"{file.relative_to(root.resolve())}: nothing is said of {name}")
    return found


if __name__ == "__main__":
    print("\n".join(found := problems(Path(sys.argv[1]))), end="\n" if found else "")
    sys.exit(bool(found))
