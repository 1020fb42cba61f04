"""The pen of `Draw` and `Erase`, which follows a polyline or the strokes of a character."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import numpy as np
import torch
from annotated_types import MaxLen
from torch import Tensor

from swarm_nca.bounds import MOST_POINTS, Number
from swarm_nca.images.raster import segment_coverage
from swarm_nca.images.strokes import INK_SOFTNESS, glyph_strokes
from swarm_nca.perturbations.area import extent
from swarm_nca.perturbations.perturbation import labels
from swarm_nca.world import World

#: (row, column) points of a line, one or more.
Points: TypeAlias = Annotated[tuple[tuple[Number, Number], ...], MaxLen(MOST_POINTS)]


def check_pen(points: Points | None, glyph: int | str | None, stroke: int | None) -> None:
    """Raise a ValueError unless the arguments describe one line."""
    if (points is None) == (glyph is None):
        raise ValueError("a pen follows either points, [[row, column], …], or a glyph such as 7")
    if stroke is not None and glyph is None:
        raise ValueError("stroke counts the strokes of a glyph; give a glyph, or leave out stroke")
    if points is not None and not len(points):
        raise ValueError("points must hold at least one [row, column], got none")


def pen_coverage(
    alone: World, points: Points | None, glyph: int | str | None, stroke: int | None, radius: float
) -> tuple[Tensor, Tensor]:
    """The pixels of a single world that a pen covers, int64 [n], and the covered share of each [n].

    Raises:
        ValueError: an unknown glyph or stroke, a line outside the canvas, or a world on a graph.
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


def pen_caption(
    points: Points | None, glyph: int | str | None, stroke: int | None, before: World, after: World
) -> str:
    """A short caption: the line, and the label if it changed."""
    if glyph is not None:
        line = f"{glyph}" if stroke is None else f"stroke {stroke} of {glyph}"
    else:
        line = f"a line of {len(points or ())} points"
    changed = labels(before) != labels(after)
    return f"{line}, {labels(before)} → {labels(after)}" if changed else line


def _strokes(
    glyph: int | str, stroke: int | None, shape: tuple[int, int], radius: float
) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """The strokes of a character in MNIST's proportions, in the middle of the canvas."""
    side = min(shape)
    written = glyph_strokes(str(glyph), size=side, box=side * 20 / 28, thickness=2 * radius)
    if stroke is not None and not 0 <= stroke < len(written):
        raise ValueError(f"stroke must be 0 to {len(written) - 1} for '{glyph}', got {stroke}")
    chosen = written if stroke is None else [written[stroke]]
    corner = np.array([(length - side) // 2 for length in shape])
    return [line + corner for line in chosen]
