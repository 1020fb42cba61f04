"""Schemas of values that a file gives by their kind, such as perturbations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import GetCoreSchemaHandler, GetPydanticSchema
from pydantic_core import CoreSchema, core_schema


def by_kind(table: Mapping[str, type[Any]]) -> GetPydanticSchema:
    """The schema of a value of any class in a table; the key `kind` says which."""

    def union(_: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        branches = {kind: handler.generate_schema(cls) for kind, cls in table.items()}
        return core_schema.tagged_union_schema(branches, discriminator="kind")

    return GetPydanticSchema(union)
