"""Painting on a surface with a theme, a scale and the typeface."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pygame
from pygame import Rect, Surface

from swarm_nca.render import Rgb
from swarm_nca.viewer.icons import icon
from swarm_nca.viewer.lettering import BODY, font, pixels_high, shortened, written
from swarm_nca.viewer.theme import Color, Theme

#: The spacing unit, in pixels at a scale of 1.
UNIT = 8

Align = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Paint:
    """Paints on a surface; sizes are given at a scale of 1."""

    surface: Surface
    theme: Theme
    scale: float

    def px(self, length: float) -> int:
        """A length in pixels of the screen."""
        return round(length * self.scale)

    def text(
        self,
        text: str,
        place: tuple[int, int],
        color: Color | None = None,
        size: float = BODY,
        align: Align = "left",
        strong: bool = False,
        room: int | None = None,
    ) -> int:
        """Paint a line of text, vertically centred on the place; returns its width in pixels."""
        pixels = pixels_high(size, self.scale)
        if room is not None:
            text = shortened(text, pixels, room, strong)
        surface = written(text, pixels, color or self.theme.ink, strong)
        width, height = surface.get_size()
        left = place[0] - {"left": 0, "center": width // 2, "right": width}[align]
        self.surface.blit(surface, (left, place[1] - height // 2))
        return width

    def width(self, text: str, size: float = BODY, strong: bool = False) -> int:
        """The width of a line of text in pixels."""
        return font(pixels_high(size, self.scale), strong).size(text)[0]

    def box(self, place: Rect, color: Color, radius: float = 6, edge: Color | None = None) -> None:
        """A rounded box, with a hairline around it if an edge colour is given."""
        if place.width < 1 or place.height < 1:
            return
        rounded = _rounded(place.size, self.px(radius), color, edge, max(1, self.px(1)))
        self.surface.blit(rounded, place.topleft)

    def filled(self, place: Rect, length: int, color: Color, radius: float = 6) -> None:
        """The left part of a rounded box, `length` pixels long; the whole box is cached."""
        if place.width < 1 or place.height < 1 or length < 1:
            return
        whole = _rounded(place.size, self.px(radius), color, None, 1)
        self.surface.blit(whole, place.topleft, Rect(0, 0, length, place.height))

    def dashes(self, place: Rect, color: Color) -> None:
        """A dashed bar."""
        piece, gap = max(2, self.px(3)), max(1, self.px(1.5))
        for left in range(place.left, place.right, piece + gap):
            self.bar(Rect(left, place.top, min(piece, place.right - left), place.height), color)

    def bar(self, place: Rect, color: Color) -> None:
        """A plain rectangle."""
        pygame.draw.rect(self.surface, color, place)

    def line(self, start: tuple[int, int], end: tuple[int, int], color: Color) -> None:
        """A hairline."""
        pygame.draw.line(self.surface, color, start, end, max(1, self.px(1)))

    def disc(self, center: tuple[int, int], radius: float, color: Color) -> None:
        """A smooth disc."""
        size = 2 * self.px(radius) + 1
        place = Rect(0, 0, size, size)
        place.center = center
        self.surface.blit(_rounded(place.size, size // 2, color, None, 1), place.topleft)

    def icon(self, name: str, center: tuple[int, int], color: Color, size: float = 20) -> None:
        """An icon around a point."""
        drawn = icon(name, self.px(size), color)
        self.surface.blit(drawn, drawn.get_rect(center=center))

    def pixels(self, rgb: Rgb, place: Rect) -> None:
        """An array of pixels scaled to a place: crisp when enlarged, smooth when shrunk."""
        source = pygame.image.frombuffer(
            np.ascontiguousarray(rgb).data, (rgb.shape[1], rgb.shape[0]), "RGB"
        )
        if source.get_width() > place.width:
            source = pygame.transform.smoothscale(source.convert(24), place.size)
        elif source.get_size() != place.size:
            source = pygame.transform.scale(source, place.size)
        self.surface.blit(source, place.topleft)

    def part(self, rgb: Rgb, place: Rect, visible: Rect) -> None:
        """The visible part of an array of pixels scaled to a place."""
        if visible.contains(place):
            self.pixels(rgb, place)
            return
        high, wide = place.height / len(rgb), place.width / rgb.shape[1]
        shown = place.clip(visible)
        first, last = (int((edge - place.top) / high) for edge in (shown.top, shown.bottom - 1))
        left, right = (int((edge - place.left) / wide) for edge in (shown.left, shown.right - 1))
        corner = (place.left + round(left * wide), place.top + round(first * high))
        end = (place.left + round((right + 1) * wide), place.top + round((last + 1) * high))
        before = self.surface.get_clip()
        self.surface.set_clip(shown)
        cut = rgb[first : last + 1, left : right + 1]
        self.pixels(cut, Rect(corner, (end[0] - corner[0], end[1] - corner[1])))
        self.surface.set_clip(before)


def pixels_of(surface: pygame.Surface) -> Rgb:
    """A surface as uint8 [H, W, 3]."""
    width, height = surface.get_size()
    pixels = np.frombuffer(pygame.image.tobytes(surface, "RGB"), np.uint8)
    return pixels.reshape(height, width, 3)


@lru_cache(maxsize=256)
def _rounded(
    size: tuple[int, int], radius: int, color: Color, edge: Color | None, width: int
) -> Surface:
    """A rounded box, drawn four times as large and shrunk for smooth corners."""
    fine = 4
    large = (size[0] * fine, size[1] * fine)
    surface = Surface(large, pygame.SRCALPHA)
    surface.fill((*(edge or color), 0))
    whole = surface.get_rect()
    pygame.draw.rect(surface, edge or color, whole, border_radius=radius * fine)
    if edge is not None:
        inner = whole.inflate(-2 * width * fine, -2 * width * fine)
        pygame.draw.rect(surface, color, inner, border_radius=max(0, radius - width) * fine)
    return pygame.transform.smoothscale(surface, size)
