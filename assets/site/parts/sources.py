"""Adds to every class and function of the API pages a link to its source, on a page of `files`."""

from __future__ import annotations

import inspect
import sys
from functools import reduce
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from parts import files


def add_links(app: Sphinx, doctree: nodes.document) -> None:
    """Appends a link to every signature whose source lies in the repository."""
    for description in doctree.findall(addnodes.desc):
        if description.get("domain") != "py":
            continue
        for signature in description.findall(addnodes.desc_signature):
            if signature.parent is not description:
                continue
            found = _place(signature.get("module", ""), signature.get("fullname", ""))
            if found is None:
                continue
            page = files.register(app, app.env.docname, found[0])
            address = f"{app.builder.get_relative_uri(app.env.docname, page)}#L-{found[1]}"
            label = nodes.inline("", "[source]", classes=["viewcode-link"])
            signature += nodes.reference("", "", label, refuri=address, internal=True)


def _place(module: str, name: str) -> tuple[Path, int] | None:
    """The file, relative to the repository, and the line where an object begins."""
    try:
        thing: Any = reduce(getattr, name.split("."), sys.modules[module])
        if isinstance(thing, property):
            thing = thing.fget
        file = inspect.getsourcefile(inspect.unwrap(thing))
        _, line = inspect.getsourcelines(thing)
    except (AttributeError, KeyError, OSError, TypeError):
        return None
    if file is None or not Path(file).is_relative_to(files.ROOT):
        return None
    return Path(file).relative_to(files.ROOT), line


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the extension."""
    app.connect("doctree-read", add_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
