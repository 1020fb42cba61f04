"""Includes a README of the repository in a page: a block `{readme} PATH`, PATH from the root.

The README stays as a reader of the repository needs it; only the page's copy is rewritten. A link
to another included README leads to its page, a link to any other file or folder to a page that
shows it (`parts.files`), and centred HTML pictures become pictures of the site.
"""

from __future__ import annotations

import html
import os
import posixpath
import re
from collections.abc import Callable
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from parts import files

ROOT = Path(__file__).resolve().parents[3]

_INCLUDE = re.compile(r"^```\{readme\} (\S+)\n```$", re.M)
_FENCE = re.compile(r"^(```.*?^```[ ]*$)", re.M | re.S)
_PICTURE = re.compile(r'<p align="center">\s*<img ([^>]*)>\s*</p>')
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_MARKDOWN_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^()\s]+)\)")


def find_readmes(app: Sphinx) -> None:
    """Stores `app.readmes`, README of the repository → name of the page that includes it."""
    pages = {}
    for page in sorted(Path(app.srcdir).rglob("*.md")):
        for path in _INCLUDE.findall(page.read_text(encoding="utf-8")):
            pages[ROOT / path] = page.relative_to(app.srcdir).with_suffix("").as_posix()
    app.readmes = pages  # type: ignore[attr-defined]


def include(app: Sphinx, page: str, source: list[str]) -> None:
    """Replaces the `{readme}` blocks of a page by the rewritten READMEs."""

    def included(match: re.Match[str]) -> str:
        readme = ROOT / match[1]
        if not readme.is_file():
            raise ExtensionError(f"{page}: {{readme}} {match[1]}: there is no such file")
        app.env.note_dependency(str(readme))
        return rewritten(app, readme, page)

    source[0] = _INCLUDE.sub(included, source[0])


def rewritten(app: Sphinx, readme: Path, page: str) -> str:
    """The text of a README as the page `page` includes it; code blocks stay as they are."""
    link = _links_of(app, readme, page)
    parts = _FENCE.split(readme.read_text(encoding="utf-8"))
    for number in range(0, len(parts), 2):
        text = _PICTURE.sub(lambda match: _picture(app, readme, page, match[1]), parts[number])
        text = _MARKDOWN_PICTURE.sub(
            lambda match: f"![{match[1]}]({_picture_path(app, readme, page, match[2])})", text
        )
        parts[number] = _LINK.sub(link, text)
    return "".join(parts)


def _links_of(app: Sphinx, readme: Path, page: str) -> Callable[[re.Match[str]], str]:
    def link(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        if target.startswith(("http:", "https:", "mailto:", "#")):
            return match[0]
        path, _, anchor = target.partition("#")
        place = (readme.parent / path).resolve()
        shown = place / "README.md" if place / "README.md" in app.readmes else place
        if shown in app.readmes:
            other = posixpath.relpath(app.readmes[shown] + ".md", posixpath.dirname(page) or ".")
            return f"[{text}]({other}{'#' + anchor if anchor else ''})"
        if not place.exists():
            raise ExtensionError(f"{readme}: the link to {target} leads nowhere")
        name = files.register(app, page, place.relative_to(ROOT))
        address = app.builder.get_relative_uri(page, name)
        return f'<a class="reference internal" href="{html.escape(address)}">{text}</a>'

    return link


def _picture(app: Sphinx, readme: Path, page: str, attributes: str) -> str:
    given = dict(re.findall(r'(\w+)="([^"]*)"', attributes))
    lines = [
        f"```{{image}} {_picture_path(app, readme, page, given['src'])}",
        f":alt: {html.unescape(given.get('alt', ''))}",
        f":width: {given.get('width', '100%')}",
        ":align: center",
        "```",
    ]
    return "\n".join(lines)


def _picture_path(app: Sphinx, readme: Path, page: str, source: str) -> str:
    file = (readme.parent / source).resolve()
    if not file.is_file():
        raise ExtensionError(f"{readme}: there is no picture {source}")
    return Path(os.path.relpath(file, (Path(app.srcdir) / page).parent)).as_posix()


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the extension."""
    app.connect("builder-inited", find_readmes)
    app.connect("source-read", include)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
