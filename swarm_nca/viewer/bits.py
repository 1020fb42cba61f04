"""Rules and messages in bits, shown as bits: one square for each weight, and for each channel."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from pygame import Rect

from swarm_nca.rules import FILTERS, Quantized, Rule, size_of
from swarm_nca.viewer.lettering import SMALL
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.panels import heading
from swarm_nca.viewer.theme import Theme

Shares = npt.NDArray[np.float32]

#: The tooltip of a rule's bits.
TIP = (
    "The quantized weights of the rule as its file holds them: one square each, closer to the "
    "colour of text for higher values. Columns are inputs, rows are units: first the perception "
    "layer, then the other layers, then further planes while there is room"
)


@lru_cache(maxsize=4)
def weights_of(rule: Rule) -> tuple[Shares, ...]:
    """A picture [units, inputs] of each layer of a rule in bits, plane by plane; else none.

    Values are the weights' codes as shares of the highest code of their filters.
    """
    if not isinstance(rule, Quantized):
        return ()
    layers = [
        rule.codes(name).transpose(1, 2).numpy().astype(np.float32)
        / (FILTERS[kind].codes_in_use - 1)
        for name, kind in zip(rule.names, rule.filters, strict=True)
        if kind != "float"
    ]
    planes = max((len(layer) for layer in layers), default=0)
    return tuple(layer[plane] for plane in range(planes) for layer in layers if plane < len(layer))


def rule_in_bits(paint: Paint, place: Rect, rule: Rule) -> None:
    """Paint a panel with the weights of a rule in bits."""
    top = heading(paint, place, "The rule in bits", f"{_bytes_of(rule):,} bytes")
    line = "Inspect a cell to see its state and messages."
    paint.text(line, (place.left, top + paint.px(7)), paint.theme.quiet, SMALL, room=place.width)
    room = Rect(place.left, top + paint.px(20), place.width, 0)
    room.height = place.bottom - room.top
    for picture, where in placed(weights_of(rule), room, max(1, round(paint.scale))):
        paint.pixels(shaded(picture, paint.theme), where)


@lru_cache(maxsize=4)
def _bytes_of(rule: Rule) -> int:
    """Bytes of a rule's file; kept, because every frame writes them."""
    return size_of(rule.memory())


def placed(pictures: tuple[Shares, ...], room: Rect, pixel: int) -> list[tuple[Shares, Rect]]:
    """Pictures in rows from left to right, and the places of their squares of `pixel` pixels.

    What exceeds the room is cut off.
    """
    found, left, top, below, gap = [], room.left, room.top, room.top, 4 * pixel
    for picture in pictures:
        if left > room.left and left + picture.shape[1] * pixel > room.right:
            left, top = room.left, below + gap
        rows = min(len(picture), (room.bottom - top) // pixel)
        columns = min(picture.shape[1], (room.right - left) // pixel)
        if rows < 1 or columns < 1:
            break
        where = Rect(left, top, columns * pixel, rows * pixel)
        found.append((picture[:rows, :columns], where))
        left, below = where.right + gap, max(below, where.bottom)
    return found


def shaded(shares: Shares, theme: Theme) -> npt.NDArray[np.uint8]:
    """uint8 [..., 3]: shares from the colour of the paper to that of ink."""
    low, high = np.array(theme.track, np.float32), np.array(theme.ink, np.float32)
    return (low + (high - low) * shares[..., None]).round().astype(np.uint8)


def squares(place: Rect, count: int) -> list[Rect]:
    """The places of the channels of a message of one bit each, row by row."""
    side = math.ceil(math.sqrt(count))
    size = max(2, place.width // side)
    return [
        Rect(place.left + n % side * size, place.top + n // side * size, size - 1, size - 1)
        for n in range(count)
    ]


def nearest(places: list[Rect], point: tuple[int, int]) -> int:
    """The number of the place whose centre is nearest to a point."""
    away = [math.dist(place.center, point) for place in places]
    return away.index(min(away))


def message_in_bits(paint: Paint, place: Rect, message: Shares) -> None:
    """Paint a message of one bit for each channel: ink for the higher value, nothing for zeros."""
    for square, value in zip(squares(place, len(message)), message.tolist(), strict=True):
        if value:
            paint.bar(square, paint.theme.ink if value > 0 else paint.theme.track)
