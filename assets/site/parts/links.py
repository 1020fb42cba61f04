"""Checks the finished site: every relative link leads to a page, and every anchor to a place there.

Sphinx checks its own references; links in HTML, of included READMEs and exported pages, are checked
here. A broken link stops the build with exit code 2.
"""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError


class _Page(HTMLParser):
    """Collects the links and the anchors of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Reads one tag."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.add(value)
            elif name in ("id", "name") and value:
                self.anchors.add(value)


def broken_links(site: Path) -> list[str]:
    """Every link of the site that leads nowhere, as `page: link`."""
    pages: dict[Path, _Page] = {}
    for file in sorted(site.rglob("*.html")):
        pages[file] = _Page()
        pages[file].feed(file.read_text(encoding="utf-8"))
    broken = []
    for file, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            anchor = unquote(parts.fragment)
            there = target.is_file()
            if there and anchor and target in pages:
                there = anchor in pages[target].anchors
            if not there:
                broken.append(f"{file.relative_to(site)}: {link}")
    return broken


def check(app: Sphinx, problem: Exception | None) -> None:
    """Raises ExtensionError where a link of the finished HTML leads nowhere."""
    if problem is None and app.builder.name == "html":
        broken = broken_links(Path(app.outdir).resolve())
        if broken:
            raise ExtensionError("links that lead nowhere:\n" + "\n".join(broken))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the extension."""
    app.connect("build-finished", check, priority=900)  # after all files are there
    return {"parallel_read_safe": True, "parallel_write_safe": True}
