"""Zoom, pan, letters on large cells, full screen, icon, and the size of text."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pygame
import pytest
from pygame import Rect, Surface
from pygame.event import Event

from swarm_nca.rules import DIGITS
from swarm_nca.viewer import lettering
from swarm_nca.viewer.app import App
from swarm_nca.viewer.camera import WHOLE
from swarm_nca.viewer.headless import frame
from swarm_nca.viewer.icons import emblem
from swarm_nca.viewer.layout import layout_of
from swarm_nca.viewer.letters import short_names
from swarm_nca.viewer.overlays import VIEWS
from swarm_nca.viewer.paint import pixels_of
from swarm_nca.viewer.session_config import from_rule, from_scenario
from swarm_nca.viewer.tools import INSPECT
from swarm_nca.viewer.window import show

from .reading import window
from .story import Visitor


def wheel(app: App, place: tuple[int, int], notches: int) -> None:
    Visitor(app).move(place)
    for _ in range(abs(notches)):
        app.handle(Event(pygame.MOUSEWHEEL, x=0, y=1 if notches > 0 else -1))


def drag(app: App, start: tuple[int, int], by: tuple[int, int], button: int) -> None:
    app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=start, button=button))
    end = (start[0] + by[0], start[1] + by[1])
    app.handle(Event(pygame.MOUSEMOTION, pos=end, rel=by, buttons=(0, 1, 0)))
    app.handle(Event(pygame.MOUSEBUTTONUP, pos=end, button=button))


def colors_at(app: App, places: list[tuple[int, int]]) -> list[list[int]]:
    shot = frame(app)
    return [shot[y, x].tolist() for x, y in places]


@pytest.fixture
def agreed() -> App:
    app = App(from_rule("digits"))
    app.playing = False
    for _ in range(6):
        app.session.advance()
    app.settle(9.0)
    return app


def test_the_wheel_shows_the_cell_under_the_pointer_closer(agreed: App) -> None:
    app, visitor = agreed, Visitor(agreed)
    cell = app.session.world.position[60].tolist()
    at = visitor.place(*cell)
    under = app.place_of(at)
    sizes = []
    for _ in range(6):
        sizes.append(app.canvas.width)
        wheel(app, at, 1)
        # A picture narrower than the pane stays in its middle.
        assert np.allclose(app.place_of(at), under, atol=0.6)
    assert sizes == sorted(set(sizes))
    assert app.canvas.width > 3 * sizes[0]
    shown = [line.text for line in window(app)]
    assert f"zoom {app.camera.zoom:.1f} ×" in shown
    wheel(app, at, -12)
    assert app.camera.zoom == 1.0
    assert app.canvas.width == sizes[0]


@pytest.mark.parametrize("view", [view.name for view in VIEWS if view.name != "Tiles"])
@pytest.mark.parametrize("rules", [1, 2])
def test_a_zoomed_picture_shows_the_same_cells_in_its_pane(
    agreed: App, view: str, rules: int
) -> None:
    app, visitor = agreed, Visitor(agreed)
    app.view = next(each for each in VIEWS if each.name == view)
    if rules == 2:
        app.stand_beside("mnist")
        app.session.catch_up()
    app.pointer = (-1, -1)
    cells = [tuple(place) for place in app.session.world.position[::7].tolist()]

    def corners(pane: int) -> dict[Any, list[int]]:
        """The colour near the corner of each visible cell, where no letter and no dot is."""
        side = app.canvases[pane].width / 28
        places = {cell: visitor.place(*cell, pane) for cell in cells}
        away = round(0.36 * side)
        places = {cell: (x - away, y - away) for cell, (x, y) in places.items()}
        room = app.panes[pane].inflate(-side, -side)
        places = {cell: at for cell, at in places.items() if room.collidepoint(at)}
        return dict(zip(places, colors_at(app, list(places.values())), strict=True))

    before = [corners(pane) for pane in range(rules)]
    for _ in range(5):
        app.zoom(1, app.panes[0].center)
    app.pan(40, -25)
    outside = frame(app)
    for pane, colors in enumerate(before):
        after = corners(pane)
        assert len(after) > 2
        if view != "Messages":  # its lines have other widths at other sizes
            assert after == {cell: colors[cell] for cell in after}
    app.camera = WHOLE
    for bar in (app.layout.left, app.layout.right, app.layout.views, app.layout.foot):
        part = np.s_[bar.top : bar.bottom, bar.left : bar.right]
        assert np.array_equal(frame(app)[part], outside[part])


def test_drawing_on_a_zoomed_canvas_hits_the_cell_under_the_pen(agreed: App) -> None:
    app = agreed
    app.clear()
    wheel(app, Visitor(app).place(20.0, 6.0), 8)
    row, column = (round(part) for part in app.place_of(app.panes[0].center))
    app.brush = 0.6
    Visitor(app).click(Visitor(app).place(row, column))
    full = (app.session.world.picture() > 0.9).nonzero().tolist()
    assert full == [[row, column]]
    assert (row, column) != (14, 14)


@pytest.mark.parametrize("by", ["middle", "space"])
def test_dragging_moves_a_zoomed_picture_and_changes_no_cell(agreed: App, by: str) -> None:
    app = agreed
    for _ in range(6):
        app.zoom(1)
    before, start = app.session.world, app.panes[0].center
    under = app.place_of(start)
    if by == "space":
        app.handle(Event(pygame.KEYDOWN, key=pygame.K_SPACE, mod=0, unicode=" "))
        drag(app, start, (60, -35), 1)
        app.handle(Event(pygame.KEYUP, key=pygame.K_SPACE, mod=0))
        assert not app.playing  # the space bar moved the picture, it did not start the session
    else:
        drag(app, start, (60, -35), 2)
    assert np.allclose(app.place_of((start[0] + 60, start[1] - 35)), under, atol=0.1)
    assert app.session.world is before
    assert app.witness is None
    for _ in range(40):
        drag(app, start, (300, 300), 2)
    assert app.canvas.topleft == app.panes[0].topleft  # no empty space beside the picture
    app.tool = INSPECT
    drag(app, start, (0, 0), 2)
    assert app.witness is not None  # a click of the middle button inspects
    app.handle(Event(pygame.KEYDOWN, key=pygame.K_0, mod=pygame.KMOD_CTRL, unicode=""))
    assert app.camera == WHOLE


def test_the_wheel_beside_the_canvas_changes_the_brush(app: App) -> None:
    thin = app.brush
    wheel(app, app.layout.left.center, 2)
    assert app.brush > thin
    assert app.camera == WHOLE


def test_a_session_of_another_size_starts_with_the_whole_canvas(app: App) -> None:
    for _ in range(5):
        app.zoom(1)
    app.resize_canvas(56)
    assert app.camera == WHOLE


def test_large_cells_carry_the_letter_of_their_class(agreed: App) -> None:
    app = agreed
    stage = app.layout.stage

    def letters() -> list[tuple[str, Rect]]:
        below = app.session.rule.readout.names
        return [
            (line.text, line.place)
            for line in window(app)
            if line.text in below and stage.contains(line.place)
        ]

    assert letters() == []  # the cells of a whole canvas are too small in this window
    for _ in range(5):
        app.zoom(1)
    seen = letters()
    assert len(seen) > 5
    logits = app.session.world.logits.numpy()
    cells = {tuple(place): n for n, place in enumerate(app.session.world.position.tolist())}
    for name, place in seen:
        at = tuple(round(part) for part in app.place_of(place.center))
        assert name == str(logits[cells[at]].argmax())
    app.view = VIEWS[1]
    assert letters() == []


def test_short_names_differ_and_begin_their_names() -> None:
    assert short_names(DIGITS.names) == DIGITS.names
    fashion = ("T-shirt", "trouser", "pullover", "dress", "sandal", "shirt", "sneaker", "bag")
    short = short_names(fashion)
    assert short == ("T-", "tr", "p", "d", "sa", "sh", "sn", "b")
    assert len(set(short)) == len(fashion)


def test_worlds_of_one_row_and_tiles_have_no_zoom(app: App) -> None:
    row = App(from_scenario("rule-30"))
    row.zoom(3)
    assert row.camera == WHOLE
    app.view = next(view for view in VIEWS if view.name == "Tiles")
    before = frame(app)
    wheel(app, app.layout.stage.center, 3)
    app.pointer = (-1, -1)
    assert app.camera == WHOLE
    assert before.shape == frame(app).shape


def test_full_screen_is_entered_and_left_and_the_window_has_its_own_icon(app: App) -> None:
    asked: list[Any] = []
    app.handle(Event(pygame.KEYDOWN, key=pygame.K_F11, mod=0, unicode=""))
    assert app.full_screen

    class Recorded(pygame.Window):
        def set_fullscreen(self, desktop: bool = False) -> None:
            asked.append(desktop)

        def set_windowed(self) -> None:
            asked.append("window")

        def set_icon(self, icon: Surface) -> None:
            asked.append(icon)

    with patch.object(pygame, "Window", Recorded):
        pygame.display.init()
        pygame.event.post(Event(pygame.USEREVENT))
        ticks = itertools.count()
        tick = app.tick

        def ticked(seconds: float) -> None:
            if next(ticks) == 2:
                app.handle(Event(pygame.KEYDOWN, key=pygame.K_ESCAPE, mod=0, unicode=""))
            tick(seconds)

        with patch.object(app, "tick", ticked):
            show(app, frames=6)
    pygame.display.init()
    icon, *others = asked
    assert others == [True, "window"]
    assert isinstance(icon, Surface)
    assert icon.get_size() == (64, 64)


def test_the_icon_shows_cells_in_three_colours() -> None:
    colors = {tuple(color) for color in pixels_of(emblem(64)).reshape(-1, 3).tolist()}
    assert len(colors & set(DIGITS.colors)) == 3


def test_no_text_is_smaller_than_12_pixels_at_1280_by_720(rule_file: Path) -> None:
    file = rule_file.parent / "told.yaml"
    text = "rule: busy.safetensors\nimages: {dataset: strokes, count: 2}\nsteps: 90\n"
    file.write_text(text + "expect: [{metric: cell_accuracy, at: 50, min: 0.5}]\n", "utf-8")
    app = App(from_scenario(str(file)))
    assert app.layout == layout_of((1280, 720))
    sizes: set[int] = set()
    font = lettering.font

    def recorded(size: int, strong: bool = False) -> pygame.font.Font:
        sizes.add(size)
        return font(size, strong)

    lettering.written.cache_clear()
    with patch.object(lettering, "font", recorded):
        for _ in range(4):
            app.session.advance()
            app.settle()
        app.question(tuple(app.session.alone.position[9].tolist()))
        app.say("A notice")
        for rules in (1, 2):
            for view in app.views:
                app.view = view
                app.pointer = app.widgets[0].place.center
                frame(app)
            app.help = rules == 2
            frame(app)
            app.stand_beside(str(rule_file))
            app.session.catch_up()
    assert len(sizes) >= 2
    assert min(sizes) >= 12
