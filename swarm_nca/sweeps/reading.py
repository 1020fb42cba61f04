"""Reads a sweep file, its base, and the changes of the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from swarm_nca.bounds import MOST_ENTRIES
from swarm_nca.config import Document, LocatedError, Node, Place, compose, folder_name, read
from swarm_nca.scenario import Settings
from swarm_nca.scenario.finding import find_either, find_sweep
from swarm_nca.sweeps.schema import Sweep
from swarm_nca.sweeps.seeds import seeds_of
from swarm_nca.training.recipe import Recipe

Kind = Literal["scenario", "recipe"]

#: Keys of a base that a sweep sets in its own way.
_OWN = {
    "seed": "give the seeds as seeds: 0-9, or --seeds 0-9",
    "name": "a run's name is the hash of its plan; leave it out",
}


@dataclass(frozen=True)
class Given:
    """A value of a key; file paths in it are relative to `folder`."""

    node: Node
    folder: Path


@dataclass(frozen=True, eq=False)
class Opening:
    """A sweep that is read and checked.

    Attributes:
        name: names the sweep and its folder.
        sweep: the validated file.
        document: the file.
        folder: the folder of the file; the file's paths are relative to it.
        kind: what the base is.
        base: the base with the changes of `set`.
        grid: keys with their values; those of the command line included.
        seeds: the seeds; empty for the base's own seed.
    """

    name: str
    sweep: Sweep
    document: Document
    folder: Path
    kind: Kind
    base: Document
    grid: Mapping[str, list[Given]]
    seeds: tuple[int, ...]

    @property
    def keys(self) -> list[str]:
        """The keys that take several values, in the order of the table."""
        drawn = [part.keys for part in (self.sweep.sample, self.sweep.search) if part is not None]
        return list(dict.fromkeys([*self.grid, *(key for keys in drawn for key in keys)]))

    def given(self, value: Any, *path: str) -> Given:
        """A drawn value; a mistake in it is located at a path of the file."""
        node = self.document.root
        for step in path:
            node = node.child(step) or node
        return Given(_node_of(value, node.place), self.folder)


def opened(
    path: str | os.PathLike[str] | Document, overrides: Iterable[str] = (), seeds: str | None = None
) -> Opening:
    """Read a sweep.

    Args:
        path: a file, the name of a sweep that ships, or a document.
        overrides: `key=value,value,…` of keys of the base: their values in the grid.
        seeds: seeds instead of the file's, such as `0-9`.

    Raises:
        LocatedError: a mistake in the sweep or its base.
    """
    document = path if isinstance(path, Document) else read(find_sweep(path))
    sweep: Sweep = document.validate(Sweep)
    folder = Path(document.file).parent
    with document.at("base"):
        base = read(_base_of(sweep.base, folder))
        kind = kind_of(base)
    settled = document.root.child("set")
    for key in sweep.set:
        node = settled.child(key) if settled is not None else None
        if node is not None:
            base = base.with_node(key, node, folder)
    grid = _grid_of(document, sweep, folder)
    for override in overrides:
        key, values = _values_of(override)
        if sweep.search is not None and len(values) > 1:
            place = Place(f"--set {override}")
            raise LocatedError("a search has no grid: give one value", place, (key,))
        if sweep.search is not None:
            base = base.with_node(key, values[0].node, values[0].folder)
        else:
            grid[key] = values
    opening = Opening(
        name=sweep.name or folder_name(Path(document.file).stem),
        sweep=sweep,
        document=document,
        folder=folder,
        kind=kind,
        base=base,
        grid=grid,
        seeds=_seeds_of(seeds) or sweep.seeds or (),
    )
    for key in (*sweep.set, *opening.keys):
        if key in _OWN:
            raise _refused(opening, key)
    return opening


def kind_of(document: Document) -> Kind:
    """Whether a document is a scenario or a recipe, judged by its keys.

    Raises:
        LocatedError: no mapping of keys.
    """
    data = document.data
    if not isinstance(data, dict):
        raise document.error((), "a mapping of keys is expected: a scenario or a recipe")
    scenario, recipe = (len(kind.model_fields.keys() & data.keys()) for kind in (Settings, Recipe))
    return "scenario" if scenario >= recipe else "recipe"


def _base_of(name: str, folder: Path) -> Path:
    """The file of the base: beside the sweep, or a shipped name."""
    beside = folder / name
    if beside.is_file():
        return beside
    if (found := find_either(name)).is_file():
        return found
    raise ValueError(f"there is no file {beside}, and no shipped scenario or recipe of this name")


def _grid_of(document: Document, sweep: Sweep, folder: Path) -> dict[str, list[Given]]:
    whole = document.root.child("grid")
    lists = {key: whole.child(key) if whole is not None else None for key in sweep.grid}
    return {
        key: [Given(node, folder) for node in entries.children()]
        for key, entries in lists.items()
        if entries is not None
    }


def _values_of(override: str) -> tuple[str, list[Given]]:
    """The key and the values of `key=value,value,…`."""
    source = f"--set {override}"
    key, equals, text = override.partition("=")
    if not equals or not text.strip():
        raise LocatedError("key=value,value,… is expected, such as links.drop=0,0.1", Place(source))
    nodes = compose(f"[{text}]", source, numbered=False).children()
    if not 1 <= len(nodes) <= MOST_ENTRIES:
        raise LocatedError(f"1 to {MOST_ENTRIES} values are expected", Place(source), (key,))
    return key.strip(), [Given(node, Path()) for node in nodes]


def _node_of(value: Any, place: Place) -> Node:
    """Plain data as a node; every part of it has the same place."""
    if isinstance(value, dict):
        nodes: Any = {key: _node_of(part, place) for key, part in value.items()}
        return Node(place, nodes, dict.fromkeys(nodes, place))
    if isinstance(value, list | tuple):
        return Node(place, [_node_of(part, place) for part in value])
    return Node(place, value)


def _seeds_of(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    try:
        return tuple(seeds_of(text))
    except ValueError as error:
        raise LocatedError(str(error), Place(f"--seeds {text}")) from error


def _refused(opening: Opening, key: str) -> LocatedError:
    """The error for a key of the base that a sweep sets in its own way."""
    message = f"cannot be swept: {_OWN[key]}"
    if key in opening.grid:
        return LocatedError(message, opening.grid[key][0].node.place, (key,))
    part = next(part for part in ("set", "sample", "search") if _names(opening, part, key))
    return opening.document.error((part, key), message)


def _names(opening: Opening, part: str, key: str) -> bool:
    node = opening.document.root.child(part)
    return node is not None and node.child(key) is not None
