"""A picture of each class for the canvas, drawn without a data set where possible."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any

from swarm_nca.images import DRAWN, Source
from swarm_nca.images import load as load_pictures
from swarm_nca.images.pictures import Grey
from swarm_nca.links import Links


def sample(name: str, which: int) -> Source | None:
    """The source of picture number `which` of a class; None if no drawn data set has the class."""
    for dataset, drawn in DRAWN.items():
        if name in drawn.classes:
            return Source(dataset=dataset, label=name, index=which, seed=0)  # type: ignore[arg-type]
    return None


@lru_cache(maxsize=256)
def picture(source: Source) -> Grey | None:
    """The picture, [H, W]; None if it cannot be loaded."""
    try:
        pictures = load_pictures(source)
    except (ValueError, OSError):
        return None
    return pictures.grey[0]


def plain(record: Any) -> dict[str, Any]:
    """A frozen record as plain data for YAML, without defaults."""
    data: dict[str, Any] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name == "kind" or value == field.default:
            continue
        data[field.name] = _plain(value)
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, Links):
        return value.settings()
    if is_dataclass(value):
        return plain(value)
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value
