"""Varied handwriting: from uniform draws to the pen's paths, many at once.

A way of writing the character is chosen; its control points are perturbed; a smooth field bends it;
it is stretched, slanted and rotated. Each of these is a sum or a product over all pictures
of a batch, because a point on the curve is a fixed weighted sum of the control points.

Shapes: B pictures, S straight steps of the pen, n control points, V ways of writing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from swarm_nca.images.curves import SEGMENTS, glyph_ways

Floats: TypeAlias = npt.NDArray[np.float32]
Range: TypeAlias = tuple[float, float]

_RIM = 0.5  # pixels of soft ink beyond the pen's radius

_CONTROL = 24  # not less than the control points of any glyph

DRAWS = 23 + SEGMENTS + 2 * _CONTROL
"""Uniform numbers used by one picture."""


@dataclass(frozen=True)
class Hand:
    """Variation of handwriting between pictures; ranges are (lowest, highest).

    `thickness`: of the pen, in pixels. `slant`: columns per row, positive leaning right.
    `rotation`: degrees, positive anticlockwise. `aspect`: width relative to the table's glyph.
    `scale`: size relative to the box. `shift`: maximum distance of the centre of mass from the
    middle, in pixels per axis. `tremor`, `bend`: maximum move of a control point, and of a point by
    the bending field, as shares of the glyph's height. `pressure`, `roughness`: changes of the
    thickness along the path, smooth and per step, as shares of it.
    """

    thickness: Range = (1.3, 3.9)
    slant: Range = (-0.3, 0.55)
    rotation: Range = (-10.0, 10.0)
    aspect: Range = (0.65, 1.5)
    scale: Range = (0.95, 1.0)
    shift: float = 0.3
    tremor: float = 0.055
    bend: float = 0.08
    pressure: float = 0.15
    roughness: float = 0.15


@dataclass(frozen=True, eq=False)
class Path:
    """The pens' paths of B pictures: straight steps on the canvas, in pixels.

    `starts`, `ends` [B, S, 2] as (row, column); `radius` [B, S] of the pen at each step.
    """

    starts: Floats
    ends: Floats
    radius: Floats


def written(
    draws: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
    names: tuple[str, ...],
    hand: Hand,
    size: int,
    box: float,
) -> Path:
    """The paths of B characters `names[labels]`, each from its own row of `draws` [B, DRAWS]."""
    column: Iterator[Floats] = iter(draws.T.astype(np.float32))

    def between(span: Range) -> Floats:
        """[B] values of a range, mostly near its middle (triangular)."""
        share = (next(column) + next(column)) / np.float32(2)
        return np.asarray(span[0] + (span[1] - span[0]) * share, np.float32)

    table = _table(names)
    way = table.first[labels] + (next(column) * table.count[labels]).astype(np.int64)
    thickness, scale = between(hand.thickness), between(hand.scale)
    shift = np.stack([between((-hand.shift, hand.shift)) for _ in range(2)], -1)
    linear = _linear(between(hand.slant), between(hand.rotation), between(hand.aspect))
    strength = np.stack([between((-hand.bend, hand.bend)) for _ in range(2)], -1)
    phase = np.stack([next(column), next(column)], -1)
    wave = next(column)[:, None] + np.arange(SEGMENTS) / SEGMENTS * (0.5 + next(column)[:, None])
    rough = np.stack([next(column) for _ in range(SEGMENTS)], -1)
    change = hand.pressure * np.sin(2 * np.pi * wave) + hand.roughness * (2 * rough - 1)
    radius = thickness[:, None] / 2 * (1 + change)

    tremor = np.stack([next(column) for _ in range(2 * _CONTROL)], -1)
    control = table.control[way] + hand.tremor * (2 * tremor.reshape(-1, _CONTROL, 2) - 1)
    starts = _bent(table.starts[way] @ control, strength, phase) @ linear
    ends = _bent(table.ends[way] @ control, strength, phase) @ linear
    starts, ends = placed(starts, ends, thickness, size, box, scale, shift)
    return Path(starts, ends, radius.astype(np.float32))


def placed(
    starts: Floats,
    ends: Floats,
    thickness: Floats,
    size: int,
    box: float,
    scale: Floats | float = 1.0,
    shift: Floats | float = 0.0,
) -> tuple[Floats, Floats]:
    """Paths [B, S, 2] fitted, ink included, into a box and centred by mass on the canvas.

    The aspect is kept. The centre of mass is that of the steps, weighted by their lengths. If
    centring by mass would move ink off the canvas (the mass of a T is high), it stops at the rim.
    """
    both = np.concatenate([starts, ends], 1)
    extent = (both.max(1) - both.min(1)).max(-1)  # [B]
    factor = (np.maximum(box - 2 * _RIM - thickness, 1.0) / extent * scale)[:, None, None]
    length = np.hypot(*np.moveaxis(ends - starts, -1, 0))[..., None]  # [B, S, 1]
    middle = ((starts + ends) / 2 * length).sum(1, keepdims=True) / length.sum(1, keepdims=True)
    target = size / 2 + np.broadcast_to(shift, (len(starts), 2))[:, None, :]
    both = (both - middle) * factor
    rim = (thickness / 2 + _RIM)[:, None, None]
    first, last = rim - both.min(1, keepdims=True), size - 1 - rim - both.max(1, keepdims=True)
    both = (both + np.clip(target, first, last)).astype(np.float32)
    return both[:, :SEGMENTS], both[:, SEGMENTS:]


@dataclass(frozen=True, eq=False)
class _Table:
    """Every way of writing every class of an alphabet, padded to one number of control points.

    `first`, `count` [K]: index of the first way of each class, and number of its ways. `control`
    [V, n, 2], `starts` and `ends` [V, S, n]: as in `Glyph`.
    """

    first: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    control: Floats
    starts: Floats
    ends: Floats


@cache
def _table(names: tuple[str, ...]) -> _Table:
    ways = [glyph_ways(name) for name in names]
    glyphs = [glyph for each in ways for glyph in each]
    control = np.zeros((len(glyphs), _CONTROL, 2), np.float32)
    starts = np.zeros((len(glyphs), SEGMENTS, _CONTROL), np.float32)
    ends = np.zeros_like(starts)
    for row, glyph in enumerate(glyphs):
        n = len(glyph.control)
        control[row, :n] = glyph.control
        starts[row, :, :n] = glyph.starts
        ends[row, :, :n] = glyph.ends
    count = np.array([len(each) for each in ways], np.int64)
    return _Table(np.cumsum(count) - count, count, control, starts, ends)


def _bent(points: Floats, strength: Floats, phase: Floats) -> Floats:
    """Points [B, S, 2] moved by a wave of about one period per height, across each axis."""
    wave = np.sin(2 * np.pi * (0.8 * points + phase[:, None, :]))
    return np.asarray(points + (strength[:, None, :] * wave)[..., ::-1], np.float32)


def _linear(slant: Floats, rotation: Floats, aspect: Floats) -> Floats:
    """Matrices [B, 2, 2] for rows of (row, column): stretch and slant, then rotate."""
    angle = np.deg2rad(rotation)
    cosine, sine, zero = np.cos(angle), np.sin(angle), np.zeros_like(angle)
    stretched = np.stack([np.stack([zero + 1, -slant], -1), np.stack([zero, aspect], -1)], -2)
    turned = np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], -2)
    return np.asarray(stretched @ turned, np.float32)
