"""Shows files and folders of the repository that an included README links to, one page each.

A page `files/PATH` holds the highlighted text of a file, or the list of a folder with its pictures.
The pages are written straight into the output, so that no source is generated.
"""

from __future__ import annotations

import html
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).resolve().parents[3]

#: File name suffix → lexer; other files are offered as they are.
_LEXERS = {
    ".c": "c",
    ".cff": "yaml",
    ".md": "markdown",
    ".py": "python",
    ".rle": "text",
    ".toml": "toml",
    ".yaml": "yaml",
}
_PICTURES = {".png", ".webp", ".jpg"}

Page = tuple[str, dict[str, Any], str]


def _linked(env: BuildEnvironment) -> dict[str, set[str]]:
    """Page → the files and folders that it links to; kept with the environment."""
    if not hasattr(env, "linked_files"):
        env.linked_files = {}
    return env.linked_files


def register(app: Sphinx, page: str, path: Path) -> str:
    """Asks for a page that shows `path`, relative to the root of the repository.

    Returns:
        The name of that page.
    """
    _linked(app.env).setdefault(page, set()).add(path.as_posix())
    return _name(path)


def _name(path: Path) -> str:
    return f"files/{path.as_posix()}/index" if (ROOT / path).is_dir() else f"files/{path}"


def forget(app: Sphinx, env: BuildEnvironment, page: str) -> None:
    """Drops what a page linked to, before Sphinx reads it again."""
    _linked(env).pop(page, None)


def merge(app: Sphinx, env: BuildEnvironment, pages: set[str], other: BuildEnvironment) -> None:
    """Takes over what a parallel reader found."""
    _linked(env).update(_linked(other))


def pages(app: Sphinx) -> Iterator[Page]:
    """All pages of files and folders."""
    open_paths = sorted({Path(path) for paths in _linked(app.env).values() for path in paths})
    done: set[Path] = set()
    while open_paths:
        path = open_paths.pop()
        if path in done:
            continue
        done.add(path)
        if (ROOT / path).is_dir():
            entries = [entry.relative_to(ROOT) for entry in _entries(ROOT / path)]
            open_paths += [entry for entry in entries if _has_page(entry)]
            yield _page(app, path, _listing(app, path, entries))
        elif _has_page(path):
            text = (ROOT / path).read_text(encoding="utf-8")
            highlight = app.builder.highlighter.highlight_block
            yield _page(app, path, highlight(text, _lexer(path), lineanchors="L"))
        else:
            _copy(app, path)


def _entries(folder: Path) -> list[Path]:
    return sorted(
        entry
        for entry in folder.iterdir()
        if entry.name not in ("README.md", "__pycache__") and not entry.name.startswith(".")
    )


def _lexer(path: Path) -> str:
    return _LEXERS.get(path.suffix, "text")


def _has_page(path: Path) -> bool:
    return (ROOT / path).is_dir() or path.suffix in _LEXERS


def _copy(app: Sphinx, path: Path) -> None:
    target = Path(app.outdir) / "files" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / path, target)


def _listing(app: Sphinx, folder: Path, entries: list[Path]) -> str:
    items, pictures = [], []
    for entry in entries:
        name = html.escape(entry.name)
        if entry.suffix in _PICTURES:
            _copy(app, entry)
            pictures.append(f'<img src="{name}" alt="{name}" title="{name}" loading="lazy">')
            continue
        if _has_page(entry):
            address = app.builder.get_relative_uri(_name(folder), _name(entry))
        else:
            _copy(app, entry)
            address = name
        slash = "/" if (ROOT / entry).is_dir() else ""
        items.append(f'<li><a href="{html.escape(address)}"><code>{name}{slash}</code></a></li>')
    listed = f"<ul>{''.join(items)}</ul>" if items else ""
    shown = f'<p class="file-pictures">{"".join(pictures)}</p>' if pictures else ""
    return listed + shown


def _page(app: Sphinx, path: Path, body: str) -> Page:
    title = html.escape(path.as_posix())
    context = {
        "title": title,
        "body": f"<h1><code>{title}</code></h1>{body}",
        "parents": [],
    }
    return _name(path), context, "page.html"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connects the extension."""
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("html-collect-pages", pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": 1}
