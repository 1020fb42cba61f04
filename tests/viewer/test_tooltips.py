"""Tooltips and notices stay off the canvas and off the control they explain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pygame
import pytest
from pygame import Rect, Surface
from pygame.event import Event

from swarm_nca.viewer.app import App
from swarm_nca.viewer.floating import explanation, tip
from swarm_nca.viewer.layout import SMALLEST, layout_of
from swarm_nca.viewer.overlays import VIEWS
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.theme import Color

from .reading import window

SIZES = [SMALLEST, (1280, 720), (1920, 1080)]


@contextmanager
def boxes_of(color: Color) -> Iterator[list[Rect]]:
    """Collects the boxes of one colour that are painted in the block."""
    boxes: list[Rect] = []
    paint = Paint.box

    def box(self: Paint, place: Rect, face: Color, *rest: object) -> None:
        if face == color:
            boxes.append(place.copy())
        paint(self, place, face, *rest)  # type: ignore[arg-type]

    with patch.object(Paint, "box", box):
        yield boxes


def boxes(app: App) -> list[Rect]:
    """The dark boxes above the picture: tooltips and notices."""
    with boxes_of(app.theme.ink) as found:
        app.draw(Surface(app.layout.window.size))
    return found


def tip_at(app: App, spot: tuple[int, int], surface: Surface) -> Rect | None:
    """The box of the tooltip for a place of the pointer, as `screen` paints it last of all."""
    app.pointer = spot
    explained = explanation(app)
    if explained is None:
        return None
    brush = Paint(surface, app.theme, app.layout.scale)
    with boxes_of(app.theme.ink) as found:
        tip(app, brush, *explained)
    return found[0]


def looked_at(app: App) -> list[Rect]:
    """The cells on the window: the places of the pictures that are painted."""
    with patch.object(Paint, "pixels", lambda self, rgb, place: seen.append(place.copy())):
        seen: list[Rect] = []
        app.draw(Surface(app.layout.window.size))
    return [place for place in seen if app.layout.stage.contains(place) and place.height > 20]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("side", [28, 140])
def test_a_tooltip_hides_neither_its_control_nor_the_canvas(
    app: App, size: tuple[int, int], side: int
) -> None:
    if side != 28:
        app.resize_canvas(side)
    app.notice = ""
    app.arrange(layout_of(size))
    row, column = app.session.world.position[30].tolist()
    app.question((row, column))
    rail = app.layout.right
    spots = [widget.place.center for widget in app.widgets]
    spots += [(x, y) for x in range(rail.left, rail.right, 40) for y in range(rail.top, 900, 25)]
    pictures = looked_at(app)
    assert pictures
    surface = Surface(size)
    tips = {spot: box for spot in spots if (box := tip_at(app, spot, surface)) is not None}
    assert len(tips) > len(app.widgets)
    for spot, box in tips.items():
        app.pointer = spot
        text, place = explanation(app) or ("", Rect(0, 0, 0, 0))
        assert not box.colliderect(place), text
        assert app.layout.window.contains(box), text
        assert box.collidelist(pictures) == -1, text
    for spot in spots[:: len(spots) // 4]:
        app.handle(Event(pygame.MOUSEMOTION, pos=spot, rel=(0, 0), buttons=(0, 0, 0)))
        assert boxes(app) == ([tips[spot]] if spot in tips else [])


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_tooltip_of_a_tile_hides_no_tile(app: App, size: tuple[int, int]) -> None:
    app.view = next(view for view in VIEWS if view.name == "Tiles")
    app.arrange(layout_of(size))
    stage = app.layout.stage
    tiles = looked_at(app)
    assert stage.contains(tiles[0].unionall(tiles))
    app.pointer = tiles[7].center
    (box,) = boxes(app)
    assert len(tiles) == 19
    assert box.collidelist(tiles) == -1


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("view", ["Classes", "Tiles", "Messages"])
def test_a_notice_of_any_length_hides_no_cell_and_no_control(
    app: App, size: tuple[int, int], view: str
) -> None:
    app.view = next(each for each in VIEWS if each.name == view)
    app.arrange(layout_of(size))
    for words in ("Saved swarm-1.png", "no such file or folder, " * 20):
        app.say(words)
        (box,) = boxes(app)
        assert app.layout.window.contains(box)
        assert box.collidelist(looked_at(app)) == -1
        assert box.collidelist([widget.place for widget in app.widgets]) == -1
        assert any(line.text.startswith(words[:10]) for line in window(app))
