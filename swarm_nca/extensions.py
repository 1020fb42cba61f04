"""What other packages add: tables that grow by entry points, never by import side effects.

A package names its additions in its own metadata, for example

    [project.entry-points."swarm_nca.rules"]
    majority = "my_package.majority:Majority"

and they can be used in YAML and in Python under that name.
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
        table: what the package itself brings; its names cannot be taken.
        base: what every entry must be a subclass of. Its `kind`, where it has one, is the entry's
            name: files are read by it.

    Raises:
        ExtensionError: an entry that takes a name twice, cannot be imported, or is no such class.
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
    """Name → (what it is, the package that brings it), of all packages on a path of imports.

    Scanning them takes some time; another path is another answer.
    """
    found: dict[str, tuple[Any, str]] = {}
    for entry in sorted(entry_points(group=group), key=lambda one: one.name):
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
                f"({type(error).__name__}: {error}); mend or uninstall {source}"
            ) from error
    return found


def _source(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value
