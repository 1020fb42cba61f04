"""Tools for the canvas: each turns a line of points into a perturbation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from swarm_nca.images import glyph_strokes
from swarm_nca.images.glyphs import GLYPHS
from swarm_nca.perturbations import Damage, Draw, Erase, Perturbation

Point = tuple[float, float]

#: Radius of the eraser as a multiple of the pen's (one pass erases a stroke, not the next one), and
#: of the damage brush, whose area is five times the pen's.
RUBBER, BLOW = 1.7, math.sqrt(5)


class Tool(NamedTuple):
    """A tool.

    Attributes:
        wider: its radius, as a multiple of the brush's.
        deed: (points in canvas coordinates, radius, the picture's new label) → the perturbation;
            None for the inspector, which changes nothing.
    """

    name: str
    icon: str
    key: str
    tip: str
    wider: float
    deed: Callable[[Sequence[Point], float, int | None], Perturbation] | None


def _drawn(points: Sequence[Point], radius: float, label: int | None) -> Perturbation:
    return Draw(points=tuple(points), radius=radius, label=label)


def _erased(points: Sequence[Point], radius: float, label: int | None) -> Perturbation:
    return Erase(points=tuple(points), radius=radius, label=label)


def _damaged(points: Sequence[Point], radius: float, label: int | None) -> Perturbation:
    return Damage(shape="disc", center=points[-1], radius=radius)


#: The tools, in the order of their buttons.
TOOLS = (
    Tool("pen", "pen", "p", "Draw: pixels become alive", 1.0, _drawn),
    Tool("eraser", "eraser", "e", "Erase; also with the right button", RUBBER, _erased),
    Tool("damage", "damage", "d", "Damage: set cells' states to zero", BLOW, _damaged),
    Tool("inspect", "inspect", "i", "Inspect a cell's state and messages", 0.0, None),
)
PEN, ERASER, DAMAGE, INSPECT = TOOLS


def cleared(rows: int, columns: int) -> Erase:
    """Erases all pixels of a canvas with one large disc."""
    middle = ((rows - 1) / 2, (columns - 1) / 2)
    return Erase(points=(middle,), radius=float(rows + columns), label=-1)


def whiteboard(names: Sequence[str], rows: int, columns: int, seed: int) -> list[Perturbation]:
    """As many characters as fit on a canvas, each in 28 × 28 pixels; empty without a glyph."""
    known = [name for name in names if name in GLYPHS]
    if not known:
        return []
    random = np.random.default_rng(seed)
    strokes: list[Perturbation] = []
    down, across = max(1, rows // 28), max(1, columns // 28)
    top, left = (rows - 28 * down) // 2, (columns - 28 * across) // 2
    for place in range(down * across):
        name = known[int(random.integers(len(known)))]
        row, column = divmod(place, across)
        corner = np.array([top + 28 * row, left + 28 * column], np.float64)
        slant = float(random.uniform(-0.15, 0.25))
        for line in glyph_strokes(name, slant=slant, way=int(random.integers(len(GLYPHS[name])))):
            points = np.concatenate([line[:-1:3], line[-1:]]) + corner
            path = tuple((round(y, 1), round(x, 1)) for y, x in points.tolist())
            strokes.append(Draw(points=path, radius=1.3))
    return strokes
