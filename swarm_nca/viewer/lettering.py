"""Text: the typeface of the figures, in three sizes."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import pygame

from swarm_nca.viewer.theme import Color

#: Sizes in pixels at a scale of 1, and the minimum height of a letter in pixels.
SMALL, BODY, LARGE = 12, 13, 17
_LEAST = 6


def pixels_high(size: float, scale: float) -> int:
    """A size of the type scale in pixels of the screen."""
    return max(_LEAST, round(size * scale))


@lru_cache(maxsize=32)
def font(size: int, strong: bool = False) -> pygame.font.Font:
    """The typeface at a size in pixels; pygame's default if the figures' cannot be found."""
    if not pygame.font.get_init():
        pygame.font.init()
    return pygame.font.Font(_face("DejaVuSans-Bold.ttf" if strong else "DejaVuSans.ttf"), size)


@lru_cache(maxsize=512)
def written(text: str, size: int, color: Color, strong: bool = False) -> pygame.Surface:
    """A line of text."""
    return font(size, strong).render(text, True, color)


def shortened(text: str, size: int, room: int, strong: bool = False) -> str:
    """The text, cut with an ellipsis if it is longer than the room."""
    face = font(size, strong)
    if face.size(text)[0] <= room:
        return text
    while text and face.size(text + "…")[0] > room:
        text = text[:-1]
    return text.rstrip() + "…"


def wrapped(text: str, size: int, room: int) -> list[str]:
    """The text in lines no longer than the room, except for single long words."""
    face, lines, line = font(size), [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and face.size(longer)[0] > room:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def _face(file: str) -> str | None:
    spec = find_spec("matplotlib")  # found, not loaded
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / file
    return str(path) if path.is_file() else None
