"""The keys and types that a model allows at a path, read from its JSON schema.

Pydantic describes models, dataclasses, aliases and unions all as JSON schema. The results are the
candidates of "did you mean".
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
    """The JSON schema; empty for types without one, whose errors then have no hints."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
        try:
            return adapter.json_schema()
        except PydanticInvalidForJsonSchema:
            return {}


def known_keys(schema: Schema, data: Plain, path: Path) -> list[str]:
    """The allowed keys of the mapping at `path`, in every union branch that the data may match."""
    parts = _parts_at(schema, data, path)
    return list(dict.fromkeys(key for part in parts for key in part.get("properties", ())))


def known_tags(schema: Schema, data: Plain, path: Path) -> list[str]:
    """The allowed values of the key that selects the branch of the union at `path`."""
    parts = _parts_at(schema, data, path)
    return [tag for part in parts for tag in part.get("discriminator", {}).get("mapping", ())]


def kinds_at(schema: Schema, data: Plain, path: Path) -> list[str]:
    """The types allowed at `path`, named as in JSON Schema; empty if any type is allowed."""
    kinds: list[str | None] = []
    for part in _parts_at(schema, data, path):
        values = [part["const"]] if "const" in part else part.get("enum", ())
        kinds += [_KINDS.get(type(value)) for value in values] or [part.get("type")]
    return list(dict.fromkeys(filter(None, kinds)))


def least_entries(schema: Schema, data: Plain, path: Path) -> int:
    """The minimum number of entries of the list at `path`."""
    return min(
        (part["minItems"] for part in _parts_at(schema, data, path) if "minItems" in part),
        default=1,
    )


def _parts_at(schema: Schema, data: Plain, path: Path) -> list[Schema]:
    """Every schema that may apply at `path`: each union, followed by its branches."""
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
    """The schema and its branches; for a tagged union, only the branch of the data's tag."""
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
    """The schemas of the value at a key or a list number."""
    entries = schema.get("prefixItems", ())
    if isinstance(step, int) and step < len(entries):
        yield entries[step]
    elif isinstance(step, int) and isinstance(schema.get("items"), dict):
        yield schema["items"]
    if step in schema.get("properties", {}):
        yield schema["properties"][step]
    elif isinstance(schema.get("additionalProperties"), dict):
        yield schema["additionalProperties"]
