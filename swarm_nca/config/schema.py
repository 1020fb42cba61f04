"""What a model allows at a path of the data, read from its JSON schema.

Pydantic describes models, dataclasses, aliases and unions alike as JSON schema, so walking that
needs no knowledge of how a model was written. It is what "did you mean" chooses from.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeAlias

from pydantic import TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import PydanticJsonSchemaWarning

from swarm_nca.config.errors import Path, Plain

Schema: TypeAlias = dict[str, Any]

_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


@lru_cache(maxsize=16)
def json_schema(adapter: TypeAdapter[Any]) -> Schema:
    """The JSON schema; empty, so that hints are missing, for types that have none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
        try:
            return adapter.json_schema()
        except PydanticInvalidForJsonSchema:
            return {}


def known_keys(schema: Schema, data: Plain, path: Path) -> list[str]:
    """The keys a mapping at `path` may have, in every union branch the data leaves open."""
    parts = _parts_at(schema, data, path)
    return list(dict.fromkeys(key for part in parts for key in part.get("properties", ())))


def known_tags(schema: Schema, data: Plain, path: Path) -> list[str]:
    """The values of the key that tells the branches of the union at `path` apart."""
    parts = _parts_at(schema, data, path)
    return [tag for part in parts for tag in part.get("discriminator", {}).get("mapping", ())]


def kinds_at(schema: Schema, data: Plain, path: Path) -> list[str]:
    """What may stand at `path`, in the names of JSON Schema; empty where anything may."""
    kinds: list[str | None] = []
    for part in _parts_at(schema, data, path):
        values = [part["const"]] if "const" in part else part.get("enum", ())
        kinds += [_KINDS.get(type(value)) for value in values] or [part.get("type")]
    return list(dict.fromkeys(filter(None, kinds)))


def least_entries(schema: Schema, data: Plain, path: Path) -> int:
    """How many entries the list at `path` needs at least."""
    return min(
        (part["minItems"] for part in _parts_at(schema, data, path) if "minItems" in part),
        default=1,
    )


def _parts_at(schema: Schema, data: Plain, path: Path) -> list[Schema]:
    """Every schema that may apply at `path`: a union stands beside its branches."""
    definitions = schema.get("$defs", {})
    parts = list(_parts(schema, definitions, data))
    for step in path:
        below = [inner for part in parts for inner in _below(part, step)]
        try:
            data = data[step]
        except (LookupError, TypeError):
            data = None
        parts = [part for inner in below for part in _parts(inner, definitions, data)]
    return parts


def _parts(schema: Schema, definitions: dict[str, Schema], data: Plain) -> Iterator[Schema]:
    """The schema and its branches; of branches told apart by a tag, the one the data names."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix("#/$defs/")]
    yield schema
    branches = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
    if "discriminator" in schema and isinstance(data, dict):
        tag = data.get(schema["discriminator"]["propertyName"])
        named = schema["discriminator"].get("mapping", {}).get(str(tag))
        branches = [{"$ref": named}] if named else branches
    for branch in branches:
        yield from _parts(branch, definitions, data)


def _below(schema: Schema, step: Any) -> Iterator[Schema]:
    """The schemas of what lies under a key or a list number."""
    entries = schema.get("prefixItems", ())
    if isinstance(step, int) and step < len(entries):
        yield entries[step]
    elif isinstance(step, int) and isinstance(schema.get("items"), dict):
        yield schema["items"]
    if step in schema.get("properties", {}):
        yield schema["properties"][step]
    elif isinstance(schema.get("additionalProperties"), dict):
        yield schema["additionalProperties"]
