"""A picture of each class to put on the canvas, drawn offline where anybody can draw the class."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from typing import Any

from swarm_nca.images import DRAWN, Source
from swarm_nca.images import load as load_pictures
from swarm_nca.images.pictures import Grey


def sample(name: str, which: int) -> Source | None:
    """Where picture number `which` of a class comes from; None where nobody draws it."""
    for dataset, drawn in DRAWN.items():
        if name in drawn.classes:
            return Source(dataset=dataset, label=name, index=which, seed=0)  # type: ignore[arg-type]
    return None


@lru_cache(maxsize=256)
def picture(source: Source) -> Grey | None:
    """The picture itself, [H, W]; None where it is not at hand."""
    try:
        pictures = load_pictures(source)
    except (ValueError, OSError):
        return None
    return pictures.grey[0]


def plain(record: Any) -> dict[str, Any]:
    """A frozen record as the plain data that a YAML file spells, defaults left out."""
    data: dict[str, Any] = {}
    for one in fields(record):
        value = getattr(record, one.name)
        if one.name == "kind" or value == one.default:
            continue
        data[one.name] = _plain(value)
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, Source):
        return plain(value)
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value
