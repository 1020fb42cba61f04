"""Writes results as JSON: checks the path before the work, writes atomically after it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from swarm_nca.atomic import check_file, write_atomically

#: A JSON object.
Json: TypeAlias = dict[str, Any]


def check_json(file: Path | None) -> None:
    """Raise a ValueError if `file` is given and cannot be written."""
    if file is not None:
        check_file(file)


def write_json(file: Path | None, document: Json) -> None:
    """Write a document atomically, if `file` is given."""
    if file is not None:
        write_atomically(file, (json.dumps(document, indent=1) + "\n").encode())


def to_json(value: float | None) -> float | str | None:
    """A number for JSON: nan becomes null, infinity a text."""
    if value is None or math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else str(float(value))


def from_json(value: float | str | None) -> float:
    """The inverse of `to_json`."""
    return math.nan if value is None else float(value)


def only_finite(row: Mapping[str, Any]) -> Json:
    """A row for JSON: nan (not measured) and infinity become null.

    `nonfinite`, the number of cells with a state that is not finite, distinguishes the two.
    """
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }
