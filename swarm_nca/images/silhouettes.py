"""Connected pieces of alive pixels, and the holes in them.

Alive pixels receive messages from eight neighbours, so pieces are 8-connected: no message passes
between two pieces. A hole is a 4-connected piece of dead pixels that does not touch the border;
messages must go around it.

Shapes: B pictures, H rows, W columns.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from swarm_nca.images.pictures import Grey, Pictures

Mask: TypeAlias = npt.NDArray[np.bool_]
Labels: TypeAlias = npt.NDArray[np.int32]
Counts: TypeAlias = npt.NDArray[np.int64]

#: Neighbourhoods of a pixel: four sides, and also the corners.
_SIDES = ndimage.generate_binary_structure(2, 1)
_CORNERS = ndimage.generate_binary_structure(2, 2)


def pieces(pictures: Pictures, alive_above: float) -> Counts:
    """int64 [B], the number of pieces of pixels above a grey."""
    counts = [ndimage.label(grey > alive_above, _CORNERS)[1] for grey in pictures]
    return np.array(counts, np.int64)


def holes(pictures: Pictures, alive_above: float) -> Counts:
    """int64 [B], the number of holes in the pixels above a grey."""
    return np.array([_holes(grey, alive_above)[1] for grey in pictures], np.int64)


def without_holes(pictures: Pictures, alive_above: float) -> Pictures:
    """The same pictures, every hole filled with the mean grey of the alive pixels around it.

    These are the pixels that touch the hole by a side or a corner; their mean is alive too.
    """
    if not len(pictures):
        return pictures
    return replace(pictures, grey=tuple(_filled(grey, alive_above) for grey in pictures))


def _filled(picture: Grey, alive_above: float) -> Grey:
    """[H, W] with its holes filled."""
    labels, count = _holes(picture, alive_above)
    filled = picture.copy()
    for label in range(1, count + 1):
        hole = labels == label
        rim = picture[ndimage.binary_dilation(hole, _CORNERS) & (picture > alive_above)]
        filled[hole] = rim.mean(dtype=np.float64)
    return filled


def _holes(picture: Grey, alive_above: float) -> tuple[Labels, int]:
    """int32 [H, W], the number of each pixel's hole, 0 outside holes; and the number of holes."""
    # With a frame of dead pixels, all dead pixels that touch the border are one piece. The frame's
    # corner is the first pixel, so this piece has number 1, and holes have the numbers from 2.
    labels, count = ndimage.label(np.pad(~(picture > alive_above), 1, constant_values=True), _SIDES)
    return np.maximum(labels[1:-1, 1:-1] - 1, 0), count - 1
