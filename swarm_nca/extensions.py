"""What other packages add: tables that grow by entry points, never by import side effects.

A package names its additions in its own metadata, for example

    [project.entry-points."swarm_nca.rules"]
    majority = "my_package.majority:Majority"

and they can be used in YAML and in Python under that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
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
        base: what every entry must be a subclass of.

    Raises:
        ExtensionError: an entry that takes a name twice, cannot be imported, or is no such class.
    """
    found = dict(table)
    for name, value in _entries(group).items():
        if name in table:
            raise ExtensionError(
                f"the entry point {name!r} of {group} takes a name that swarm_nca has itself; "
                "rename it in the package that brings it"
            )
        if not (isinstance(value, type) and issubclass(value, base)):
            raise ExtensionError(
                f"the entry point {name!r} of {group} must be a subclass of {base.__name__}, "
                f"got {value!r}"
            )
        found[name] = value
    return MappingProxyType(found)


@cache
def _entries(group: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in sorted(entry_points(group=group), key=lambda one: one.name):
        try:
            found[entry.name] = entry.load()
        except Exception as error:
            source = entry.dist.name if entry.dist else "the package that names it"
            raise ExtensionError(
                f"the entry point {entry.name!r} of {group} cannot be imported "
                f"({type(error).__name__}: {error}); mend or uninstall {source}"
            ) from error
    return found
