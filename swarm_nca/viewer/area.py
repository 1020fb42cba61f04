"""The votes of all classes over time, as a stacked area."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pygame import Rect

from swarm_nca.render import Rgb
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.theme import Color


def stacked(
    steps: npt.NDArray[np.float64],
    votes: npt.NDArray[np.float64],
    colors: Rgb,
    size: tuple[int, int],
    span: float,
    behind: Color,
) -> Rgb:
    """Shares of votes by step as a picture, uint8 [H, W, 3]; the first class stands at the top.

    Args:
        steps: [n], ascending, from 0 at the left edge to `span` at the right edge.
        votes: [n, classes + 1], number of cells per class; silent cells last.
        colors: uint8 [classes + 1, 3].
        size: (width, height) of the picture.
        behind: the colour of steps that are not measured, or without cells.
    """
    width, height = size
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = behind
    total = votes.sum(axis=1) if len(votes) else np.zeros(0)
    if not len(steps) or not total.any():
        return picture
    # Each column shows the last step at or before it; a column may be as wide as two steps apart.
    column = np.arange(width) / max(1, width - 1) * span
    row = np.searchsorted(steps, column + 1e-9, "right") - 1
    apart = max(2.0, float(np.median(np.diff(steps))) if len(steps) > 1 else 0.0)
    known = (row >= 0) & (column - steps[row] <= apart) & (total[row] > 0)
    share = votes[row[known]] / total[row[known]][:, None]
    edges = share.cumsum(axis=1)[:, :-1]
    level = (np.arange(height) + 0.5) / height
    label = (level[:, None, None] >= edges[None]).sum(axis=2)
    picture[:, known] = colors[label]
    return picture


def area(
    paint: Paint,
    place: Rect,
    steps: npt.NDArray[np.float64],
    votes: npt.NDArray[np.float64],
    colors: Rgb,
    span: float,
) -> None:
    """Paint the stacked area; see `stacked`."""
    if place.width > 0 and place.height > 0:
        picture = stacked(steps, votes, colors, place.size, span, paint.theme.track)
        paint.pixels(picture, place)
