"""The line that a pen follows: a polyline, or the strokes of a character as people write it.

`Draw` and `Erase` share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from swarm_nca.arguments import dense, shown, whole
from swarm_nca.images.raster import segment_coverage
from swarm_nca.images.strokes import INK_SOFTNESS, glyph_strokes
from swarm_nca.perturbations.area import extent
from swarm_nca.perturbations.perturbation import check_numbers, check_pair, labels
from swarm_nca.world import World

Points: TypeAlias = Sequence[tuple[float, float]]


def points_of(given: Any) -> tuple[tuple[float, float], ...] | None:
    """Points (row, column) as a record holds them, from any sequence or array of them.

    Raises:
        ValueError: no points, or one that is no pair of finite numbers.
    """
    if given is None:
        return None
    rows = given if isinstance(given, Sequence) else dense("points", given)
    if not isinstance(rows, Sequence) and rows.ndim == 0:
        raise ValueError(f"points must be [[row, column], …], got {shown(given)}")
    return tuple(check_pair("each of points", point) for point in rows)


def check_pen(
    points: Points | None,
    glyph: int | str | None,
    stroke: int | None,
    radius: float,
    strength: float,
) -> None:
    """A ValueError unless these describe one line, a brush and how hard it presses."""
    if (points is None) == (glyph is None):
        raise ValueError("a pen follows either points, [[row, column], …], or a glyph such as 7")
    if stroke is not None and glyph is None:
        raise ValueError("stroke counts the strokes of a glyph, and there is none; leave it out")
    if stroke is not None:
        whole("stroke", stroke)
    if points is not None and not len(points):
        raise ValueError("points must hold at least one [row, column], got none")
    check_numbers("radius", (radius,), above=0)
    check_numbers("strength", (strength,))
    if not 0.0 < strength <= 1.0:
        raise ValueError(f"strength must be above 0 and at most 1, got {strength:g}")


def pen_coverage(
    alone: World, points: Points | None, glyph: int | str | None, stroke: int | None, radius: float
) -> tuple[Tensor, Tensor]:
    """The pixels that a pen covers of a single world, int64 [n], and how much of each, [n].

    Raises:
        ValueError: no such glyph or stroke, a line that misses the canvas, or a world on a graph.
    """
    rows, columns = alone.picture().shape
    if glyph is not None:
        lines = _strokes(glyph, stroke, (rows, columns), radius)
    else:
        lines = [np.asarray(points, np.float64)]
    covered = np.zeros((rows, columns), np.float32)
    for line in lines:
        row, column, share = segment_coverage(line, radius, (rows, columns), INK_SOFTNESS)
        covered[row, column] = np.maximum(covered[row, column], share)
    sites = covered.reshape(-1).nonzero()[0]
    if not len(sites):
        raise ValueError(f"the line misses {extent(alone)}")
    grey = alone.canvas.grey
    amount = torch.from_numpy(covered.reshape(-1)[sites])
    return torch.from_numpy(sites).to(grey.device), amount.to(grey.device, grey.dtype)


def told(
    points: Points | None, glyph: int | str | None, stroke: int | None, before: World, after: World
) -> str:
    """The line in a few words for a caption, with the label where it changed."""
    if glyph is not None:
        line = f"{glyph}" if stroke is None else f"stroke {stroke} of {glyph}"
    else:
        line = f"a line of {len(points or ())} points"
    changed = labels(before) != labels(after)
    return f"{line}, {labels(before)} → {labels(after)}" if changed else line


def _strokes(
    glyph: int | str, stroke: int | None, shape: tuple[int, int], radius: float
) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Where the pen goes to write a character in MNIST's manner, in the middle of a canvas."""
    side = min(shape)
    written = glyph_strokes(str(glyph), size=side, box=side * 20 / 28, thickness=2 * radius)
    if stroke is not None and not 0 <= stroke < len(written):
        raise ValueError(f"stroke must be 0 to {len(written) - 1} for '{glyph}', got {stroke}")
    chosen = written if stroke is None else [written[stroke]]
    corner = np.array([(length - side) // 2 for length in shape])
    return [line + corner for line in chosen]
