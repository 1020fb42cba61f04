"""Pictures of handwritten digits and letters without a download, similar to MNIST.

A character is scaled to fit MNIST's 20×20 box with its aspect kept, placed with its centre of mass
in the middle of 28×28, and drawn by a round pen with a soft rim. Picture i is a pure function of
the seed, i and the settings (the counter-based generator Philox starts at position i), so the set
is endless and any range can be drawn by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from swarm_nca.images.curves import SEGMENTS, Glyph, Points, glyph_ways
from swarm_nca.images.draws import numbered_draws
from swarm_nca.images.glyphs import DIGITS, GLYPHS, LETTERS
from swarm_nca.images.handwriting import DRAWS, Floats, Hand, placed, written
from swarm_nca.images.pictures import Grey, Pictures, check_pixels, class_number
from swarm_nca.images.raster import render_segments

Alphabet: TypeAlias = Literal["digits", "letters", "all"]

ALPHABETS: Mapping[str, tuple[str, ...]] = {
    "digits": tuple(DIGITS),
    "letters": tuple(LETTERS),
    "all": tuple(GLYPHS),
}
"""The classes of each alphabet, in the order of their labels."""

INK_SOFTNESS = 1.1
"""Width of the pen's soft rim, in pixels, as in MNIST's scans."""

_CHUNK = 256  # pictures drawn together: their windows fit into the processor's cache


def strokes(
    count: int,
    seed: int = 0,
    *,
    start: int = 0,
    classes: Alphabet = "digits",
    label: int | str | None = None,
    size: int = 28,
    box: float | None = None,
    hand: Hand | None = None,
) -> Pictures:
    """`count` handwritten characters: numbers `start` to `start + count − 1` of the seed.

    `classes`: the alphabet, with equal chances. `label`: only this character, by its number in
    the alphabet or its name. `size`: pictures are [size, size]. `box`: side of the square around
    the character, by default 20/28 of the size. `hand`: the variation.
    Raises ValueError for a count below 1 or too large, and an unknown alphabet or label.
    """
    if classes not in ALPHABETS:
        raise ValueError(f"strokes are of {', '.join(ALPHABETS)}, got {classes!r}")
    check_drawn(count, seed, start, size)
    names = ALPHABETS[classes]
    labels = None if label is None else np.full(count, class_number(label, names))
    box = size * 20 / 28 if box is None else box
    return _drawn(count, seed, start, names, labels, size, box, hand or Hand())


def characters(text: Sequence[str], seed: int = 0, *, start: int = 0) -> Grey:
    """[n, 28, 28], n given digits and capital letters: the numbers from `start` on of the seed."""
    names = ALPHABETS["all"]
    labels = np.array([names.index(character) for character in text], np.int64)
    return np.asarray(_drawn(len(text), seed, start, names, labels, 28, 20.0, Hand()).grey)


def check_drawn(count: int, seed: int, start: int, size: int = 28) -> None:
    """Raise a ValueError unless these pictures, `size` wide, can be drawn."""
    if count < 1:
        raise ValueError(f"a count of strokes is at least 1, got {count}")
    if seed < 0 or start < 0:
        raise ValueError(f"seed and start are at least 0, got seed {seed} and start {start}")
    check_pixels(count, size, size)


def _drawn(
    count: int,
    seed: int,
    start: int,
    names: tuple[str, ...],
    chosen: npt.NDArray[np.int64] | None,
    size: int,
    box: float,
    hand: Hand,
) -> Pictures:
    """Characters of the alphabet `names`, by their numbers [count]; random ones when None."""
    grey = np.empty((count, size, size), np.float32)
    labels = np.empty(count, np.int64)
    for first in range(0, count, _CHUNK):
        rows = slice(first, min(first + _CHUNK, count))
        draws = numbered_draws(seed, start + first, rows.stop - first, 1 + DRAWS)
        labels[rows] = draws[:, 0] * len(names) if chosen is None else chosen[rows]
        path = written(draws[:, 1:], labels[rows], names, hand, size, box)
        grey[rows] = render_segments(
            path.starts, path.ends, path.radius, (size, size), INK_SOFTNESS
        )
    return Pictures(grey, labels, names)


def draw_glyph(
    character: str,
    size: int = 28,
    box: float = 20,
    thickness: float = 2.6,
    slant: float = 0.0,
    way: int = 0,
) -> Grey:
    """One character [size, size] without variation; `way`: the number of the way of writing."""
    starts, ends = _clean(_way(character, way), size, box, thickness, slant)
    radius = np.full((1, SEGMENTS), thickness / 2, np.float32)
    whole = render_segments(starts, ends, radius, (size, size), INK_SOFTNESS)
    return np.asarray(whole[0], np.float32)


def glyph_strokes(
    character: str,
    size: int = 28,
    box: float = 20,
    thickness: float = 2.6,
    slant: float = 0.0,
    way: int = 0,
) -> list[Points]:
    """The pen strokes of `draw_glyph` in the order of writing, each [n, 2] (row, column)."""
    glyph = _way(character, way)
    starts, ends = _clean(glyph, size, box, thickness, slant)
    return [
        np.concatenate([starts[0, steps], ends[0, steps][-1:]]).astype(np.float64)
        for steps in glyph.strokes
    ]


def _way(character: str, way: int) -> Glyph:
    ways = glyph_ways(character)
    if not 0 <= way < len(ways):
        raise ValueError(f"{character!r} has the ways 0–{len(ways) - 1}, got {way}")
    return ways[way]


def _clean(
    glyph: Glyph, size: int, box: float, thickness: float, slant: float
) -> tuple[Floats, Floats]:
    lean = np.array([[1.0, -slant], [0.0, 1.0]])
    starts = (glyph.starts @ glyph.control @ lean)[None].astype(np.float32)
    ends = (glyph.ends @ glyph.control @ lean)[None].astype(np.float32)
    return placed(starts, ends, np.array([thickness], np.float32), size, box)
