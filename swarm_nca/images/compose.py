"""New shapes composed of given pictures, to test a rule on shapes outside its training set.

Halves of two digits in one picture, digits joined in a row, a digit scaled, rotated, shifted or
with thicker strokes. (The chimeras are those of Randazzo et al., Self-classifying MNIST Digits,
Distill 2020.) Every function takes grey pictures [H, W] in [0, 1] and returns one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, hypot

import numpy as np
import numpy.typing as npt
from PIL import Image

from swarm_nca.images.files import resized
from swarm_nca.images.pictures import Grey, on_canvas
from swarm_nca.images.raster import segment_coverage

_LINE_RADIUS = 1.3
"""Radius in pixels of the line that joins a row: about that of MNIST's pen."""


def chimera(a: Grey, b: Grey) -> Grey:
    """The left half of one picture and the right half of another, side by side."""
    size = max(a.shape[0], b.shape[0]), max(a.shape[1], b.shape[1])
    left, right = on_canvas(a, *size), on_canvas(b, *size)
    middle = size[1] // 2
    return np.concatenate([left[:, :middle], right[:, middle:]], axis=1)


def row(pictures: Sequence[Grey], join: bool = False) -> Grey:
    """Pictures side by side, [max H, sum of W]; `join` draws a line from each to the next.

    Raises ValueError for no pictures, and for joining a picture without ink.
    """
    if not pictures:
        raise ValueError("a row needs at least one picture, got none")
    if join and not all(picture.any() for picture in pictures):
        raise ValueError("a picture without ink cannot be joined to others: leave join out")
    height = max(picture.shape[0] for picture in pictures)
    level = [on_canvas(picture, height, picture.shape[1]) for picture in pictures]
    whole = np.concatenate(level, axis=1)
    if join:
        right_edge = 0
        for left, right in pairwise(level):
            right_edge += left.shape[1]
            line = _bridge(left, right) + np.array([0, right_edge])
            rows, columns, coverage = segment_coverage(line, _LINE_RADIUS, whole.shape)
            whole[rows, columns] = np.maximum(whole[rows, columns], coverage)
    return whole


def scale(grey: Grey, factor: float) -> Grey:
    """The picture and its canvas, `factor` times as large."""
    if not 0 < factor < float("inf"):
        raise ValueError(f"a scale is a number above 0, got {factor}")
    return resized(grey, (round(grey.shape[0] * factor), round(grey.shape[1] * factor)))


def rotate(grey: Grey, degrees: float) -> Grey:
    """The picture rotated anticlockwise about its middle; the canvas grows only to keep all ink."""
    if degrees % 360 == 0:
        return grey
    image = Image.fromarray(np.ascontiguousarray(grey, np.float32))
    turned = image.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    return _trimmed(np.clip(np.asarray(turned, np.float32), 0.0, 1.0), grey.shape)


def shift(grey: Grey, by: tuple[float, float]) -> Grey:
    """The picture moved by (rows down, columns right), also by fractions; ink outside is lost."""
    for axis, distance in enumerate(by):
        whole = floor(distance)
        part = np.float32(distance - whole)
        grey = (1 - part) * _moved(grey, whole, axis) + part * _moved(grey, whole + 1, axis)
    return grey


def thickness(grey: Grey, change: float) -> Grey:
    """Strokes wider (thinner below 0) by about `change` pixels, without changing the canvas.

    A grey dilation by a disc whose rim fades over one pixel, so that fractions of a pixel have an
    effect; an erosion is the dilation of the background.
    """
    if change < 0:
        return np.float32(1) - _dilated(np.float32(1) - grey, -change / 2, outside=1.0)
    return _dilated(grey, change / 2, outside=0.0)


def _dilated(grey: Grey, radius: float, outside: float) -> Grey:
    reach = ceil(radius)
    padded = np.pad(grey, reach, constant_values=outside)
    height, width = grey.shape
    largest = grey.copy()
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            weight = np.float32(min(1.0, radius + 1 - hypot(down, right)))
            if weight > 0:
                top, left = reach + down, reach + right
                near = padded[top : top + height, left : left + width]
                np.maximum(largest, weight * near, out=largest)
    return largest


def _moved(grey: Grey, distance: int, axis: int) -> Grey:
    length = grey.shape[axis]
    if distance == 0:
        return grey
    moved = np.zeros_like(grey)
    if abs(distance) < length:
        kept = slice(max(0, -distance), length - max(0, distance))
        new = slice(max(0, distance), length - max(0, -distance))
        before = (slice(None),) * axis
        moved[(*before, new)] = grey[(*before, kept)]
    return moved


def _trimmed(grey: Grey, size: tuple[int, ...]) -> Grey:
    """Remove the empty frame beyond `size`, equally at opposite sides."""
    for axis, wanted in enumerate(size):
        inked = np.flatnonzero(grey.max(axis=1 - axis) > 0)
        length = grey.shape[axis]
        free = min(inked[0], length - 1 - inked[-1]) if inked.size else length
        cut = min(int(free), max(0, (length - wanted) // 2))
        grey = grey.take(range(cut, length - cut), axis)
    return grey


def _bridge(left: Grey, right: Grey) -> npt.NDArray[np.int64]:
    """The shortest line [2, 2] between the ink of two adjacent pictures [H, W].

    Ends are (row, column); the column is counted from the common edge.
    """
    ends = []
    for picture, step in ((left, -1), (right, 1)):
        ink = picture[:, ::step] > 0.5 * picture.max()
        rows = np.flatnonzero(ink.any(axis=1))
        ends.append((rows, ink.argmax(axis=1)[rows]))  # inked rows, and empty pixels before them
    (left_rows, left_gaps), (right_rows, right_gaps) = ends
    length = np.hypot(left_rows[:, None] - right_rows, left_gaps[:, None] + right_gaps + 1)
    i, j = np.unravel_index(length.argmin(), length.shape)
    return np.array([[left_rows[i], -1 - left_gaps[i]], [right_rows[j], right_gaps[j]]])
