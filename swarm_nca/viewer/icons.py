"""Icons: a few strokes on a grid of 24 × 24, drawn large and shrunk to be smooth."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

import pygame
from pygame import Surface, draw

from swarm_nca.viewer.theme import Color

_GRID, _FINE = 24, 8
_PEN = int(1.9 * _FINE)

Point = tuple[float, float]


class _Pen:
    """Strokes on the grid, in fine pixels."""

    def __init__(self, color: Color) -> None:
        self.color = color
        self.surface = Surface((_GRID * _FINE, _GRID * _FINE), pygame.SRCALPHA)
        self.surface.fill((*color, 0))

    def fill(self, *points: Point) -> None:
        draw.polygon(self.surface, self.color, [self._at(point) for point in points])

    def line(self, *points: Point) -> None:
        places = [self._at(point) for point in points]
        for start, end in pairwise(places):
            draw.line(self.surface, self.color, start, end, _PEN)
        for place in places:
            draw.circle(self.surface, self.color, place, _PEN / 2)

    def disc(self, center: Point, radius: float, width: float = 0) -> None:
        draw.circle(self.surface, self.color, self._at(center), radius * _FINE, int(width * _FINE))

    def hole(self, center: Point, radius: float) -> None:
        draw.circle(self.surface, (*self.color, 0), self._at(center), radius * _FINE)

    def box(self, corner: Point, size: Point, radius: float = 1, width: float = 0) -> None:
        place = pygame.Rect(*self._at(corner), *self._at(size))
        draw.rect(
            self.surface, self.color, place, int(width * _FINE), border_radius=int(radius * _FINE)
        )

    def arc(self, center: Point, radius: float, start: float, end: float) -> None:
        turns = 40
        way = [
            pygame.Vector2(radius, 0).rotate(start + (end - start) * i / turns)
            for i in range(turns + 1)
        ]
        self.line(*((center[0] + step.x, center[1] + step.y) for step in way))

    def _at(self, point: Point) -> Point:
        return point[0] * _FINE, point[1] * _FINE


def _play(pen: _Pen) -> None:
    pen.fill((7, 4.5), (20, 12), (7, 19.5))


def _pause(pen: _Pen) -> None:
    pen.box((6, 5), (4, 14))
    pen.box((14, 5), (4, 14))


def _step(pen: _Pen) -> None:
    pen.fill((5, 5), (14.5, 12), (5, 19))
    pen.box((16, 5), (3, 14))


def _begin(pen: _Pen) -> None:
    pen.box((5, 5), (3, 14))
    pen.fill((19, 5), (9.5, 12), (19, 19))


def _undo(pen: _Pen) -> None:
    pen.arc((12.5, 14), 6, -150, 60)
    pen.fill((3.4, 12.6), (10.6, 12.9), (6.2, 6.4))


def _redo(pen: _Pen) -> None:
    pen.arc((11.5, 14), 6, -240, -30)
    pen.fill((20.6, 12.6), (13.4, 12.9), (17.8, 6.4))


def _forget(pen: _Pen) -> None:
    pen.disc((12, 12), 7.2, 1.9)
    pen.line((5.2, 18.8), (18.8, 5.2))


def _bin(pen: _Pen) -> None:
    pen.line((5, 7), (19, 7))
    pen.line((9.5, 6.5), (9.5, 4.5), (14.5, 4.5), (14.5, 6.5))
    pen.line((6.5, 8), (7.5, 19.5), (16.5, 19.5), (17.5, 8))
    pen.line((10.5, 11), (10.8, 16))
    pen.line((13.5, 11), (13.2, 16))


def _pencil(pen: _Pen) -> None:
    pen.line((5, 19), (6.2, 14.5), (16, 4.7), (19.3, 8), (9.5, 17.8), (5, 19))
    pen.line((13.6, 7.2), (16.8, 10.4))


def _eraser(pen: _Pen) -> None:
    pen.line((4.5, 14.5), (13.5, 5.5), (19, 11), (11.2, 18.8), (8.6, 18.8), (4.5, 14.5))
    pen.line((9, 10.2), (14.4, 15.6))
    pen.line((11.2, 18.8), (19, 18.8))


def _bolt(pen: _Pen) -> None:
    pen.fill((13.5, 2.5), (5.5, 13.5), (11, 13.5), (9.8, 21.5), (18.5, 9.8), (12.8, 9.8))


def _jolt(pen: _Pen) -> None:
    pen.line((2.8, 12), (6.4, 12), (9.4, 4.8), (14.4, 19.2), (17.4, 12), (21.2, 12))


def _loss(pen: _Pen) -> None:
    pen.disc((4.6, 12), 3.2)
    pen.disc((19.4, 12), 3.2, 1.8)
    pen.line((13.8, 5.2), (10.2, 18.8))


def _chimera(pen: _Pen) -> None:
    pen.box((3.5, 4), (17, 16), 2.5, 1.9)
    pen.line((12, 2.5), (12, 21.5))
    pen.fill((12, 4.5), (19, 4.5), (20, 5.5), (20, 18.5), (19, 19.5), (12, 19.5))


def _inspect(pen: _Pen) -> None:
    pen.disc((10.5, 10.5), 6.2, 1.9)
    pen.line((15.2, 15.2), (20, 20))


def _camera(pen: _Pen) -> None:
    pen.box((3.5, 7), (17, 12), 2, 1.9)
    pen.fill((8.5, 7.5), (10, 4.5), (14, 4.5), (15.5, 7.5))
    pen.disc((12, 13), 3.6, 1.8)


def _record(pen: _Pen) -> None:
    pen.disc((12, 12), 8, 1.9)
    pen.disc((12, 12), 4.2)


def _open(pen: _Pen) -> None:
    pen.line((3.5, 19), (3.5, 5.5), (9, 5.5), (11, 8), (18.5, 8), (18.5, 11))
    pen.line((3.5, 19), (6.8, 11), (21.3, 11), (18.2, 19), (3.5, 19))


def _save(pen: _Pen) -> None:
    pen.line((12, 4), (12, 14))
    pen.line((7.8, 10.2), (12, 14.4), (16.2, 10.2))
    pen.line((4.5, 15), (4.5, 19.5), (19.5, 19.5), (19.5, 15))


def _moon(pen: _Pen) -> None:
    pen.disc((11, 12.5), 8)
    pen.hole((14.8, 9), 7)


def _sun(pen: _Pen) -> None:
    pen.disc((12, 12), 4.2)
    for turn in range(8):
        ray = pygame.Vector2(1, 0).rotate(45 * turn)
        near, far = ray * 7, ray * 9.2
        pen.line((12 + near.x, 12 + near.y), (12 + far.x, 12 + far.y))


def _help(pen: _Pen) -> None:
    pen.arc((12, 8.8), 4.2, 180, 405)
    pen.line((14.9, 11.8), (12, 14.6), (12, 15.6))
    pen.disc((12, 19.6), 1.5)


def _beside(pen: _Pen) -> None:
    pen.box((3, 5), (8, 14), 1.5, 1.9)
    pen.box((13, 5), (8, 14), 1.5)


def _worlds(pen: _Pen) -> None:
    pen.line((8.5, 4), (20, 4), (20, 15.5))
    pen.box((3, 8), (13, 13), 1.5, 1.9)


def _mark_in(pen: _Pen) -> None:
    pen.line((11, 5), (6.5, 5), (6.5, 19), (11, 19))
    pen.fill((11, 9), (17.5, 12), (11, 15))


def _mark_out(pen: _Pen) -> None:
    pen.line((13, 5), (17.5, 5), (17.5, 19), (13, 19))
    pen.fill((13, 9), (6.5, 12), (13, 15))


def _film(pen: _Pen) -> None:
    pen.box((3, 5), (18, 14), 1.5, 1.9)
    for side in (6.2, 15.8):
        for row in range(3):
            pen.box((side, 7.4 + 3.6 * row), (2, 2), 0.4)
    pen.line((10.2, 6), (10.2, 18))
    pen.line((13.8, 6), (13.8, 18))


def _tray(pen: _Pen) -> None:
    for row in range(3):
        for column in range(3):
            pen.box((4 + 5.8 * column, 4 + 5.8 * row), (4.2, 4.2), 1)


def _silent(pen: _Pen) -> None:
    pen.box((3, 9.4), (18, 5.2), 1)


def _frozen(pen: _Pen) -> None:
    for turn in range(3):
        arm = pygame.Vector2(0, 9).rotate(60 * turn)
        for shift in (-0.6, 0.6):  # twice as wide as a stroke of other icons
            side = pygame.Vector2(shift, 0).rotate(60 * turn)
            start, end = side - arm, side + arm
            pen.line((12 + start.x, 12 + start.y), (12 + end.x, 12 + end.y))


def _stuck(pen: _Pen) -> None:
    pen.box((4.5, 4.5), (15, 15), 0.5)


def _lying(pen: _Pen) -> None:
    pen.fill((12, 2.5), (22, 20.5), (2, 20.5))


def _immigrant(pen: _Pen) -> None:
    pen.disc((12, 12), 9, 3.6)


def _several(pen: _Pen) -> None:
    for place in (4, 12, 20):
        pen.disc((place, 12), 3.2)


def _kill(pen: _Pen) -> None:
    pen.line((5.5, 5.5), (18.5, 18.5))
    pen.line((18.5, 5.5), (5.5, 18.5))


def _heal(pen: _Pen) -> None:
    pen.box((9.4, 3.5), (5.2, 17), 0.8)
    pen.box((3.5, 9.4), (17, 5.2), 0.8)


#: Every icon by name.
ICONS: dict[str, Callable[[_Pen], None]] = {
    "play": _play,
    "pause": _pause,
    "step": _step,
    "begin": _begin,
    "undo": _undo,
    "redo": _redo,
    "forget": _forget,
    "clear": _bin,
    "pen": _pencil,
    "eraser": _eraser,
    "damage": _bolt,
    "jolt": _jolt,
    "loss": _loss,
    "chimera": _chimera,
    "inspect": _inspect,
    "screenshot": _camera,
    "record": _record,
    "save": _save,
    "open": _open,
    "dark": _moon,
    "light": _sun,
    "help": _help,
    "fill": _tray,
    "beside": _beside,
    "worlds": _worlds,
    "mark in": _mark_in,
    "mark out": _mark_out,
    "film": _film,
    "silent": _silent,
    "frozen": _frozen,
    "stuck": _stuck,
    "lying": _lying,
    "immigrant": _immigrant,
    "several": _several,
    "kill": _kill,
    "heal": _heal,
}


#: The window's icon: cells of a swarm, most of which agree; names of colours below.
_EMBLEM = ("aab", "aaa", "caa")
_EMBLEM_COLORS: dict[str, Color] = {"a": (99, 184, 181), "b": (243, 207, 173), "c": (126, 52, 206)}


def emblem(side: int) -> Surface:
    """The window's icon, side × side pixels: nine cells, seven of one class."""
    surface = Surface((side, side), pygame.SRCALPHA)
    surface.fill((0, 0, 0, 0))
    draw.rect(surface, (27, 31, 38), surface.get_rect(), border_radius=side // 5)
    margin, gap = side // 8, max(1, side // 24)
    cell = (side - 2 * margin - 2 * gap) // 3
    for row, line in enumerate(_EMBLEM):
        for column, name in enumerate(line):
            corner = (margin + column * (cell + gap), margin + row * (cell + gap))
            place = pygame.Rect(corner, (cell, cell))
            draw.rect(surface, _EMBLEM_COLORS[name], place, border_radius=cell // 5)
    return surface


@lru_cache(maxsize=512)
def icon(name: str, size: int, color: Color) -> Surface:
    """An icon, size × size pixels."""
    pen = _Pen(color)
    ICONS[name](pen)
    return pygame.transform.smoothscale(pen.surface, (size, size))
