"""Draws soft-edged brush strokes and masks on a grid of pixels.

A pixel's centre is at its integer (row, column). A brush of radius r covers a pixel at distance d
from its path by r − d, softened over `SOFTNESS` pixels: 1 inside, ½ at the rim, 0 outside. Only
pixels within the brush's reach are computed, so the cost does not depend on the canvas.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

SOFTNESS = 1.0
"""Width of a brush's soft rim, in pixels: the width of one pixel is exact anti-aliasing."""

Pixels: TypeAlias = npt.NDArray[np.int64]
Coverage: TypeAlias = npt.NDArray[np.float32]
Side: TypeAlias = Literal["left", "right", "top", "bottom"]


def segment_coverage(
    points: npt.ArrayLike, radius: float, shape: tuple[int, int], softness: float = SOFTNESS
) -> tuple[Pixels, Pixels, Coverage]:
    """The pixels covered by a round brush along a line, and their coverage.

    `points` [n, 2]: the line's points as (row, column), n ≥ 1; a single point is a disc.
    `radius`: of the brush, in pixels, > 0. `shape`: (H, W) of the canvas; pixels outside are
    left out. Returns rows [P], columns [P] and coverage [P] in (0, 1], each pixel once.
    """
    path = np.asarray(points, np.float64)
    if path.ndim != 2 or path.shape[1] != 2 or len(path) == 0:
        raise ValueError(f"a line is a list of (row, column) points, got shape {path.shape}")
    if not np.isfinite(path).all():
        raise ValueError("a line's points must be finite numbers")
    if not radius > 0:
        raise ValueError(f"a brush's radius is a number of pixels above 0, got {radius}")
    reach = radius + softness / 2
    (top, left), (bottom, right) = _box(path.min(0) - reach, path.max(0) + reach, shape)
    depth = np.full((bottom - top, right - left), -np.inf)
    starts, ends = (path[:-1], path[1:]) if len(path) > 1 else (path, path)
    for start, end in zip(starts, ends, strict=True):
        low, high = _box(np.minimum(start, end) - reach, np.maximum(start, end) + reach, shape)
        rows = np.arange(low[0], high[0])[:, None] - start[0]
        columns = np.arange(low[1], high[1])[None, :] - start[1]
        distance = np.sqrt(_distance_squared(rows, columns, *(end - start)))
        window = depth[low[0] - top : high[0] - top, low[1] - left : high[1] - left]
        np.maximum(window, radius - distance, out=window)
    coverage = coverage_of(depth, softness)
    rows_hit, columns_hit = np.nonzero(coverage)
    return rows_hit + top, columns_hit + left, coverage[rows_hit, columns_hit]


def coverage_of(depth: npt.NDArray[np.floating], softness: float = SOFTNESS) -> Coverage:
    """Coverage in [0, 1] for a signed depth inside the brush's rim, in pixels (outside: < 0)."""
    return np.asarray(np.clip(depth / softness + 0.5, 0.0, 1.0), np.float32)


def half(side: Side, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Mask [H, W] of one half of the canvas; a middle row or column belongs to neither."""
    rows, columns = shape[0] // 2, shape[1] // 2
    mask = np.zeros(shape, np.bool_)
    if side == "left":
        mask[:, :columns] = True
    elif side == "right":
        mask[:, shape[1] - columns :] = True
    elif side == "top":
        mask[:rows] = True
    elif side == "bottom":
        mask[shape[0] - rows :] = True
    else:
        raise ValueError(f"a half is left, right, top or bottom, got {side!r}")
    return mask


def render_segments(
    starts: npt.NDArray[np.float32],
    ends: npt.NDArray[np.float32],
    radius: npt.NDArray[np.float32],
    shape: tuple[int, int],
    softness: float = SOFTNESS,
) -> Coverage:
    """Coverage [B, H, W] of many pictures at once, each of S straight brush strokes.

    `starts`, `ends` [B, S, 2] as (row, column); `radius` [B, S]. The s-th strokes of all
    pictures are drawn together, each in a window of the size of the largest.
    """
    (B, S, _), (H, W) = starts.shape, shape
    depth = np.full(B * H * W, -np.inf, np.float32)
    offset = (np.arange(B) * (H * W))[:, None, None]
    for s in range(S):
        reach = radius[:, s] + softness / 2
        low = np.ceil(np.minimum(starts[:, s], ends[:, s]) - reach[:, None]).astype(np.int64)
        high = np.floor(np.maximum(starts[:, s], ends[:, s]) + reach[:, None]).astype(np.int64)
        size = np.minimum((high - low).max(0) + 1, shape)
        low = np.clip(low, 0, np.array(shape) - size)
        rows = low[:, 0, None] + np.arange(size[0])  # [B, h]
        columns = low[:, 1, None] + np.arange(size[1])  # [B, w]
        along = ends[:, s] - starts[:, s]
        squared = _distance_squared(
            (rows - starts[:, s, 0, None]).astype(np.float32)[:, :, None],
            (columns - starts[:, s, 1, None]).astype(np.float32)[:, None, :],
            along[:, 0, None, None],
            along[:, 1, None, None],
        )
        here = radius[:, s, None, None] - np.sqrt(squared)
        pixels = offset + rows[:, :, None] * W + columns[:, None, :]
        depth[pixels] = np.maximum(depth[pixels], here)
    return coverage_of(depth, softness).reshape(B, H, W)


def _distance_squared(rows: Any, columns: Any, down: Any, right: Any) -> npt.NDArray[Any]:
    """Squared distance of pixels to the segment from (0, 0) to (down, right), by broadcasting."""
    length = down * down + right * right
    along = (rows * down + columns * right) / np.maximum(length, 1e-12)
    along = np.clip(along, 0.0, 1.0)
    return np.asarray((rows - along * down) ** 2 + (columns - along * right) ** 2)


def _box(
    low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], shape: tuple[int, int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The pixels from low to high on the canvas: first (row, column), and one past the last."""
    first = np.clip(np.ceil(low), 0, shape).astype(np.int64)
    return first, np.maximum(np.clip(np.floor(high) + 1, 0, shape).astype(np.int64), first)
