"""True and false where a number or a text belongs: pydantic would read them as 1 and 0.

What YAML spells `true` is never meant as a number, so it goes only where the schema says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from swarm_nca.config.errors import Path, Plain, shown
from swarm_nca.config.schema import Schema, kinds_at
from swarm_nca.config.wording import Finding, value_at

_WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "a mapping",
}


def booleans(data: Plain, path: Path = ()) -> Iterator[Path]:
    """The paths of every true and false in the data."""
    if isinstance(data, bool):
        yield path
    elif isinstance(data, dict | list):
        for step, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from booleans(value, (*path, step))


def misplaced(data: Plain, schema: Schema, most: int) -> list[Finding]:
    """A finding for every true and false that the schema has no place for, `most` of them."""
    found = []
    for path in booleans(data):
        kinds = kinds_at(schema, data, path)
        if kinds and "boolean" not in kinds:
            expected = tuple(_WORDS[kind] for kind in kinds if kind in _WORDS)
            found.append(Finding(path, "must be", expected, shown(value_at(data, path))))
        if len(found) == most:
            break
    return found
