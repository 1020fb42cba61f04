"""Marks of faulty cells and of cells that obey another rule, where cells are large enough.

A mark is an icon in ink on a small square of paper: forms and lightness tell marks apart, not
colours. A world without faults and without guests costs nothing.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pygame
from pygame import Rect, Surface

from swarm_nca.viewer import letters
from swarm_nca.viewer.icons import icon
from swarm_nca.viewer.overlays import Look
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.theme import Theme
from swarm_nca.world.faults import FAULT, Fault
from swarm_nca.world.fields import RULE

#: The smallest side of a cell that gets a mark, at a scale of 1.
LEAST = 10

#: The share of a cell's side that the mark takes, and where the cell also has a letter.
_SHARE, _BESIDE = 0.7, 0.38

#: Each fault's name, which is also the name of its icon.
NAMES = {
    Fault.SILENT: "silent",
    Fault.FROZEN: "frozen",
    Fault.STUCK: "stuck",
    Fault.LYING: "lying",
}

#: The icons of a cell that obeys a guest, and of several marks that are too small to tell apart.
_GUEST, _SEVERAL = "immigrant", "several"

#: The smallest side of an icon in pixels.
_ICON = 7


def faults_named(look: Look, row: int) -> tuple[str, ...]:
    """What is unusual about the cell at a row: `silent`, `obeys guest 1`."""
    fields = look.world.cell_fields
    flags = int(fields[FAULT][row]) if FAULT in fields else 0
    guest = int(fields[RULE][row]) if RULE in fields else 0
    named = tuple(name for fault, name in NAMES.items() if flags & fault)
    return (*named, f"obeys guest {guest}") if guest else named


def marks(paint: Paint, look: Look, place: Rect, visible: Rect) -> None:
    """Paint a mark on every visible cell with a fault or another rule.

    Args:
        place: of the whole picture.
        visible: the part of it that is on the window.
    """
    fields = look.world.cell_fields
    side = place.width / look.world.picture().shape[1]
    if (FAULT not in fields and RULE not in fields) or side < paint.px(LEAST):
        return
    nothing = np.zeros(look.world.cells, np.int64)
    flags = fields[FAULT].numpy() if FAULT in fields else nothing
    guests = fields[RULE].numpy() > 0 if RULE in fields else nothing > 0
    rows = np.flatnonzero((flags > 0) | guests)
    corners = look.world.position.numpy()[rows].astype(np.float64) * side
    corners += (place.top, place.left)
    inside = (corners + side > visible.topleft[::-1]) & (corners < visible.bottomright[::-1])
    seen = inside.all(axis=1)
    lettered = side >= paint.px(letters.LEAST) and bool(look.rule.readout.class_names)
    size = round(side * (_BESIDE if lettered else _SHARE))
    # Beside a letter the mark is in the upper right corner, else in the middle.
    right, down = (side - size, 0.0) if lettered else ((side - size) / 2, (side - size) / 2)
    before = paint.surface.get_clip()
    paint.surface.set_clip(visible)
    for row, (top, left) in zip(rows[seen].tolist(), corners[seen].tolist(), strict=True):
        mark = _mark(int(flags[row]), bool(guests[row]), size, paint.theme)
        paint.surface.blit(mark, (round(left + right), round(top + down)))
    paint.surface.set_clip(before)


@lru_cache(maxsize=256)
def _mark(flags: int, guest: bool, size: int, theme: Theme) -> Surface:
    """One mark, size × size pixels; several icons share its square if they have room."""
    names = [name for fault, name in NAMES.items() if flags & fault] + [_GUEST] * guest
    surface = Surface((size, size), pygame.SRCALPHA)
    pygame.draw.rect(surface, theme.paper, surface.get_rect(), border_radius=size // 5)
    across = 1 if len(names) == 1 else 2 if len(names) <= 4 else 3
    part = round(size * 0.92) // across
    if across > 1 and part < _ICON:
        names, across, part = [_SEVERAL], 1, round(size * 0.92)
    rows = -(-len(names) // across)
    for number, name in enumerate(names):
        row, column = divmod(number, across)
        corner = (size - across * part) // 2 + column * part, (size - rows * part) // 2 + row * part
        place = Rect(corner, (part, part))
        drawn = icon(name, max(1, part - (across > 1)), theme.ink)
        surface.blit(drawn, drawn.get_rect(center=place.center))
    return surface
