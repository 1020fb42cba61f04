"""Target pictures in colour for growing patterns: drawn offline, or from a file.

A target is premultiplied RGBA: the colours are multiplied by alpha, so that a transparent pixel is
0 in all four channels and its colour does not affect a mean squared error.

To add a drawn target, write a function that draws in the unit square, and a line in `TARGETS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from swarm_nca.images.decoding import opened
from swarm_nca.suggestion import unknown

#: float32 [side, side, 4] in [0, 1], premultiplied.
Target: TypeAlias = npt.NDArray[np.float32]

_Color = tuple[int, int, int]
_Point = tuple[float, float]

#: Factor by which targets are drawn larger, then averaged, for antialiased edges.
_FINER = 8


class _Pen:
    """Draws on a transparent square; x and y run from 0 to 1, to the right and down."""

    def __init__(self, side: int) -> None:
        self._side = side * _FINER
        self.image = Image.new("RGBA", (self._side, self._side), (0, 0, 0, 0))
        self._draw = ImageDraw.Draw(self.image)

    def polygon(self, points: Iterable[_Point], color: _Color) -> None:
        self._draw.polygon([self._place(point) for point in points], fill=color)

    def ellipse(self, center: _Point, radii: _Point, color: _Color, turned: float = 0.0) -> None:
        """An ellipse, rotated clockwise by degrees."""
        cos, sin = math.cos(math.radians(turned)), math.sin(math.radians(turned))
        points = []
        for step in range(72):
            angle = math.tau * step / 72
            x, y = radii[0] * math.cos(angle), radii[1] * math.sin(angle)
            points.append((center[0] + x * cos - y * sin, center[1] + x * sin + y * cos))
        self.polygon(points, color)

    def line(self, points: Iterable[_Point], width: float, color: _Color) -> None:
        """A line with round ends and joints; widths are shares of the side."""
        placed = [self._place(point) for point in points]
        thick = max(1, round(width * self._side))
        self._draw.line(placed, fill=color, width=thick, joint="curve")
        for x, y in placed:
            half = thick / 2
            self._draw.ellipse((x - half, y - half, x + half, y + half), fill=color)

    def _place(self, point: _Point) -> _Point:
        return point[0] * self._side, point[1] * self._side


def _lizard(pen: _Pen) -> None:
    green, dark, light = (64, 160, 72), (36, 104, 56), (190, 214, 84)
    tail = [
        (0.50 + 0.20 * math.sin(2.6 * t) * t, 0.64 + 0.30 * t - 0.04 * t * t)
        for t in (step / 24 for step in range(25))
    ]
    for place, point in enumerate(tail):
        pen.line(tail[place : place + 2] or [point], 0.11 * (1 - place / 26) + 0.012, green)
    legs = [
        [(0.44, 0.34), (0.25, 0.30), (0.17, 0.18)],
        [(0.56, 0.34), (0.75, 0.30), (0.83, 0.18)],
        [(0.44, 0.58), (0.25, 0.62), (0.15, 0.75)],
        [(0.56, 0.58), (0.75, 0.62), (0.85, 0.75)],
    ]
    for leg in legs:
        pen.line(leg, 0.075, dark)
        pen.ellipse(leg[-1], (0.06, 0.05), green)
    pen.ellipse((0.50, 0.46), (0.135, 0.22), green)
    pen.ellipse((0.50, 0.17), (0.125, 0.125), green)
    for y in (0.34, 0.44, 0.54):
        pen.ellipse((0.50, y), (0.055, 0.035), light)
    for x in (0.42, 0.58):
        pen.ellipse((x, 0.13), (0.042, 0.042), (250, 250, 240))
        pen.ellipse((x, 0.125), (0.022, 0.022), (20, 24, 30))


def _flower(pen: _Pen) -> None:
    pen.line([(0.50, 0.50), (0.52, 0.72), (0.48, 0.95)], 0.05, (52, 132, 60))
    pen.ellipse((0.63, 0.80), (0.13, 0.05), (84, 172, 76), -32)
    pen.ellipse((0.36, 0.84), (0.12, 0.05), (84, 172, 76), 28)
    for petal in range(6):
        angle = math.tau * petal / 6 + math.pi / 6
        center = (0.50 + 0.21 * math.cos(angle), 0.36 + 0.21 * math.sin(angle))
        color = (232, 84, 128) if petal % 2 else (244, 132, 164)
        pen.ellipse(center, (0.15, 0.10), color, math.degrees(angle))
    pen.ellipse((0.50, 0.36), (0.115, 0.115), (248, 200, 60))
    pen.ellipse((0.50, 0.36), (0.06, 0.06), (212, 140, 36))


def _heart(pen: _Pen) -> None:
    def outline(size: float) -> list[_Point]:
        turns = (math.tau * step / 120 for step in range(120))
        return [
            (
                0.5 + size * 16 * math.sin(t) ** 3,
                0.47
                - size
                * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)),
            )
            for t in turns
        ]

    pen.polygon(outline(0.028), (176, 24, 52))
    pen.polygon(outline(0.0235), (228, 48, 76))
    pen.ellipse((0.30, 0.31), (0.085, 0.05), (255, 176, 188), -38)


def _butterfly(pen: _Pen) -> None:
    for side in (-1, 1):

        def at(x: float, y: float, side: int = side) -> _Point:
            return 0.5 + side * x, y

        pen.ellipse(at(0.25, 0.32), (0.22, 0.17), (28, 60, 148), side * -32)
        pen.ellipse(at(0.25, 0.32), (0.175, 0.125), (52, 136, 228), side * -32)
        pen.ellipse(at(0.20, 0.67), (0.17, 0.14), (124, 44, 20), side * 40)
        pen.ellipse(at(0.20, 0.67), (0.13, 0.10), (244, 140, 40), side * 40)
        pen.ellipse(at(0.30, 0.27), (0.05, 0.05), (252, 236, 140))
        pen.ellipse(at(0.21, 0.69), (0.04, 0.04), (252, 224, 96))
        pen.line([at(0.01, 0.22), at(0.07, 0.11), at(0.13, 0.07)], 0.022, (36, 30, 36))
    pen.ellipse((0.5, 0.50), (0.045, 0.29), (44, 36, 44))
    pen.ellipse((0.5, 0.23), (0.055, 0.06), (44, 36, 44))


#: The drawn targets by name; each function draws with a pen in the unit square.
TARGETS: Mapping[str, Callable[[_Pen], None]] = MappingProxyType(
    {"lizard": _lizard, "flower": _flower, "heart": _heart, "butterfly": _butterfly}
)


def drawn_target(name: str, side: int = 40) -> Target:
    """One of `TARGETS`, [side, side, 4].

    Raises:
        ValueError: no such target.
    """
    if name not in TARGETS:
        raise ValueError(unknown("drawn target", name, TARGETS))
    pen = _Pen(side)
    TARGETS[name](pen)
    return _fitted(pen.image, side)


def read_target(path: str | Path, side: int = 40) -> Target:
    """A picture file scaled to fit a square, centred, with its aspect kept: [side, side, 4].

    Raises:
        ValueError: a missing or unreadable file, or a picture that is fully transparent.
    """
    with opened(Path(path)) as image:
        target = _fitted(image.convert("RGBA"), side)
    if not target[..., 3].any():
        raise ValueError(f"{path}: is fully transparent: use a picture with opaque pixels")
    return target


def _fitted(image: Image.Image, side: int) -> Target:
    factor = side / max(image.size)
    columns, rows = (max(1, round(length * factor)) for length in image.size)
    rgba = np.asarray(image, np.float32) / 255.0
    rgba[..., :3] *= rgba[..., 3:]
    target = np.zeros((side, side, 4), np.float32)
    top, left = (side - rows) // 2, (side - columns) // 2
    for channel in range(4):
        # Each channel as float32: Pillow would round RGBA to bytes.
        small = Image.fromarray(rgba[..., channel]).resize((columns, rows), Image.Resampling.BOX)
        target[top : top + rows, left : left + columns, channel] = np.asarray(small)
    return target.clip(0.0, 1.0)
