"""Draws garments from panels, many at once.

A garment is a list of panels, the lowest first. A panel is an area or a line, given by points
(row, column) in the garment's own unit; every coordinate is one number for all garments of a
batch, or one per garment, so that a thousand different coats need the same few array operations.
The depth of a pixel inside a panel sets its coverage (as for the pen's ink) and how its grey
changes towards the rim.

Shapes: B garments, H = W = size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from swarm_nca.images.curves import spline_weights
from swarm_nca.images.draws import Column
from swarm_nca.images.pictures import Grey
from swarm_nca.images.raster import coverage_of

Number: TypeAlias = float | Column
"""One number for all garments, or [B]."""

Point: TypeAlias = tuple[Number, Number]
"""(row, column)."""

Worn: TypeAlias = bool | npt.NDArray[np.bool_]
"""Whether garments have a panel: one value for all, or [B]."""

_SPANS = 4  # straight steps between two points of a curve

_RIM_REACH = 1.3  # pixels over which the rim's grey fades into the panel's


@dataclass(frozen=True, eq=False)
class Panel:
    """An area, or a line, of one tone.

    `outline`: its points, at least three for an area and two for a line. `width`: of the line, in
    the garment's unit; None for an area. `tone`: its grey as a share of the cloth's. `mirrored`:
    also drawn mirrored at column 0. `worn`: the garments that have it.
    """

    outline: Sequence[Point]
    _: KW_ONLY
    width: Number | None = None
    tone: Number = 1.0
    mirrored: bool = False
    worn: Worn = True


@dataclass(frozen=True, eq=False)
class Fabric:
    """The fabrics of B garments.

    `tone` [B]: grey, 0 to 1. `rim` [B]: grey added at the rim of every panel, often below 0.
    `weave` [B, H, W]: a factor for every pixel.
    """

    tone: Column
    rim: Column
    weave: Grey


def curve(points: Sequence[Point], closed: bool = True) -> tuple[Point, ...]:
    """Points on the smooth curve through the given points; a closed curve bounds an area."""
    given = [*points[-2:], *points, *points[:2]] if closed else list(points)
    count = len(points) if closed else len(points) - 1
    at = np.arange(count * _SPANS + (not closed)) / _SPANS + (2 if closed else 0)
    return tuple(
        (_weighted(row, [r for r, _ in given]), _weighted(row, [c for _, c in given]))
        for row in spline_weights(len(given), at)
    )


def sewn(panels: Sequence[Panel], fabric: Fabric, size: int, fill: Column, turn: Column) -> Grey:
    """Pictures [B, size, size] of centred garments whose longer side has `fill` [B] pixels.

    `turn` [B]: radians, anticlockwise.
    """
    low, high = _extent(panels, len(fabric.tone))
    scale = (fill / (high - low).max(1)).astype(np.float32)[:, None, None]
    middle = ((low + high) / 2).astype(np.float32)
    from_middle = np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)
    down, right = from_middle[:, None], from_middle[None, :]
    cosine, sine = (f(turn).astype(np.float32)[:, None, None] for f in (np.cos, np.sin))
    rows = (cosine * down + sine * right) / scale + middle[:, 0, None, None]
    columns = (cosine * right - sine * down) / scale + middle[:, 1, None, None]
    grey = np.zeros(rows.shape, np.float32)
    for panel in panels:
        depth = scale * _depth(panel, rows, np.abs(columns) if panel.mirrored else columns)
        cover = coverage_of(depth) * np.float32(_column(panel.worn))
        rim = _column(fabric.rim) * np.exp(-np.maximum(depth, 0) / _RIM_REACH)
        tone = _column(panel.tone) * (_column(fabric.tone) + rim)
        grey += cover * (np.clip(tone * fabric.weave, 0, 1) - grey)
    return np.clip(grey, 0, 1)


def _depth(panel: Panel, rows: Grey, columns: Grey) -> npt.NDArray[np.float32]:
    """Depth inside a panel, [B, H, W] in the garment's unit; below 0 outside."""
    nearest = np.full(rows.shape, np.inf, np.float32)
    inside = np.zeros(rows.shape, np.bool_)
    area = panel.width is None
    points = [(_column(row), _column(column)) for row, column in panel.outline]
    ends = [*points[1:], points[0]] if area else points[1:]
    for (row, column), (next_row, next_column) in zip(points, ends, strict=False):
        down, right = next_row - row, next_column - column
        y, x = rows - row, columns - column
        along = (y * down + x * right) / np.maximum(down * down + right * right, 1e-9)
        np.clip(along, 0, 1, out=along)
        np.minimum(nearest, (y - along * down) ** 2 + (x - along * right) ** 2, out=nearest)
        if area:  # a ray to the left crosses the outline an odd number of times
            crosses = (rows < row) != (rows < next_row)
            inside ^= crosses & (x * down > y * right) ^ (crosses & (down < 0))
    distance: npt.NDArray[np.float32] = np.sqrt(nearest)
    if panel.width is not None:
        return np.asarray(_column(panel.width) / 2 - distance)
    return np.negative(distance, out=distance, where=~inside)


def _extent(panels: Sequence[Panel], count: int) -> tuple[Column, Column]:
    """The smallest and the largest (row, column) of all panels worn, [B, 2] each."""
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    for panel in panels:
        reach = 0.0 if panel.width is None else panel.width / 2
        for row, column in panel.outline:
            places = [(row, column), (row, -column)] if panel.mirrored else [(row, column)]
            for place in places:
                for axis, value in enumerate(place):
                    least = np.where(panel.worn, value - reach, np.inf)
                    most = np.where(panel.worn, value + reach, -np.inf)
                    low[:, axis] = np.minimum(low[:, axis], least)
                    high[:, axis] = np.maximum(high[:, axis], most)
    return low, high


def _weighted(weights: Column, values: Sequence[Number]) -> Number:
    return sum((w * v for w, v in zip(weights, values, strict=True) if w), start=0.0)


def _column(value: Any) -> npt.NDArray[np.float32]:
    """[1, 1, 1] or [B, 1, 1], to broadcast with pictures."""
    return np.asarray(value, np.float32).reshape(-1, 1, 1)
