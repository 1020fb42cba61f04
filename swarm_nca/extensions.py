"""Entry points: other packages add rule families, tasks, perturbations and links.

A package names its additions in its metadata, for example

    [project.entry-points."swarm_nca.rules"]
    majority = "my_package.majority:Majority"

YAML files and Python code can then use them under that name. Imports have no side effects.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, TypeVar

T = TypeVar("T")


class ExtensionError(ValueError):
    """An entry point that cannot be used; the message names it and the package."""


def with_extensions(
    group: str, table: Mapping[str, type[T]], base: type[T]
) -> Mapping[str, type[T]]:
    """A table with the entries that installed packages add to it.

    Args:
        group: the entry-point group, such as `swarm_nca.rules`.
        table: the entries of swarm_nca itself; their names are reserved.
        base: base class of every entry. If a class has a `kind`, it must equal the name of its
            entry point, because files store the kind.

    Raises:
        ExtensionError: an entry with a name in use, one that cannot be imported, or one that is
            not a subclass of `base`.
    """
    found = dict(table)
    for name, (value, source) in _entries(group, tuple(sys.path)).items():
        entry = f"the entry point {name!r} of {group}, from {source},"
        if name in table:
            raise ExtensionError(f"{entry} takes a name that swarm_nca has itself; rename it there")
        if not (isinstance(value, type) and issubclass(value, base)):
            raise ExtensionError(f"{entry} must be a subclass of {base.__name__}, got {value!r}")
        kind = getattr(value, "kind", name)
        if kind != name:
            raise ExtensionError(
                f"{entry} names a class of kind {kind!r}; the two must be the same"
            )
        found[name] = value
    return MappingProxyType(found)


@cache
def _entries(group: str, path: tuple[str, ...]) -> dict[str, tuple[Any, str]]:
    """Name → (loaded object, its package), over all packages on an import path.

    Scanning is slow, so results are cached per import path.
    """
    found: dict[str, tuple[Any, str]] = {}
    for entry in sorted(entry_points(group=group), key=lambda point: point.name):
        source = _source(entry)
        if entry.name in found:
            raise ExtensionError(
                f"two packages, {found[entry.name][1]} and {source}, name an entry point "
                f"{entry.name!r} of {group}; uninstall one of them"
            )
        try:
            found[entry.name] = entry.load(), source
        except Exception as error:
            raise ExtensionError(
                f"the entry point {entry.name!r} of {group} cannot be imported "
                f"({type(error).__name__}: {error}); repair or uninstall {source}"
            ) from error
    return found


def _source(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value
