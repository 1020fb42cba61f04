"""Lets docstrings be plain text: no author of one needs to know reStructuredText.

Single backquotes mark code, indented paragraphs of a module's docstring are Python, "- " begins an
item of a list; everything else is text. A name in backquotes links to the object of that name,
where the site documents exactly one.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.addnodes import desc_content, pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

_CODE = re.compile(r"(``[^`]*``|`[^`]*`)")
_ITEM = re.compile(r"^(\s*)- ")


def plain(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Rewrites the lines of one docstring in place, before napoleon reads its sections."""
    text = "\n".join(lines)
    parts = _CODE.split(text)
    for number in range(0, len(parts), 2):
        parts[number] = re.sub(r"([*|\\])|(?<=\w)_(?!\w)", r"\\\g<0>", parts[number])
        parts[number] = re.sub(r"(: )(\w\.)$", r"\1\\\2", parts[number], flags=re.M)  # no "C." list
    for number in range(1, len(parts), 2):
        parts[number] = _code(parts[number])
    rewritten = "".join(parts).split("\n")
    if what == "module":
        rewritten = _with_python(rewritten, lines)
    lines[:] = _with_lists(rewritten)


def _code(part: str) -> str:
    """A name as a link, any other code as code."""
    inner = part.strip("`")
    is_name = re.fullmatch(r"[A-Za-z_][\w.]*", inner.replace("\n", " "))
    return f"`{inner}`" if is_name else f"``{inner}``"


def _with_python(lines: list[str], original: list[str]) -> list[str]:
    """Marks indented paragraphs as Python, as they were written."""
    marked: list[str] = []
    inside = False
    for line, first in zip(lines, original, strict=True):
        indented = first.startswith("    ")
        if indented and not inside and not (marked and marked[-1].strip()):
            marked += [".. code-block:: python", ""]
            inside = True
        elif first.strip() and not indented:
            inside = False
        marked.append(first if inside else line)
    return marked


def _with_lists(lines: list[str]) -> list[str]:
    """Puts the blank line before a list that reStructuredText needs."""
    spaced: list[str] = []
    for line in lines:
        before = spaced[-1] if spaced else ""
        item = _ITEM.match(line)
        if item and before.strip() and not _ITEM.match(before):
            indent = len(before) - len(before.lstrip())
            if indent <= len(item[1]):
                spaced.append("")
        spaced.append(line)
    return spaced


def link(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """The object whose name ends as the reference does, if there is exactly one."""
    if node.get("refdomain") != "py" or not node.get("reftarget"):
        return None
    domain = env.domains["py"]
    ending = "." + node["reftarget"].lstrip(".")
    found = [name for name in domain.objects if name.endswith(ending)]
    here = node.get("py:module") or ""
    found = [name for name in found if name.startswith(here + ".")] or found
    if len(found) != 1:
        return None
    entry = domain.objects[found[0]]
    address = app.builder.get_relative_uri(node["refdoc"], entry.docname)
    reference = nodes.reference("", "", internal=True, refuri=f"{address}#{entry.node_id}")
    reference += content
    return reference


def skip(app: Sphinx, what: str, name: str, thing: Any, skipped: bool, options: Any) -> bool | None:
    """Leaves out what has a docstring that only Python wrote: the fields of named tuples."""
    return True if str(getattr(thing, "__doc__", "")).startswith("Alias for field") else None


def tidy(app: Sphinx, doctree: nodes.document) -> None:
    """Sets dashes, calls attributes so, and drops the base `object`."""
    for content in list(doctree.findall(desc_content)):
        for text in list(content.findall(nodes.Text)):
            if text.startswith(" -- "):
                text.parent.replace(text, nodes.Text(" – " + text[4:]))
        for name in list(content.findall(nodes.field_name)):
            if name.astext() == "Variables":
                name.children = [nodes.Text("Attributes")]
        first = content.next_node(nodes.paragraph)
        if first is not None and first.astext() == "Bases: object":
            first.parent.remove(first)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connects the extension."""
    app.connect("autodoc-skip-member", skip)
    app.connect("doctree-read", tidy)
    app.connect("autodoc-process-docstring", plain, priority=100)  # before napoleon
    app.connect("missing-reference", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
