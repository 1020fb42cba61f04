"""What was measured, as a JSON file: whether it can be, before the work; whole, after it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from swarm_nca.atomic import check_file, write_atomically

#: JSON's plain data.
Json: TypeAlias = dict[str, Any]


def check_json(file: Path | None) -> None:
    """A ValueError, unless a document can be written there (or none is wanted)."""
    if file is not None:
        check_file(file)


def write_json(file: Path | None, document: Json) -> None:
    """Write a document, atomically, where a file is wanted."""
    if file is not None:
        write_atomically(file, (json.dumps(document, indent=1) + "\n").encode())


def to_json(value: float | None) -> float | str | None:
    """A number as JSON knows it: what is no number is null, an infinite one a text."""
    if value is None or math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else str(float(value))


def from_json(value: float | str | None) -> float:
    """The number that `to_json` was given."""
    return math.nan if value is None else float(value)


def only_finite(row: Mapping[str, Any]) -> Json:
    """A row as JSON knows it: what could not be measured, or is not finite, is null.

    The two are told apart by `nonfinite`, which counts the cells that hold no finite number.
    """
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }
