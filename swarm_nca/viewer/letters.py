"""The name of each cell's class, as one to three letters on the cell where it is large enough."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pygame import Rect

from swarm_nca.viewer.lettering import SMALL
from swarm_nca.viewer.overlays import Look
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.theme import Color, ink_on

#: The smallest side of a cell that gets letters, at a scale of 1; the share of it that they take.
LEAST, _SHARE = 24, 0.5

#: Views whose cells have the colours of the classes.
VIEWS = ("Classes", "Groups")


@lru_cache(maxsize=32)
def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """The shortest beginning of each name that no other name has, of at most three letters."""
    found = []
    for name in names:
        others = [other.casefold() for other in names if other != name]
        lengths = range(1, min(3, len(name)) + 1)
        unique = [n for n in lengths if not any(o.startswith(name[:n].casefold()) for o in others)]
        found.append(name[: unique[0] if unique else 3])
    return tuple(found)


def letters(paint: Paint, look: Look, place: Rect, visible: Rect) -> None:
    """Paint the class of every visible cell on it; nothing if cells are too small.

    Args:
        place: of the whole picture.
        visible: the part of it that is on the window.
    """
    columns = look.world.picture().shape[1]
    side = place.width / columns
    if side < paint.px(LEAST) or not look.rule.readout.class_names:
        return
    names, palette = short_names(look.rule.readout.names), look.palette
    size = max(float(SMALL), side * _SHARE / paint.scale)
    size = min(size, 30.0)
    before = paint.surface.get_clip()
    paint.surface.set_clip(visible)
    for (row, column), label in zip(
        look.world.position.tolist(), look.decided.tolist(), strict=True
    ):
        middle = (
            round(place.left + (column + 0.5) * side),
            round(place.top + (row + 0.5) * side),
        )
        if label >= 0 and visible.collidepoint(middle):
            color: Color = tuple(palette[label].tolist())
            paint.text(names[label], middle, ink_on(color), size, "center", room=round(side))
    paint.surface.set_clip(before)
