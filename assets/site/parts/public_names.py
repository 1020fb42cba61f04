"""`{public-names}`: a table of the public names, from `swarm_nca.__all__` and its docstrings.

Every name links to its description on another page; a name without one is a warning.
"""

from __future__ import annotations

import inspect
import re
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import swarm_nca


class PublicNames(SphinxDirective):
    """The table."""

    def run(self) -> list[nodes.Node]:
        """One table with a row per name."""
        body = nodes.tbody()
        for name in sorted(swarm_nca.__all__, key=str.lower):
            body += self._row(name)
        head = nodes.thead("", _row(nodes.paragraph("", "name"), nodes.paragraph("", "what it is")))
        columns = [nodes.colspec(colwidth=width) for width in (25, 75)]
        return [nodes.table("", nodes.tgroup("", *columns, head, body, cols=2))]

    def _row(self, name: str) -> nodes.row:
        thing = getattr(swarm_nca, name)
        reference = pending_xref(
            "",
            nodes.literal("", name),
            refdomain="py",
            reftype="mod" if isinstance(thing, ModuleType) else "obj",
            reftarget=_home(name, thing),
            refdoc=self.env.docname,
            refwarn=True,
        )
        summary, _ = self.parse_inline(_summary(name, thing))
        return _row(nodes.paragraph("", "", reference), nodes.paragraph("", "", *summary))


def _home(name: str, thing: Any) -> str:
    """The full name under which the site describes it."""
    if isinstance(thing, ModuleType):
        return thing.__name__
    if inspect.isclass(thing) or inspect.isroutine(thing):
        return f"{thing.__module__}.{thing.__qualname__}"
    return f"swarm_nca.rules.families.{name}"  # RULES, the one table


def _summary(name: str, thing: Any) -> str:
    if not (isinstance(thing, ModuleType) or inspect.isclass(thing) or inspect.isroutine(thing)):
        return "The rule families that come with the package, by kind."
    paragraph = (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")
    return re.split(r"(?<=[.:]) (?=[A-Z])", paragraph)[0]


def _row(*cells: nodes.Node) -> nodes.row:
    return nodes.row("", *(nodes.entry("", cell) for cell in cells))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the extension."""
    app.add_directive("public-names", PublicNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
