"""Input: several fingers, a mouse on a dense display, hovered tiles and cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pygame
import pytest
import torch
from pygame.event import Event

from swarm_nca.rules import Classes, Rule, save_rule
from swarm_nca.rules.classes import DEMO_COLORS
from swarm_nca.viewer import floating
from swarm_nca.viewer.app import App
from swarm_nca.viewer.headless import frame
from swarm_nca.viewer.layout import SMALLEST, layout_of
from swarm_nca.viewer.overlays import VIEWS
from swarm_nca.viewer.tiles import tile_places
from swarm_nca.viewer.tools import INSPECT, TOOLS, Tool
from swarm_nca.viewer.window import in_pixels

from .reading import window

TILES = next(view for view in VIEWS if view.name == "Tiles")
CHANNEL = next(view for view in VIEWS if view.name == "Channel")


def point(app: App, row: float, column: float) -> tuple[int, int]:
    canvas, (rows, columns) = app.canvas, app.extent
    return (
        round(canvas.left + (column + 0.5) / columns * canvas.width),
        round(canvas.top + (row + 0.5) / rows * canvas.height),
    )


def finger(app: App, kind: int, number: int, place: tuple[int, int], device: int = 1) -> None:
    width, height = app.layout.window.size
    x, y = place[0] / width, place[1] / height
    app.handle(Event(kind, finger_id=number, touch_id=device, x=x, y=y, dx=0.0, dy=0.0))


def mouse(app: App, kind: int, place: tuple[int, int], touch: bool = False) -> None:
    more = {"rel": (0, 0), "buttons": (1, 0, 0)} if kind == pygame.MOUSEMOTION else {"button": 1}
    app.handle(Event(kind, pos=place, touch=touch, **more))


def drawn(app: App) -> list[tuple[int, int]]:
    grey = app.session.world.picture()
    return [(row, column) for row, column in torch.nonzero(grey > 0.9).tolist()]


def test_two_fingers_draw_the_same_two_lines_as_the_mouse(app: App) -> None:
    app.clear()
    for number, row in ((4, 6), (9, 20)):
        finger(app, pygame.FINGERDOWN, number, point(app, row, 5))
    for column in (10, 15, 20):
        for number, row in ((4, 6), (9, 20)):
            finger(app, pygame.FINGERMOTION, number, point(app, row, column))
        app.tick(0.0)
    finger(app, pygame.FINGERUP, 4, point(app, 6, 20))
    finger(app, pygame.FINGERMOTION, 9, point(app, 20, 24))
    finger(app, pygame.FINGERUP, 9, point(app, 20, 24))
    rows = {row for row, _ in drawn(app)}
    assert rows <= {5, 6, 7, 19, 20, 21}
    assert {(6, 5), (6, 20), (20, 5), (20, 24)} <= set(drawn(app))
    assert (6, 23) not in drawn(app)
    by_fingers = app.session.world.picture()
    app.clear()
    for row, end in ((6, 20), (20, 24)):
        mouse(app, pygame.MOUSEBUTTONDOWN, point(app, row, 5))
        for column in sorted({10, 15, 20, end}):
            mouse(app, pygame.MOUSEMOTION, point(app, row, column))
            app.tick(0.0)
        mouse(app, pygame.MOUSEBUTTONUP, point(app, row, end))
    assert torch.equal(app.session.world.picture(), by_fingers)


def test_a_finger_reported_as_mouse_draws_once_and_a_touchpad_never(
    app: App,
) -> None:
    app.clear()
    mouse(app, pygame.MOUSEBUTTONDOWN, point(app, 9, 9), touch=True)
    mouse(app, pygame.MOUSEMOTION, point(app, 9, 20), touch=True)
    mouse(app, pygame.MOUSEBUTTONUP, point(app, 9, 20), touch=True)
    finger(app, pygame.FINGERDOWN, 0, point(app, 9, 9), device=-1)
    finger(app, pygame.FINGERMOTION, 0, point(app, 9, 20), device=-1)
    assert drawn(app) == []


def test_a_finger_moves_a_slider_and_leaves_no_hover(app: App) -> None:
    slider = next(widget for widget in app.widgets if getattr(widget, "label", "") == "Brush")
    finger(app, pygame.FINGERDOWN, 1, slider.place.midleft)
    thin = app.brush
    finger(app, pygame.FINGERMOTION, 1, (slider.place.right - 2, slider.place.centery))
    finger(app, pygame.FINGERUP, 1, (slider.place.right - 2, slider.place.centery))
    assert app.brush > thin
    assert app.widget_at(app.pointer) is None


def test_dragging_the_inspector_inspects_each_cell_passed(app: App) -> None:
    app.session.advance()
    app.tool = INSPECT
    mouse(app, pygame.MOUSEBUTTONDOWN, point(app, 10, 10))
    inspected = []
    for column in (10, 11, 11, 12):
        mouse(app, pygame.MOUSEMOTION, point(app, 10, column))
        assert app.witness is not None
        inspected.append((app.witness.site, id(app.witness)))
    assert [site for site, _ in inspected] == [290, 291, 291, 292]
    assert inspected[1] == inspected[2]
    mouse(app, pygame.MOUSEBUTTONUP, point(app, 10, 12))
    mouse(app, pygame.MOUSEMOTION, point(app, 10, 20))
    assert app.witness is not None
    assert app.witness.site == 292


@pytest.mark.parametrize("tool", TOOLS)
def test_a_stroke_continues_after_the_second_rule_is_removed(
    app: App, rule_file: Path, tool: Tool
) -> None:
    for _ in range(5):
        app.session.advance()
    app.stand_beside(str(rule_file))
    app.session.catch_up()
    app.tool = tool
    cell = app.session.world.cells // 2
    row, column = app.session.world.position[cell].tolist()
    site = int(app.session.world.site[cell])
    second = app.canvases[1]
    finger(app, pygame.FINGERDOWN, 2, (second.left + 3, second.top + 3))
    app.stand_beside(None)
    for at in ((row, column), (25.0, 2.0)):
        finger(app, pygame.FINGERMOTION, 2, point(app, *at))
        if tool.deed is not None:
            app.tick(0.0)
    world = app.session.world
    here = world.state[world.site == site]
    finger(app, pygame.FINGERUP, 2, point(app, 25.0, 2.0))
    grey = float(world.picture()[row, column])
    if tool.name == "pen":
        assert (25, 2) in drawn(app)
        assert grey == 1.0
    elif tool.name == "eraser":
        assert grey == 0.0
    elif tool.name == "damage":
        assert len(here) == 1
        assert not here.any()
    else:
        assert app.witness is not None
        assert (app.witness.site, app.witness.of) == (25 * 28 + 2, 0)


def test_a_click_on_a_tile_shows_its_channel_and_a_second_press_the_next(app: App) -> None:
    app.session.advance()
    seen = set()
    for down in range(1, 40):
        for across in range(1, 40):
            stage = app.layout.stage
            place = (stage.left + stage.width * across // 40, stage.top + stage.height * down // 40)
            app.view = TILES
            number = app.tile_at(place)
            mouse(app, pygame.MOUSEBUTTONDOWN, place)
            mouse(app, pygame.MOUSEBUTTONUP, place)
            assert (app.view is CHANNEL) == (number is not None)
            if number is not None:
                assert app.channel == number
                seen.add(number)
    assert seen == set(range(19))
    button = next(widget for widget in app.widgets if widget.tip.startswith("One channel"))
    app.view, app.channel = TILES, 5
    button.press(button.place.center)
    assert (app.view, app.channel) == (CHANNEL, 5)
    button.press(button.place.center)
    assert app.channel == 6


@pytest.mark.parametrize("free", [3, 14])
def test_a_tile_is_named_by_its_own_rule_and_a_click_shows_its_channel(
    app: App, busy_rule: Callable[..., Rule], tmp_path: Path, free: int
) -> None:
    save_rule(busy_rule(free_channels=free), tmp_path / "other.safetensors")
    app.stand_beside(str(tmp_path / "other.safetensors"))
    app.session.advance()
    for pane, its_free in enumerate((9, free)):
        texts_by_tile = {}
        room = app.layout.panes(2)[pane]
        for x in range(room.left, room.right, 6):
            for y in range(room.top, room.bottom, 6):
                app.view, app.pointer = TILES, (x, y)
                number = app.tile_at((x, y))
                if number is not None and number not in texts_by_tile:
                    explained = floating.explanation(app)
                    assert explained is not None
                    texts_by_tile[number] = explained[0].split(":")[0]
                    mouse(app, pygame.MOUSEBUTTONDOWN, (x, y))
                    mouse(app, pygame.MOUSEBUTTONUP, (x, y))
                    assert app.view is CHANNEL
                    texts = [line.text for line in window(app)]
                    assert any(texts_by_tile[number].lower() in text for text in texts)
        words = ["free"] * its_free + [f"class {name}" for name in range(10)]
        assert texts_by_tile == {n: f"Channel {n}, {word}" for n, word in enumerate(words)}
    app.view, app.channel = CHANNEL, 9 + free
    app.stand_beside(None)
    # For a channel number that the first rule lacks, its last channel is shown.
    channel_text = "channel 12, class 3" if free == 3 else "channel 18, class 9"
    assert channel_text in [line.text for line in window(app)]


def test_the_tooltip_names_the_tile_that_is_drawn(app: App) -> None:
    app.session.advance()
    app.view = TILES
    app.pointer = (-1, -1)
    labels = [line.place for line in window(app)]
    places = tile_places(app.look, app.layout.stage, app.layout.scale)
    shot = frame(app)
    stage = app.layout.stage
    inked: dict[int, int] = {}
    for y in range(stage.top, stage.bottom, 11):
        for x in range(stage.left, stage.right, 11):
            number = app.tile_at((x, y))
            if number is None:
                if y >= places[-1].bottom or pygame.Rect(x, y, 1, 1).collidelist(labels) >= 0:
                    continue
                assert tuple(shot[y, x].tolist()) == app.theme.desk
            elif tuple(shot[y, x].tolist()) != app.theme.paper:
                inked[number] = inked.get(number, 0) + 1
    assert set(inked) == set(range(19))


@pytest.mark.parametrize("questioned", [False, True])
def test_panels_have_tooltips(app: App, questioned: bool) -> None:
    app.session.advance()
    if questioned:
        row, column = app.session.world.position[30].tolist()
        app.question((row, column))
    said = set()
    rail = app.layout.right
    for y in range(rail.top, rail.bottom, 4):
        for x in range(rail.left, rail.right, 10):
            app.pointer = (x, y)
            explained = floating.explanation(app)
            if explained is not None:
                assert explained[1].collidepoint(x, y)
                said.add(explained[0].split(":")[0].split(",")[0])
    panels = {"Number of cells that show each class; silent cells show no class", "Accuracy"}
    parts = {"Messages", "Stimulus", "Read-out", "History", "State"}
    bars = {f"Channel {number}" for number in range(19)}
    slots = {said for said in said if said.startswith("From ")}
    assert said == (panels | parts | bars | slots if questioned else panels)
    assert len(slots) > 1 if questioned else not slots
    app.pointer = app.canvas.center
    assert floating.explanation(app) is None


def test_on_a_dense_display_mouse_places_are_converted_to_pixels() -> None:
    move = Event(pygame.MOUSEMOTION, pos=(100, 50), rel=(1, 1), buttons=(0, 0, 0))
    assert in_pixels(move, 1.0) is move
    assert in_pixels(move, 2.0).pos == (200, 100)
    assert in_pixels(move, 1.5).pos == (150, 75)
    grown = in_pixels(Event(pygame.WINDOWRESIZED, x=640, y=360), 2.0)
    assert (grown.x, grown.y) == (1280, 720)
    key = Event(pygame.KEYDOWN, key=pygame.K_a, mod=0, unicode="a")
    assert in_pixels(key, 2.0).dict == key.dict


@pytest.mark.parametrize("size", [(2560, 1440), (1920, 1200), (1280, 720), SMALLEST, (500, 300)])
def test_the_panels_at_the_right_do_not_overlap_and_stay_on_their_bar(
    size: tuple[int, int],
) -> None:
    layout = layout_of(size)
    for questioned in (False, True):
        places = layout.rail(questioned)
        for number, place in enumerate(places):
            assert layout.right.contains(place)
            assert place.collidelist(places[number + 1 :]) == -1


def test_dark_colours_are_lightened_on_dark_paper_only(app: App) -> None:
    from swarm_nca.viewer.theme import DARK, LIGHT, lightness, name_colors

    classes = app.session.rule.classes
    assert np.array_equal(name_colors(classes, 0.0, LIGHT.paper), np.array(classes.colors))
    # The default colours have this contrast: on dark paper they differ as much as on light paper.
    assert np.array_equal(name_colors(classes, 0.0, DARK.paper), np.array(classes.colors))
    demo = Classes(classes.names, DEMO_COLORS)
    assert not np.array_equal(name_colors(demo, 0.0, DARK.paper), np.array(DEMO_COLORS))
    classes = demo
    ground = lightness(DARK.paper) + 0.05
    for color in name_colors(classes, 0.0, DARK.paper).tolist():
        assert (lightness(tuple(color)) + 0.05) / ground >= 2.4
