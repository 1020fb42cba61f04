"""The storyboard: a user's first session in the viewer, by mouse only, in six pictures.

All pictures are real: mouse events go in, and the window's pictures come out. To make them again
after a change of the rule or of the viewer's looks:

    python -m tests.viewer.story assets
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pygame
import torch
from pygame import Rect, Surface
from pygame.event import Event

from swarm_nca.atomic import write_atomically
from swarm_nca.images import glyph_strokes
from swarm_nca.render import Rgb, png
from swarm_nca.viewer.app import App
from swarm_nca.viewer.headless import frame
from swarm_nca.viewer.layout import layout_of
from swarm_nca.viewer.paint import Paint, pixels_of
from swarm_nca.viewer.session_config import from_rule
from swarm_nca.viewer.theme import LIGHT
from swarm_nca.viewer.widgets import Point

#: The whole picture in pixels: two columns, at twice the resolution of a page of 900 pixels.
_WIDE, _MARGIN, _CAPTION, _COLUMNS = 1800, 40, 96, 2

#: The window's size in the storyboard, and in the picture of the whole window.
_WINDOW, _WHOLE = (1160, 720), (1280, 720)


class Scene(NamedTuple):
    """A moment of the session: the window, the part to show, and the caption."""

    window: Rgb
    part: Rect
    title: str
    words: str


class Visitor:
    """A user with a mouse, who finds controls by their tooltips."""

    def __init__(self, app: App) -> None:
        self.app = app

    def place(self, row: float, column: float, pane: int = 0) -> Point:
        """The place on the window of a pixel of the canvas."""
        canvas, (rows, columns) = self.app.canvases[pane], self.app.extent
        across = canvas.left + (column + 0.5) / columns * canvas.width
        return round(across), round(canvas.top + (row + 0.5) / rows * canvas.height)

    def control(self, tip: str) -> Point:
        """The place of the control whose tooltip starts with `tip`.

        Raises:
            ValueError: no such control.
        """
        for widget in self.app.widgets:
            if widget.tip.startswith(tip):
                return widget.place.center
        raise ValueError(f"no control has the tooltip {tip!r}")

    def move(self, place: Point) -> None:
        """Move the pointer."""
        self.app.handle(Event(pygame.MOUSEMOTION, pos=place, rel=(0, 0), buttons=(0, 0, 0)))

    def press(self, place: Point) -> None:
        """Move the pointer and press the button."""
        self.move(place)
        self.app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=place, button=1))

    def release(self) -> None:
        """Release the button."""
        self.app.handle(Event(pygame.MOUSEBUTTONUP, pos=self.app.pointer, button=1))

    def click(self, place: Point) -> None:
        """Move the pointer and click."""
        self.press(place)
        self.release()

    def press_button(self, tip: str) -> None:
        """Click a control, then move the pointer away."""
        self.click(self.control(tip))
        self.move((0, 0))

    def draw(self, line: Sequence[Point]) -> None:
        """Draw a line, one step per point; the button stays down."""
        self.press(line[0])
        for place in line[1:]:
            self.move(place)
            self.wait(1)

    def wait(self, steps: int) -> None:
        """Wait for so many steps while playing, with one picture of the window per step."""
        for _ in range(steps):
            self.app.tick(1 / self.app.SPEEDS[self.app.speed])


def visit(app: App) -> Iterator[Scene]:
    """The six moments, in order, of a new session on a digit."""
    visitor, layout, session = Visitor(app), app.layout, app.session
    both = Rect(layout.views.left, layout.left.top, layout.stage.width, layout.left.height)
    left, right = both.union(layout.left), both.union(layout.right)
    visitor.wait(60)
    visitor.press_button("Clear the canvas")
    # The first picture shows an unfinished stroke.
    *lines, last = _strokes(visitor, "4")
    for line in lines:
        visitor.draw(line)
        visitor.release()
    visitor.draw(last[: len(last) * 2 // 3])
    yield Scene(frame(app), left, "Draw", "Every pixel under the pen becomes an agent.")
    for place in last[len(last) * 2 // 3 :]:
        visitor.move(place)
        visitor.wait(1)
    visitor.release()
    visitor.move((0, 0))
    visitor.wait(90)
    words = "By local messages alone the cells agree on a class."
    yield Scene(frame(app), right, "Recognise", words)
    visitor.press_button("Change the picture to 2")
    visitor.wait(9)
    words = "The picture becomes a 2; the cells change their class."
    yield Scene(frame(app), left, "Change the picture", words)
    visitor.wait(80)
    visitor.press_button("Inspect")
    visitor.click(visitor.place(*_inner_cell(app)))
    visitor.move((0, 0))
    visitor.wait(40)
    words = "One cell's messages, state and stimulus."
    yield Scene(frame(app), right, "Inspect", words)
    visitor.press_button("Damage")
    damaged = session.step
    visitor.draw([visitor.place(row, 15.0) for row in (9, 11, 13, 15)])
    visitor.release()
    visitor.wait(70)
    bar = app.timebar
    visitor.click((bar.x(damaged + 5), bar.place.centery))
    visitor.move((0, 0))
    words = "Damage heals in a few dozen steps; the time bar goes back to it."
    yield Scene(frame(app), right, "Damage and rewind", words)
    visitor.press_button("Inspect")
    visitor.click(visitor.place(14.0, -2.0))
    visitor.press_button("Second rule")
    while session.lag:  # until the second rule has caught up
        visitor.wait(1)
    visitor.press_button("Play or pause")
    visitor.wait(120)
    visitor.press_button("Change the picture to 8")
    visitor.wait(8)
    words = "Two rules run on the same drawing."
    yield Scene(frame(app), both, "Compare two rules", words)


def _strokes(visitor: Visitor, name: str) -> list[list[Point]]:
    """The strokes of a character, in places on the window."""
    lines = glyph_strokes(name)
    return [
        [visitor.place(*at) for at in [*line[::4].tolist(), line[-1].tolist()]] for line in lines
    ]


def _inner_cell(app: App) -> tuple[int, int]:
    """(row, column) of the middle one of the cells with the most neighbours."""
    world = app.session.world
    heard = (world.neighbors < world.cells).sum(1)
    most = torch.nonzero(heard == heard.max())[:, 0]
    row, column = world.position[most[len(most) // 2]].tolist()
    return int(row), int(column)


def composed(scenes: Sequence[Scene]) -> Rgb:
    """All scenes in two columns, each with its caption below."""
    wide = (_WIDE - _MARGIN * (_COLUMNS + 1)) // _COLUMNS
    most, tall = (max(scene.part.size[side] for scene in scenes) for side in (0, 1))
    high = wide * tall // most
    rows = -(-len(scenes) // _COLUMNS)
    surface = Surface((_WIDE, _MARGIN + rows * (high + _CAPTION)))
    surface.fill(LIGHT.paper)
    paint = Paint(surface, LIGHT, 2.0)
    for number, scene in enumerate(scenes):
        row, column = divmod(number, _COLUMNS)
        corner = (_MARGIN + column * (wide + _MARGIN), _MARGIN + row * (high + _CAPTION))
        place = Rect(corner, (wide, high))
        paint.box(place.inflate(4, 4), LIGHT.line, 0)
        paint.pixels(_cut(scene, most), place)
        y = place.bottom + 32
        x = place.left + paint.text(f"{number + 1}", (place.left, y), LIGHT.accent, 14, strong=True)
        x += 14
        x += paint.text(scene.title, (x, y), LIGHT.ink, 14, strong=True)
        paint.text(scene.words, (place.left, y + 32), LIGHT.quiet, 12, room=wide)
    return pixels_of(surface)


def _cut(scene: Scene, wide: int) -> Rgb:
    """The scene's part of the window, padded with background to `wide` pixels."""
    part = scene.part
    cut = np.empty((part.height, wide, 3), np.uint8)
    cut[:] = LIGHT.desk
    spare = wide - part.width
    at_the_right = part.right == scene.window.shape[1]
    start = 0 if part.left == 0 else spare if at_the_right else spare // 2
    cut[:, start : start + part.width] = scene.window[
        part.top : part.bottom, part.left : part.right
    ]
    return cut


def write_story(folder: Path, rule: str = "digits") -> None:
    """Write `viewer-story.png`, and `viewer.png`, the window of the fourth scene.

    Raises:
        ValueError: no such rule, or no such folder.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    torch.set_num_threads(1)
    app, scenes = App(from_rule(rule), _WINDOW), []
    for scene in visit(app):
        scenes.append(scene)
        if len(scenes) == 4:
            app.arrange(layout_of(_WHOLE))
            write_atomically(folder / "viewer.png", png(frame(app)))
            app.arrange(layout_of(_WINDOW))
    write_atomically(folder / "viewer-story.png", png(composed(scenes)))


if __name__ == "__main__":
    write_story(Path(sys.argv[1] if len(sys.argv) > 1 else "assets"))
