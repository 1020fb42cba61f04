"""Refuses true and false in place of a number or text.

Pydantic reads them as 1 and 0. In YAML `true` never means a number, so it is allowed only where the
schema has a boolean.
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
    """A finding for every true and false that the schema does not allow; at most `most`."""
    found = []
    for path in booleans(data):
        kinds = kinds_at(schema, data, path)
        if kinds and "boolean" not in kinds:
            expected = tuple(_WORDS[kind] for kind in kinds if kind in _WORDS)
            found.append(Finding(path, "must be", expected, shown(value_at(data, path))))
        if len(found) == most:
            break
    return found
