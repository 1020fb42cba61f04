"""Parses the notation of a glyph and computes the pen's curve.

Every curve is a uniform Catmull-Rom spline, so each point on it is a fixed weighted sum of the
control points. The weights of `SEGMENTS` short, equally long steps are computed once per glyph;
then a thousand deformed copies need one matrix product.
(Catmull and Rom 1974, A class of local interpolating splines.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from swarm_nca.images.glyphs import GLYPHS

Points: TypeAlias = npt.NDArray[np.float64]
"""Points [..., 2] as (row, column)."""

SEGMENTS = 40
"""Straight steps per glyph: enough for smooth curves at a height of 100 pixels."""


@dataclass(frozen=True, eq=False)
class Glyph:
    """One way to write a character, in units of its height.

    `control` [n, 2]: the control points, in the order of the pen. `starts`, `ends`
    [SEGMENTS, n]: the weights of both ends of each straight step, so that `starts @ control`
    are points on the curve. `strokes`: the steps of each pen stroke.
    """

    control: Points
    starts: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]
    strokes: tuple[slice, ...]


@cache
def glyph_ways(character: str) -> tuple[Glyph, ...]:
    """All ways to write a character. Raises ValueError for a character without a glyph."""
    if character not in GLYPHS:
        raise ValueError(
            f"there is no glyph for {character!r}: use a digit 0–9 or a capital letter A–Z"
        )
    return tuple(_glyph(way) for way in GLYPHS[character])


def _glyph(way: str) -> Glyph:
    """Parse one line of the table and compute the weights of its curve."""
    points: list[tuple[float, float]] = []
    pieces: list[list[int]] = []  # control points between two corners or pen lifts
    first_pieces: list[int] = []
    for stroke in way.split("/"):
        first_pieces.append(len(pieces))
        pieces.append([])
        for word in stroke.split():
            row, column = word.removesuffix("!").split(",")
            pieces[-1].append(len(points))
            if word.endswith("!"):
                pieces.append([len(points)])
            points.append((float(row) / 100, float(column) / 100))
    control = np.array(points)
    starts, ends, bounds = [], [], [0]
    for piece, steps in zip(pieces, _share_steps(control, pieces), strict=True):
        weights = np.zeros((steps + 1, len(points)))
        weights[:, piece] = _even_weights(control[piece], steps)
        starts.append(weights[:-1])
        ends.append(weights[1:])
        bounds.append(bounds[-1] + steps)
    edges = [bounds[piece] for piece in first_pieces] + [SEGMENTS]
    strokes = tuple(slice(a, b) for a, b in pairwise(edges))
    return Glyph(control, np.concatenate(starts), np.concatenate(ends), strokes)


def _share_steps(control: Points, pieces: list[list[int]]) -> list[int]:
    """The number of steps of each piece, together SEGMENTS: at least one, most for long pieces."""
    lengths = np.array([_arc(control[piece])[-1] for piece in pieces])
    steps = np.ones(len(pieces), np.int64)
    while steps.sum() < SEGMENTS:
        steps[np.argmax(lengths / steps)] += 1
    return [int(count) for count in steps]


def _arc(points: Points) -> npt.NDArray[np.float64]:
    """Arc length from the spline's start, at 16 parameters per span and at the end."""
    curve = spline_weights(len(points), np.linspace(0, len(points) - 1, _fine(points))) @ points
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])


def _fine(points: Points) -> int:
    return 16 * (len(points) - 1) + 1


def _even_weights(points: Points, steps: int) -> npt.NDArray[np.float64]:
    """Weights [steps + 1, n] of equally spaced points on the spline."""
    length = _arc(points)
    fine = np.linspace(0, len(points) - 1, _fine(points))
    return spline_weights(
        len(points), np.interp(np.linspace(0, length[-1], steps + 1), length, fine)
    )


def spline_weights(count: int, at: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Weights [len(at), count] of the control points at parameters in [0, count − 1].

    The spline is straight at its ends: a phantom point mirrors the last but one.
    """
    span = np.minimum(at.astype(np.int64), count - 2)
    t = at - span
    basis = 0.5 * np.stack(
        [
            -t + 2 * t**2 - t**3,
            2 - 5 * t**2 + 3 * t**3,
            t + 4 * t**2 - 3 * t**3,
            -(t**2) + t**3,
        ]
    )
    weights = np.zeros((len(at), count + 2))
    each = np.arange(len(at))
    for offset in range(4):
        weights[each, span + offset] = basis[offset]
    first, last = weights[:, 0].copy(), weights[:, -1].copy()
    inner = weights[:, 1:-1]
    inner[:, 0] += 2 * first
    inner[:, 1] -= first
    inner[:, -1] += 2 * last
    inner[:, -2] -= last
    return inner
