"""Checking a document against a pydantic model, and telling its mistakes with their places.

Pydantic names the place of a mistake by a `loc`: keys and list numbers, mixed with names of the
union branch that was tried. Walking `loc` through the document leaves the branches over, and
among a union's branches the one that fits best is believed: a misspelt key in a mapping should
not be told as "text is expected".
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import PydanticJsonSchemaWarning

from .errors import LocatedError, Path, Plain, did_you_mean, nearest, shown
from .schema_keys import known_keys, known_tags
from .tree import Node

if TYPE_CHECKING:
    from .document import Document

UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
MISSING_KEY = ("missing", "missing_argument", "missing_keyword_only_argument")
EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "path_type": "a path",
    "none_required": "null",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping (key: value)",
    "mapping_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "dataclass_type": "a mapping (key: value)",
    "literal_error": "{expected}",
    "enum": "{expected}",
}
BOUNDS = {
    "greater_than": "should be above {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be below {lt}",
    "less_than_equal": "should be at most {le}",
    "multiple_of": "should be a multiple of {multiple_of}",
    "too_short": "should have at least {min_length} entries",
    "too_long": "should have at most {max_length} entries",
    "string_too_short": "should have at least {min_length} characters",
    "string_too_long": "should have at most {max_length} characters",
    "string_pattern_mismatch": "should match {pattern}",
}


@dataclass(frozen=True)
class _Mistake:
    """One pydantic error, placed: `route` is its `loc` with what is a step into the document."""

    detail: dict[str, Any]
    route: tuple[tuple[Any, bool], ...]

    @property
    def path(self) -> Path:
        return tuple(name for name, is_step in self.route if is_step)

    @property
    def kind(self) -> str:
        return str(self.detail["type"])

    @property
    def missing(self) -> Any:
        """The name of the missing key, which is no step of the document."""
        return self.detail["loc"][-1]


@dataclass(frozen=True)
class _Finding:
    """What is to be told: at a path, either the things expected there or a whole message."""

    path: Path
    message: str = ""
    expected: tuple[str, ...] = ()
    key: bool = False  # the place is the key, not its value
    weight: int = 1  # unknown keys (0) are told first, missing ones (2) last
    given: Plain = None


def validate(document: Document, model: Any) -> Any:
    """The document's data as `model`; see `Document.validate`."""
    adapter = model if isinstance(model, TypeAdapter) else TypeAdapter(model)
    data = document.data
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        mistakes = [_placed(dict(detail), document.root, data) for detail in details]
        findings = _findings(mistakes, 0, data, _json_schema(adapter))
        raise _told(document, findings) from error
