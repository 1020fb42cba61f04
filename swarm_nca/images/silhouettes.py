"""The shape of what lives in a picture: its pieces, and the holes in it.

Living pixels hear their eight neighbours, so a piece of the living is 8-connected: pieces cannot
hear each other. What separates them is 4-connected, so a hole is a 4-connected piece of the dead
that does not touch the border; messages must go around it.

Every pixel takes the lowest number among itself and its like neighbours, line by line from all four
sides, until nothing changes; many pictures at once.

Shapes: B pictures, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from swarm_nca.images.pictures import Grey, Pictures

Mask: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[np.int32]
Counts: TypeAlias = npt.NDArray[np.int64]

_CHUNK = 512  # pictures worked on together: their numbers stay in the processor's cache


def pieces(pictures: Pictures, alive_above: float) -> Counts:
    """int64 [B], in how many pieces the pixels above a grey lie."""
    return _counted(pictures, lambda grey: _components(grey > alive_above, corners=True))


def holes(pictures: Pictures, alive_above: float) -> Counts:
    """int64 [B], how many holes the pixels above a grey leave open among them."""
    return _counted(pictures, lambda grey: _components(_enclosed(grey, alive_above)))


def without_holes(pictures: Pictures, alive_above: float) -> Pictures:
    """The same pictures, every hole filled with the mean grey of the living pixels around it.

    Around it are those that touch it by a side or a corner; their mean lives, as they do.
    """
    grey: list[Grey] = []
    for block in _blocks(pictures):
        numbered = _components(_enclosed(block, alive_above))
        grey += map(_filled, block, numbered, [alive_above] * len(block))
    return replace(pictures, grey=tuple(grey)) if grey else pictures


def _filled(picture: Grey, number: Numbers, alive_above: float) -> Grey:
    """[H, W] with the holes of these numbers [H, W] filled."""
    height, width = picture.shape
    filled = picture.copy()
    for hole in np.unique(number[number >= 0]):
        inside = np.pad(number == hole, 1)
        near = np.zeros(picture.shape, bool)
        for down in range(3):
            for right in range(3):
                near |= inside[down : down + height, right : right + width]
        rim = picture[near & (picture > alive_above)]
        filled[number == hole] = rim.mean(dtype=np.float64)
    return filled


def _enclosed(grey: Grey, alive_above: float) -> Mask:
    """bool [B, H, W], the dead pixels from which no way leads to the border."""
    # With a frame around, whatever touches the border is one piece, and pixel 0 belongs to it.
    dead = np.pad(~(grey > alive_above), ((0, 0), (1, 1), (1, 1)), constant_values=True)
    return np.asarray(_components(dead) > 0)[:, 1:-1, 1:-1]


def _components(mask: Mask, corners: bool = False) -> Numbers:
    """int32 [B, H, W], the number of the first pixel of each pixel's piece; −1 off the mask.

    Pixels of a picture are numbered row by row; `corners` join, too.
    """
    height, width = mask.shape[1:]
    nobody, place = height * width, np.arange(height * width, dtype=np.int32)
    inside = np.ascontiguousarray(np.moveaxis(mask, 0, -1))  # [H, W, B]: long rows of pictures
    number = np.where(inside, place.reshape(height, width, 1), nobody).astype(np.int32)
    wall = np.where(inside, np.int32(0), np.int32(nobody))
    while True:
        before = number.copy()
        for axis in (0, 1):
            lines, walls = np.moveaxis(number, axis, 0), np.moveaxis(wall, axis, 0)
            for order in (slice(None), slice(None, None, -1)):
                _sweep(lines[order], walls[order], corners)
        if np.array_equal(number, before):
            return np.moveaxis(np.where(inside, number, -1), -1, 0)


def _sweep(lines: Numbers, walls: Numbers, corners: bool) -> None:
    """Every line of pixels takes the lower numbers of the line before it, in place."""
    for before, line, wall in zip(lines, lines[1:], walls[1:], strict=False):
        np.minimum(line, before, out=line)
        if corners:
            np.minimum(line[1:], before[:-1], out=line[1:])
            np.minimum(line[:-1], before[1:], out=line[:-1])
        np.maximum(line, wall, out=line)


def _counted(pictures: Pictures, numbered: Callable[[Grey], Numbers]) -> Counts:
    """int64 [B], how many pieces each picture has: every one has one first pixel."""
    counts = [np.zeros(0, np.int64)]
    for block in _blocks(pictures):
        number = numbered(block).reshape(len(block), -1)
        counts.append((number == np.arange(number.shape[1])).sum(axis=1))
    return np.concatenate(counts)


def _blocks(pictures: Pictures) -> Iterator[Grey]:
    """Pictures of one size [b, H, W], in order."""
    if isinstance(pictures.grey, tuple):
        yield from (grey[None] for grey in pictures.grey)
    else:
        yield from (pictures.grey[i : i + _CHUNK] for i in range(0, len(pictures), _CHUNK))
