"""Every line of text has room: on the window, within its panel, and apart from other lines."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite
from pathlib import Path
from string import ascii_uppercase, digits

import pygame
import pytest
from pygame.event import Event

from swarm_nca.perturbations import Draw
from swarm_nca.rules import Classes, Rule, save_rule
from swarm_nca.viewer.app import App
from swarm_nca.viewer.dials import DIALS
from swarm_nca.viewer.layout import SMALLEST, layout_of
from swarm_nca.viewer.overlays import VIEWS
from swarm_nca.viewer.session_config import from_rule, from_scenario

from .reading import Line, window

SIZES = [SMALLEST, (1120, 630), (1280, 720), (1600, 900), (2560, 1440), (800, 900)]

SCENARIO = """
rule: {rule}
images: {{dataset: strokes, count: 2}}
steps: 2000
expect:
  - {{metric: state_magnitude, at: 10, min: 0.0}}
  - {{metric: state_magnitude, at: 2000, min: 0.0}}
  - {{metric: cell_accuracy, at: 2000, min: 0.0}}
"""


def crowded(app: App, lines: list[Line]) -> list[str]:
    """All errors in the places of the lines, and in each line."""
    layout = app.layout
    wrong = off_the_window(app, lines)
    for line in lines:
        for bar in (layout.left, layout.right):
            if line.place.colliderect(bar) and not bar.contains(line.place):
                wrong.append(f"over the edge of a rail: {line}")
    return wrong + written_over(lines)


def off_the_window(app: App, lines: list[Line]) -> list[str]:
    window = app.layout.window
    return [f"off the window: {line}" for line in lines if not window.contains(line.place)]


def written_over(lines: list[Line]) -> list[str]:
    wrong = []
    for number, line in enumerate(lines):
        # Lines may overlap in the empty space above and below the letters.
        inner = line.place.inflate(0, -line.place.height // 2)
        for other in lines[number + 1 :]:
            if inner.colliderect(other.place.inflate(0, -other.place.height // 2)):
                wrong.append(f"{line} is written over {other}")
    return wrong


def all_views(app: App) -> list[str]:
    wrong = []
    for view in VIEWS:
        app.view = view
        wrong += crowded(app, window(app))
    return wrong


def played(app: App, steps: int) -> App:
    app.playing = False
    for _ in range(steps):
        app.session.advance()
        app.settle()
    return app


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("rule", ["digits", "fashion-mnist", "many"])
def test_every_line_has_room_for_all_kinds_of_classes(
    busy_rule: Callable[..., Rule], tmp_path: Path, rule: str, size: tuple[int, int]
) -> None:
    if rule == "many":
        rule = str(tmp_path / "many.safetensors")
        save_rule(busy_rule(classes=Classes.named(*ascii_uppercase, *digits)), rule)
    app = played(App(from_rule(rule), size), 30)
    assert all_views(app) == []
    row, column = app.session.world.position[20].tolist()
    app.question((row, column))
    assert all_views(app) == []


def test_names_of_sliders_stand_apart_from_their_widest_values_on_the_smallest_window() -> None:
    app = App(from_rule("digits"), SMALLEST)
    app.playing = False
    DIALS["fire rate"].set(app, 1.0)
    DIALS["noise"].set(app, 0.125)
    places = {line.text: line.place for line in window(app)}
    for name, value in (("Fire rate", "100%"), ("Noise", "0.125")):
        assert places[value].left - places[name].right >= 2
    assert places["Noise"].left - places["100%"].right >= 4


@pytest.mark.parametrize("size", SIZES[:3], ids=str)
def test_every_line_has_room_with_two_rules_on_a_full_canvas(size: tuple[int, int]) -> None:
    app = App(from_rule("digits", 140), size)
    app.edit(Draw(points=((70.0, 70.0),), radius=280.0, label=3))
    app.stand_beside("mnist")
    played(app, 2)
    assert all_views(app) == []
    app.question((70.0, 70.0))
    assert all_views(app) == []


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_line_has_room_with_two_rules_of_different_channels(
    app: App, busy_rule: Callable[..., Rule], tmp_path: Path, size: tuple[int, int]
) -> None:
    save_rule(busy_rule(free_channels=140), tmp_path / "other.safetensors")
    app.arrange(layout_of(size))
    app.stand_beside(str(tmp_path / "other.safetensors"))
    app.channel = 149
    played(app, 3)
    assert all_views(app) == []


def test_every_line_has_room_far_in_the_past_of_a_scenario(rule_file: Path) -> None:
    file = rule_file.parent / "a-scenario-with-a-name-of-several-words.yaml"
    file.write_text(SCENARIO.format(rule=rule_file.name), encoding="utf-8")
    app = App(from_scenario(str(file)))
    while app.session.reached < 1_300:
        app.session.advance()
    app.recording, app.speed = True, app.SPEEDS.index(inf)
    for size in SIZES:
        app.seek(1_100)  # a fast machine plays many steps in a tick
        app.arrange(layout_of(size))
        app.playing = True
        app.tick(1 / 60)
        lines = window(app)
        assert crowded(app, lines) == []
        assert [line.text for line in lines if line.cut] == []
        assert "of 1,300" in [line.text for line in lines]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_help_has_room(app: App, size: tuple[int, int]) -> None:
    app.handle(Event(pygame.WINDOWRESIZED, x=size[0], y=size[1]))
    before = len(window(app))
    app.help = True
    lines = window(app)[before:]
    assert off_the_window(app, lines) + written_over(lines) == []
    assert [line.text for line in lines if line.cut] == []
    title = next(line.place for line in lines if line.text.startswith("Draw on the canvas"))
    # The box is in the middle of the window: as much room below the lines as above the title.
    assert max(line.place.bottom for line in lines) <= size[1] - title.top


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_tooltips_and_notices_stay_on_the_window(app: App, size: tuple[int, int]) -> None:
    app.handle(Event(pygame.WINDOWRESIZED, x=size[0], y=size[1]))
    app.say("a word " * 60)
    rail = app.layout.right
    spots = [widget.place.center for widget in app.widgets]
    spots += [(rail.centerx, rail.top + rail.height * part // 8) for part in range(1, 8)]
    for app.pointer in spots:
        assert off_the_window(app, window(app)) == []


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_line_has_room_with_a_diverging_rule(
    busy_rule: Callable[..., Rule], tmp_path: Path, size: tuple[int, int]
) -> None:
    rule = tmp_path / "wild.safetensors"
    save_rule(busy_rule(strength=30.0), rule)
    app = played(App(from_rule(str(rule)), size), 2)
    seen = set()
    for _ in range(40):
        played(app, 1)
        seen.add(app.session.values["magnitude"])
        assert crowded(app, window(app)) == []
    assert max(filter(isfinite, seen)) > 1e9
