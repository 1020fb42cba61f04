"""Pictures of no class: what a swarm of digits or garments should not answer.

Picture i of a seed does not depend on the other pictures drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from swarm_nca.images.draws import derived_seed
from swarm_nca.images.pictures import SIZE, Grey, Pictures, check_pixels, class_number
from swarm_nca.images.raster import segment_coverage
from swarm_nca.images.strokes import characters, check_drawn, strokes

#: Half the width of scribbled lines, in pixels.
_PEN = 1.3

#: The digits whose mirror image is no digit.
_ONE_WAY = "23457"

#: The characters of `overlays`: no letter from N on, which recipes keep for tests, nor I, a 1.
_OVERLAID = "0123456789ABCDEFGHJKLM"

#: The letters of `halves`: none from N on, nor C and D, whose halves make a 0 of another.
_HALVED = "ABEFGHJKLM"

#: The classes of `mirrored`, of `overlays` and of `halves`.
MIRRORED, OVERLAYS = tuple(f"mirrored {digit}" for digit in _ONE_WAY), ("overlay",)
HALVES = ("half a digit",)

Random = np.random.Generator
Floats = npt.NDArray[np.floating[Any]]


def dot_picture(random: Random, share: float) -> Grey:
    """Single pixels of random grey, [28, 28]; `share` of all pixels have ink."""
    inked = random.random(SIZE) < share
    return np.where(inked, random.uniform(0.2, 1.0, SIZE), 0.0).astype(np.float32)


def cloud_picture(random: Random) -> Grey:
    """Smooth patches, [28, 28]."""
    places = [np.linspace(0.0, 6.0, side) for side in SIZE]
    coarse = random.random((7, 7))
    rows = np.stack([np.interp(places[0], range(7), column) for column in coarse.T], axis=1)
    smooth = np.stack([np.interp(places[1], range(7), row) for row in rows])
    return np.asarray(np.clip(4 * smooth - 2, 0.0, 1.0), np.float32)


def scribble_picture(random: Random) -> Grey:
    """A line of the pen along a smooth random path, [28, 28]."""
    knots = np.cumsum(random.normal(0.0, 4.5, (int(random.integers(4, 8)), 2)), axis=0)
    inner = np.linspace(0.0, len(knots) - 1, 60)
    path = np.stack([_smooth(inner, knots[:, axis]) for axis in (0, 1)], axis=1)
    low, high = path.min(0), path.max(0)
    path = (path - (low + high) / 2) * (20.0 / float((high - low).max())) + 13.5
    grey = np.zeros(SIZE, np.float32)
    rows, columns, coverage = segment_coverage(path, _PEN, SIZE)
    grey[rows, columns] = coverage
    return grey


def invented_picture(random: Random) -> Grey:
    """A character of no script, [28, 28]: two or three short lines, straight or bent."""
    # Knots lie near the places of a grid, and lines often begin where others pass, as in writing.
    lines: list[Floats] = []
    for _ in range(int(random.integers(2, 4))):
        knots = random.integers(0, 3, (int(random.integers(2, 4)), 2)) + random.normal(
            0.0, 0.12, (1, 2)
        )
        if lines and random.random() < 0.6:
            before = lines[int(random.integers(len(lines)))]
            knots[0] = before[int(random.integers(len(before)))]
        inner = np.linspace(0.0, len(knots) - 1, 30)
        path = np.stack([_smooth(inner, knots[:, axis]) for axis in (0, 1)], axis=1)
        lines.append(path if random.random() < 0.7 else knots)
    corners = np.concatenate(lines)
    low, high = corners.min(0), corners.max(0)
    factor = 20.0 / max(float((high - low).max()), 0.5) * np.array([1.0, random.uniform(0.6, 1.0)])
    grey, pen = np.zeros(SIZE, np.float32), random.uniform(0.9, 1.8)
    for line in lines:
        path = (line - (low + high) / 2) * factor + 13.5
        rows, columns, coverage = segment_coverage(path, pen, SIZE)
        grey[rows, columns] = np.maximum(grey[rows, columns], coverage)
    return grey


def blot_picture(random: Random) -> Grey:
    """A filled shape with a smooth outline and shades of grey, [28, 28]."""
    rows, columns = np.indices(SIZE) - 13.5
    around, away = np.arctan2(rows, columns), np.hypot(rows, columns)
    waves, phases = random.normal(0.0, 1.0, 5), random.uniform(0.0, 2 * np.pi, 5)
    outline = 8.5 + sum(
        1.8 * wave / (n + 1) ** 0.5 * np.cos((n + 1) * around + phase)
        for n, (wave, phase) in enumerate(zip(waves, phases, strict=True))
    )
    shade = 0.35 + 0.65 * (0.5 + 0.5 * np.cos(columns * random.uniform(0.05, 0.9) + phases[0]))
    return np.asarray(np.clip(outline - away + 0.5, 0.0, 1.0) * shade, np.float32)


def one_by_one(one: Callable[[Random], Grey], name: str) -> Callable[..., Pictures]:
    """A function that draws pictures `start` to `start + count − 1` of a seed, by their numbers.

    Args:
        one: draws one picture from its own random numbers.
        name: the only class of the pictures.
    """

    def draw(
        count: int, seed: int = 0, *, start: int = 0, label: int | str | None = None
    ) -> Pictures:
        check_pixels(count, *SIZE)
        if label is not None:
            class_number(label, (name,))
        numbers = range(start, start + count)
        grey = [one(np.random.default_rng([seed, number])) for number in numbers]
        return Pictures(np.stack(grey), np.zeros(count, np.int64), (name,))

    return draw


def overlays(
    count: int, seed: int = 0, *, start: int = 0, label: int | str | None = None
) -> Pictures:
    """Two different characters of the pen, digits or letters to M but I, one over the other."""
    check_drawn(count, seed, start)
    if label is not None:
        class_number(label, OVERLAYS)
    lower = upper = ""
    for number in range(start, start + count):
        one, other = np.random.default_rng([seed, number]).random(2)
        first = int(len(_OVERLAID) * one)
        second = first + 1 + int((len(_OVERLAID) - 1) * other)
        lower += _OVERLAID[first]
        upper += _OVERLAID[second % len(_OVERLAID)]
    grey = np.maximum(
        characters(lower, derived_seed(seed, 0), start=start),
        characters(upper, derived_seed(seed, 1), start=start),
    )
    return Pictures(grey, np.zeros(count, np.int64), OVERLAYS)


def mirrored(
    count: int, seed: int = 0, *, start: int = 0, label: int | str | None = None
) -> Pictures:
    """Digits of the pen in the mirror: those whose mirror image is no digit."""
    check_drawn(count, seed, start)
    only = None if label is None else class_number(label, MIRRORED)
    labels = (np.arange(start, start + count) % len(MIRRORED)) if only is None else only
    labels = np.broadcast_to(labels, count).astype(np.int64)
    grey = characters([_ONE_WAY[label] for label in labels], seed, start=start)
    return Pictures(grey[:, :, ::-1], labels, MIRRORED)


def halves(
    count: int, seed: int = 0, *, start: int = 0, label: int | str | None = None
) -> Pictures:
    """Half of a digit of the pen beside half of a letter; which of them is left changes."""
    if label is not None:
        class_number(label, HALVES)
    numbers = np.arange(start, start + count)
    digits = np.asarray(strokes(count, derived_seed(seed, 0), start=start).grey)
    halved = [_HALVED[number // 2 % len(_HALVED)] for number in numbers]
    letters = characters(halved, derived_seed(seed, 1), start=start)
    swapped = (numbers % 2 == 1)[:, None, None]
    left, right = np.where(swapped, letters, digits), np.where(swapped, digits, letters)
    middle = SIZE[1] // 2
    grey = np.concatenate([left[:, :, :middle], right[:, :, middle:]], axis=2)
    return Pictures(grey, np.zeros(count, np.int64), HALVES)


#: The kinds drawn one by one, by the names of their data sets.
SINGLE: Mapping[str, tuple[str, Callable[[Random], Grey]]] = {
    "scribbles": ("scribble", scribble_picture),
    "invented": ("invented character", invented_picture),
    "blots": ("blot", blot_picture),
    "clouds": ("cloud", cloud_picture),
    "dots": ("dots", lambda random: dot_picture(random, random.uniform(0.05, 0.7))),
}


def _smooth(at: Floats, knots: Floats) -> Floats:
    """Values of a Catmull–Rom spline through the knots."""
    padded = np.concatenate([knots[:1], knots, knots[-1:]])
    left = np.minimum(at.astype(int), len(knots) - 2)
    t = at - left
    a, b, c, d = (padded[left + offset] for offset in range(4))
    return np.asarray(
        b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    )
