"""Pydantic's errors in plain words: the mistake, the value received, and a suggestion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from swarm_nca.bounds import written
from swarm_nca.config.errors import Path, Plain, shown
from swarm_nca.config.schema import Schema, known_keys, known_tags, least_entries
from swarm_nca.suggestion import did_you_mean, nearest

UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
MISSING_KEY = ("missing", "missing_argument", "missing_keyword_only_argument")
EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of at most 18 digits",
    "too_many_digits": "a number of at most 308 digits",
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
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "literal_error": "{expected}",
    "enum": "{expected}",
}
BOUNDS = {
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
}


@dataclass(frozen=True)
class Finding:
    """One mistake: `words`, then the expected values (joined by "or"), then the value received."""

    path: Path
    words: str
    expected: tuple[str, ...] = ()
    given: str = ""
    hint: str = ""
    key: bool = False  # whether the place is the key's, not its value's
    missing: str | None = None  # the name of a missing key
    unknown: bool = False
    meant: str | None = None  # the key that an unknown key probably misspells

    @property
    def text(self) -> str:
        """The whole message."""
        *most, last = self.expected or ("",)
        expected = f"{', '.join(most)} or {last}" if most else last
        given = f", got {self.given}" if self.given else ""
        hint = self.hint or did_you_mean(self.given.strip("'"), _quoted(expected))
        return f"{self.words} {expected}".strip() + given + hint


def value_at(data: Plain, path: Path) -> Plain:
    """The value at a path of the plain data."""
    for step in path:
        data = data[step]
    return data


def in_words(detail: dict[str, Any], path: Path, data: Plain, schema: Schema) -> Finding:
    """One pydantic error, an item of `ValidationError.errors()`, in plain words."""
    kind, context, given = detail["type"], detail.get("ctx", {}), shown(detail["input"])
    key = "[key]" in detail["loc"]
    if kind in UNKNOWN_KEY and path:
        return _unknown_key(path, value_at(data, path[:-1]), known_keys(schema, data, path[:-1]))
    if kind in MISSING_KEY:
        return _missing(path, detail["loc"][-1], given, least_entries(schema, data, path))
    if kind == "union_tag_invalid":
        return _unknown_tag(path, value_at(data, path), context)
    if kind == "union_tag_not_found":
        return _missing_tag(path, value_at(data, path), context, known_tags(schema, data, path))
    if kind in ("value_error", "assertion_error"):
        return _refused(path, value_at(data, path), str(context["error"]) or detail["msg"])
    if kind == "float_type" and isinstance(detail["input"], int):
        kind = "too_many_digits"  # not true or false, which `booleans` reports
    if kind in EXPECTED:
        words = "the key must be" if key else "must be"
        expected = re.split(", | or ", EXPECTED[kind].format(**context))
        return Finding(path, words, tuple(expected), given, key=key)
    if kind in BOUNDS:
        bounds = {name: written(bound) for name, bound in context.items()}
        return Finding(path, BOUNDS[kind].format(**bounds), given=given, key=key)
    words = re.sub(r"^(Input|Value|String) should", "must", detail["msg"])
    return Finding(path, words[:1].lower() + words[1:], given=given, key=key)


def _unknown_key(path: Path, mapping: Plain, known: list[str]) -> Finding:
    name = path[-1]
    if name in known:  # in another branch of a union
        others = ", ".join(shown(key) for key in mapping if key != name)
        words = f"the key {shown(name)} cannot be combined with {others}"
        return Finding(path, words, key=True, unknown=True)
    meant = nearest(name, [key for key in known if key not in mapping]) or nearest(name, known)
    hint = did_you_mean(name, [meant]) if meant else _known(known)
    words = f"unknown key {shown(name)}"
    return Finding(path, words, hint=hint, key=True, unknown=True, meant=meant)


def _missing(path: Path, name: Any, given: str, least: int) -> Finding:
    if isinstance(name, int):  # an entry of a list of fixed length
        return Finding(path, f"must have at least {least} entries", given=given)
    return Finding(path, "missing key", (shown(name),), missing=name)


def _unknown_tag(path: Path, mapping: Plain, context: dict[str, Any]) -> Finding:
    """The key that selects a union's branch (`kind`) has an unknown value."""
    name, tag = context["discriminator"].strip("'"), context["tag"]
    tags = _quoted(context["expected_tags"])
    inside = isinstance(mapping, dict) and name in mapping
    hint = did_you_mean(tag, tags) or _known(tags)
    return Finding(
        (*path, name) if inside else path, f"no {name} is called {shown(tag)}", hint=hint
    )


def _missing_tag(path: Path, mapping: Plain, context: dict[str, Any], tags: list[str]) -> Finding:
    """The key that selects a union's branch is missing or misspelt."""
    name = context["discriminator"].strip("'")
    similar = nearest(name, [key for key in mapping if isinstance(key, str)])
    if similar is not None:
        return _unknown_key((*path, similar), mapping, [name])
    return Finding(path, "missing key", (shown(name),), hint=_known(tags), missing=name)


def _refused(path: Path, value: Plain, message: str) -> Finding:
    """An error of the model's own check; a message that begins with a key is located there."""
    word = re.match(r"\W*(\w+)", message)
    if word and isinstance(value, dict) and word[1] in value:
        path = (*path, word[1])
    return Finding(path, message)


def _known(names: list[str]) -> str:
    return f" (known: {', '.join(names)})" if names else ""


def _quoted(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)
