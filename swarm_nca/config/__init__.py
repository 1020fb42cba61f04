"""Reads, validates, changes and writes YAML files; every mistake is reported with its place.

    document = read("scenario.yaml").with_overrides(["steps=10"])
    scenario = document.validate(Scenario)
    raise document.error(("perturbations", 1, "at"), "comes after the last step, got 500")

Scenarios and training recipes use this package; it does not import them.
"""

from swarm_nca.config.document import Document, parse, read
from swarm_nca.config.errors import LocatedError, Path, Place
from swarm_nca.config.mistakes import Mistakes
from swarm_nca.config.names import folder_name
from swarm_nca.config.relocation import path_from, relocated
from swarm_nca.config.tree import Node, compose
from swarm_nca.config.writing import dump

__all__ = [
    "Document",
    "LocatedError",
    "Mistakes",
    "Node",
    "Path",
    "Place",
    "compose",
    "dump",
    "folder_name",
    "parse",
    "path_from",
    "read",
    "relocated",
]
