"""A web page that runs a rule: one file, without network and without libraries.

The page steps the rule in WebGL2 fragment shaders, or in plain JavaScript where WebGL2 or its
floating-point textures are missing. Both are made from the same data (`form.Form`), which the page
carries as JSON. The page's sources are the files in `page/`; this module puts them together.
"""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files
from importlib.resources.abc import Traversable

from swarm_nca.export.form import form_of, settings_of
from swarm_nca.export.kind import Precision
from swarm_nca.export.picture_code import encoded
from swarm_nca.export.samples import samples_of
from swarm_nca.rules import Rule

#: Where a part of the page stands in `page.html`.
_MARK = re.compile(r"@@(\w+)@@")

#: The scripts of the page, in the order in which they use each other.
SCRIPTS = (
    "philox.js",
    "rule.js",
    "javascript_engine.js",
    "shaders.js",
    "webgl_engine.js",
    "picture.js",
    "swarm.js",
    "scenario.js",
    "view.js",
    "history.js",
    "pointers.js",
    "controls.js",
    "main.js",
)


def page(rule: Rule, name: str, *, precision: Precision = "float32") -> bytes:
    """The page of a rule, UTF-8.

    Args:
        rule: see `form.form_of` for the rules that can be exported.
        name: the rule's name, the page's title.
        precision: the type of the weights in the page.

    Raises:
        ValueError: a rule that cannot be exported; the message names the reason.
    """
    form = form_of(rule)
    data = settings_of(rule) | {
        "name": name,
        "hash": rule.hash()[:12],
        "parameters": sum(weight.numel() for weight in rule.parameters()),
        "kind": rule.kind,
        "sizes": list(form.sizes),
        "filters": form.filters,
        "table": form.table,
        "precision": precision,
        "weights": form.packed(precision),
        "samples": [{"name": what, "code": encoded(grey)} for what, grey in samples_of(rule)],
    }
    sources = files("swarm_nca.export") / "page"
    parts = {
        "title": html.escape(name),
        "style": _text(sources / "style.css"),
        "data": _json(data),
        "script": "\n".join(_text(sources / script) for script in SCRIPTS),
    }
    # Every second piece is the name of a part.
    pieces = _MARK.split(_text(sources / "page.html"))
    pieces[1::2] = [parts[name] for name in pieces[1::2]]
    return "".join(pieces).encode()


def _text(file: Traversable) -> str:
    return file.read_text(encoding="utf-8")


def _json(data: object) -> str:
    """JSON that can stand inside a script element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
