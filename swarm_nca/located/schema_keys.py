"""Which keys and kinds a JSON schema allows at a path: what "did you mean" may choose from.

Pydantic describes models, dataclasses, aliases and unions alike as JSON schema, so walking that
needs no knowledge of how a model was written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from .errors import Path, Plain

Schema: TypeAlias = dict[str, Any]


def known_keys(schema: Schema, data: Plain, path: Path) -> list[str]:
    """The keys a mapping at `path` may have, in every union branch that `data` leaves open."""
    found: dict[str, None] = {}
    for part in _at(schema, data, path):
        found.update(dict.fromkeys(part.get("properties", ())))
    return list(found)


def known_tags(schema: Schema, data: Plain, path: Path) -> list[str]:
    """The values of the key that tells a union's branches apart at `path`."""
    parts = _at(schema, data, path, expand=False)
    return [tag for part in parts for tag in part.get("discriminator", {}).get("mapping", ())]
