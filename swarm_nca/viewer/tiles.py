"""Tiles: all channels of a world side by side, each below its number and meaning."""

from __future__ import annotations

from pygame import Rect

from swarm_nca.viewer.lettering import SMALL
from swarm_nca.viewer.overlays import Look, tiles
from swarm_nca.viewer.paint import Paint

#: The line above each tile, and the room between two tiles, in pixels at a scale of 1.
_LABEL, _GAP = 16, 8


def tile_places(look: Look, pane: Rect, scale: float) -> list[Rect]:
    """The place of each channel's tile, as large as fits: whole pixels per cell where possible."""
    count, (height, width) = look.rule.channels, look.world.picture().shape
    label, gap = round(_LABEL * scale), round(_GAP * scale)

    def size(columns: int) -> float:
        rows = -(-count // columns)
        across = (pane.width - (columns - 1) * gap) / (columns * width)
        return min(across, ((pane.height - (rows - 1) * gap) / rows - label) / height)

    columns = max(range(1, count + 1), key=lambda columns: (_whole(size(columns)), size(columns)))
    factor, rows = max(_whole(size(columns)), 1 / max(height, width)), -(-count // columns)
    wide, high = max(1, round(width * factor)), max(1, round(height * factor))
    left = pane.left + (pane.width - columns * (wide + gap) + gap) // 2
    top = pane.top + (pane.height - rows * (high + label + gap) + gap) // 2
    return [
        Rect(
            left + number % columns * (wide + gap),
            top + number // columns * (high + label + gap) + label,
            wide,
            high,
        )
        for number in range(count)
    ]


def paint_tiles(paint: Paint, look: Look, pane: Rect) -> Rect:
    """Paint all tiles with their labels; returns the place of all together, labels included."""
    places, sheet = tile_places(look, pane, paint.scale), tiles(look)
    height = len(sheet) // len(places)
    for number, place in enumerate(places):
        paint.pixels(sheet[number * height : (number + 1) * height], place)
        text, middle = label_of(look, number), (place.centerx, place.top - paint.px(_LABEL / 2))
        room = place.width + paint.px(_GAP) - paint.px(2)
        if paint.width(text, SMALL) > room:
            text = f"{number}"
        paint.text(text, middle, paint.theme.quiet, SMALL, "center", room=room)
    whole = places[0].unionall(places[1:])
    above = paint.px(_LABEL)
    return Rect(whole.left, whole.top - above, whole.width, whole.height + above)


def label_of(look: Look, number: int) -> str:
    """A channel's number and meaning."""
    return f"{number} · {look.means(number)}"


def tile_at(look: Look, pane: Rect, point: tuple[int, int], scale: float) -> int | None:
    """The channel whose tile is under a point of a pane that shows tiles."""
    number = Rect(point, (1, 1)).collidelist(tile_places(look, pane, scale))
    return None if number < 0 else number


def _whole(factor: float) -> float:
    return float(int(factor)) if factor >= 1 else factor
