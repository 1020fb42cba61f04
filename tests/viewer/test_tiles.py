"""Tiles and bars: labels, values, axis and colour scale; channels are numbered alike everywhere."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pygame import Rect

from swarm_nca.recording.channels import diverging
from swarm_nca.viewer.app import App
from swarm_nca.viewer.floating import explanation
from swarm_nca.viewer.headless import frame
from swarm_nca.viewer.inspector import bars_of, rooms
from swarm_nca.viewer.layout import SMALLEST, layout_of
from swarm_nca.viewer.overlays import VIEWS
from swarm_nca.viewer.tiles import tile_places

from .reading import Line, window


def view(name: str):  # type: ignore[no-untyped-def]
    return next(view for view in VIEWS if view.name == name)


def line_of(lines: list[Line], text: str) -> Line:
    (found,) = [line for line in lines if line.text == text]
    return found


@pytest.mark.parametrize("size", [SMALLEST, (1280, 720), (2560, 1440)], ids=str)
def test_each_tile_shows_its_channel_below_its_number_and_meaning(
    app: App, size: tuple[int, int]
) -> None:
    for _ in range(4):
        app.session.advance()
    app.view = view("Tiles")
    app.arrange(layout_of(size))
    lines, shot, world = window(app), frame(app), app.session.world
    places = tile_places(app.look, app.layout.stage, app.layout.scale)
    row, column = world.position[40].tolist()
    for number, place in enumerate(places):
        meaning = "free" if number < 9 else f"class {number - 9}"
        label = line_of(lines, f"{number} · {meaning}")
        assert not label.cut
        assert label.place.bottom <= place.top + 2
        assert abs(label.place.centerx - place.centerx) <= 1
        cell = place.width / 28
        at = (round(place.top + (row + 0.5) * cell), round(place.left + (column + 0.5) * cell))
        wanted = diverging(world.state[40, number : number + 1].numpy())[0]
        assert shot[at].tolist() == wanted.tolist()


def test_tiles_have_the_scale_of_their_colours(app: App) -> None:
    app.session.advance()
    app.view = view("Tiles")
    lines, shot = window(app), frame(app)
    foot = max(place.bottom for place in tile_places(app.look, app.layout.stage, 1.0))
    views = app.layout.views
    below = [line for line in lines if line.place.top >= foot and line.place.right < views.right]
    assert line_of(below, "value of each channel")
    for tick in (-2.0, 0.0, 2.0):
        text = line_of(below, f"{tick:+.0f}" if tick else "0")
        color = shot[text.place.top - 5, text.place.centerx].astype(int)
        assert np.abs(color - diverging(np.array([tick]))[0]).max() <= 16


def test_the_inspector_tells_the_value_of_every_bar_and_has_an_axis(app: App) -> None:
    for _ in range(6):
        app.session.advance()
    world = app.session.world
    row, column = world.position[40].tolist()
    app.question((row, column))
    _, _, cell = app.layout.rail(True)
    bars = bars_of(rooms(cell, 1.0).holds, 1.0)
    state = world.state[40].numpy()
    for number in range(19):
        app.pointer = (round(bars.left + (number + 0.5) * bars.width / 19), bars.centery)
        meaning = "free" if number < 9 else f"class {number - 9}"
        explained = explanation(app)
        assert explained is not None
        assert explained[0] == f"Channel {number}, {meaning}: {state[number]:+.2f}"
    app.pointer = (-1, -1)
    lines = window(app)
    ticks = [line for line in lines if Rect(cell).contains(line.place)]
    middle = line_of(ticks, "0").place.centery
    for tick in (2.0, -2.0):
        away = middle - line_of(ticks, f"{tick:+.0f}").place.centery
        assert abs(away - np.arctan(tick) / (np.pi / 2) * bars.height / 2) <= 1.5
    top = np.argsort(-state[9:], kind="stable")[:3]
    for best in top:
        name = line_of(ticks[2:], f"class {best}")
        values = [line.text for line in ticks if abs(line.place.centery - name.place.centery) <= 1]
        assert f"{state[9 + best]:+.2f}" in values


def test_the_inspector_tells_the_values_of_messages(app: App) -> None:
    for _ in range(6):
        app.session.advance()
    world = app.session.world
    heard = (world.neighbors < world.cells).sum(1)
    number = int(heard.argmax())
    app.question(tuple(world.position[number].tolist()))
    _, _, cell = app.layout.rail(True)
    hears = rooms(cell, 1.0).hears
    app.pointer = (hears.left + 2, hears.top + 14)  # the first channel from the north-west
    sender = int(world.neighbors[number, 0])
    explained = explanation(app)
    assert explained is not None
    assert explained[0] == f"From the north-west: channel 0, free: {world.state[sender, 0]:+.2f}"


def test_channels_have_the_same_numbers_in_viewer_and_report(app: App) -> None:
    from swarm_nca.recording.channels import _titles

    app.session.advance()
    app.view = view("Tiles")
    tiles = [line.text for line in window(app) if " · " in line.text]
    viewer = [int(text.split(" · ")[0]) for text in tiles if re.match(r"\d+ · ", text)]
    assert viewer == list(range(19))
    report = _titles(app.session.world)[0]
    assert report == ("channel 0", *map(str, range(1, 9)))
    # The first channel, in Python, is the one that the page and the agents' charts call channel 0.
    shown = app.look.world.state[:, 0].numpy()
    places = tile_places(app.look, app.layout.stage, app.layout.scale)
    row, column = app.session.world.position[40].tolist()
    at = [places[0].top + (row + 0.5) * places[0].height / 28]
    at.append(places[0].left + (column + 0.5) * places[0].width / 28)
    assert frame(app)[int(at[0]), int(at[1])].tolist() == diverging(shown[40:41])[0].tolist()
