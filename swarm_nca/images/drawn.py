"""Data sets drawn on demand: without a download, and without an end.

Picture i of a seed does not depend on the other pictures drawn, so a source's `index` works as in a
published data set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from swarm_nca.images.datasets import FASHION
from swarm_nca.images.garments import garments
from swarm_nca.images.glyphs import DIGITS, LETTERS
from swarm_nca.images.handwriting import Hand
from swarm_nca.images.nothing import (
    HALVES,
    MIRRORED,
    OVERLAYS,
    SINGLE,
    halves,
    mirrored,
    one_by_one,
    overlays,
)
from swarm_nca.images.pictures import Pictures
from swarm_nca.images.strokes import strokes


class Draw(Protocol):
    """Draws pictures `start` to `start + count − 1` of a seed, of one class or of all classes."""

    def __call__(
        self, count: int, seed: int = 0, *, start: int = 0, label: int | str | None = None
    ) -> Pictures: ...


@dataclass(frozen=True)
class DrawnSet:
    """An endless data set: the names of its classes in the order of the labels; its function."""

    classes: tuple[str, ...]
    draw: Draw


ANY_SIZE = Hand(thickness=(1.5, 4.0), scale=(0.7, 1.4), shift=4.0)
"""Handwriting as on a screen: thin or thick, small or as large as the canvas, off the middle."""

DRAWN: Mapping[str, DrawnSet] = {
    "strokes": DrawnSet(tuple(DIGITS), strokes),
    "doodles": DrawnSet(tuple(DIGITS), partial(strokes, hand=ANY_SIZE)),
    "letters": DrawnSet(tuple(LETTERS), partial(strokes, classes="letters")),
    "garments": DrawnSet(FASHION, garments),
    "mirrored": DrawnSet(MIRRORED, mirrored),
    "overlays": DrawnSet(OVERLAYS, overlays),
    "halves": DrawnSet(HALVES, halves),
    **{name: DrawnSet((kind,), one_by_one(one, kind)) for name, (kind, one) in SINGLE.items()},
}
