"""Export: a rule as a file that runs without this package.

A kind of export turns a rule into the bytes of one file. To add a kind, write a module with a
function like `html.page` and a line in `EXPORTS`.
"""

from __future__ import annotations

from collections.abc import Mapping

from swarm_nca.export import c
from swarm_nca.export.html import page
from swarm_nca.export.kind import Export, Precision
from swarm_nca.export.onnx_step import model

__all__ = ["EXPORTS", "Export", "Precision"]

#: The kinds of export, by the name that `--to` takes.
EXPORTS: Mapping[str, Export] = {
    "html": Export(".html", page),
    "c": Export(".c", c.source, {".h": c.header}),
    "onnx": Export(".onnx", model),
}
