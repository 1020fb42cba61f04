"""The list of rules and scenarios: everything that ships is in it, by mouse and by keyboard."""

from __future__ import annotations

from pathlib import Path

import pygame
import pytest
from pygame.event import Event

from swarm_nca.rules import shipped_rules
from swarm_nca.scenario.finding import shipped_scenarios
from swarm_nca.viewer.app import App
from swarm_nca.viewer.headless import frame
from swarm_nca.viewer.layout import SMALLEST, layout_of
from swarm_nca.viewer.picker import panel_of

from .reading import Line, window
from .story import Visitor

OPEN = "Open a rule or a scenario"


def press(app: App, code: int, letter: str = "", mod: int = 0) -> None:
    app.handle(Event(pygame.KEYDOWN, key=code, mod=mod, unicode=letter))


def write(app: App, text: str) -> None:
    for letter in text:
        press(app, ord(letter), letter)


def listed(app: App) -> list[Line]:
    """The lines of text that are painted above the window."""
    lines = window(app)
    start = next(n for n, line in enumerate(lines) if line.text == OPEN)
    return lines[start:]


def names(app: App) -> list[str]:
    """The names in the list, in their order; those out of sight come by scrolling."""
    assert app.picker is not None
    return [entry.name for entry in app.picker.found]


def test_every_shipped_rule_and_scenario_is_listed_and_comes_in_sight(app: App) -> None:
    before = frame(app)
    Visitor(app).press_button(OPEN)
    assert (frame(app) != before).any()
    wanted = [*shipped_rules(), *shipped_scenarios()]
    assert names(app)[: len(wanted)] == wanted
    seen: set[str] = set()
    for _ in range(len(wanted)):
        seen |= {line.text for line in listed(app)}
        press(app, pygame.K_DOWN)
    assert set(wanted) <= seen
    assert any(text.startswith("Conway's Game of Life") for text in seen)


def test_a_scenario_in_the_folder_is_listed_and_other_files_are_not(
    app: App, rule_file: Path
) -> None:
    text = "description: A four.\nrule: busy.safetensors\nimages: {glyph: 4}\nsteps: 9\n"
    (app.folder / "four.yaml").write_text(text, encoding="utf-8")
    (app.folder / "other.yaml").write_text("pages: [1, 2]\n", encoding="utf-8")
    (app.folder / "broken.yaml").write_text("rule: [", encoding="utf-8")
    Visitor(app).press_button(OPEN)
    assert "four" in names(app)
    assert not {"other", "broken"} & set(names(app))
    write(app, "file four")
    assert names(app) == ["four"]
    press(app, pygame.K_RETURN)
    assert app.picker is None
    assert app.session.opening.name == "four"
    assert "four" in " ".join(line.text for line in window(app))


def test_a_click_on_a_line_opens_it_and_undo_goes_back(app: App) -> None:
    visitor = Visitor(app)
    press(app, ord("p"), "\x10", pygame.KMOD_CTRL)
    write(app, "life-gl")
    (line,) = [line for line in listed(app) if line.text == "life-glider"]
    visitor.click(line.place.center)
    assert app.picker is None
    assert app.session.opening.title == "life B3/S23"
    press(app, ord("z"), "", pygame.KMOD_CTRL)
    assert app.session.opening.title == "busy"


def test_the_keys_choose_a_rule_and_letters_are_no_commands(app: App) -> None:
    Visitor(app).press_button(OPEN)
    before = app.session.world
    write(app, "mnst")
    assert names(app) == []
    assert any(line.text.startswith("Nothing found") for line in listed(app))
    press(app, pygame.K_RETURN)
    assert app.session.world is before
    Visitor(app).press_button(OPEN)
    write(app, "rule mnx")
    press(app, pygame.K_BACKSPACE)
    found = names(app)
    assert found[0] == "fashion-mnist"
    down = [pygame.K_DOWN] * found.index("mnist")
    for key in (pygame.K_DOWN, pygame.K_UP, *down, pygame.K_RETURN):
        press(app, key)
    assert app.session.opening.title == "mnist"
    assert len(app.session.plan) == 0


@pytest.mark.parametrize("way", ["escape", "beside"])
def test_it_closes_without_a_change(app: App, way: str) -> None:
    before = app.session.world
    Visitor(app).press_button(OPEN)
    if way == "escape":
        press(app, pygame.K_ESCAPE)
    else:
        place = panel_of(app.layout)
        Visitor(app).click((place.left - 9, place.centery))
    assert app.picker is None
    assert app.session.world is before


def test_the_pointer_chooses_the_line_below_it_without_scrolling(app: App) -> None:
    Visitor(app).press_button(OPEN)
    assert app.picker is not None
    lines = [line for line in listed(app) if line.text in names(app)]
    for line in lines[::5]:
        Visitor(app).move(line.place.center)
        assert names(app)[app.picker.chosen] == line.text
        assert app.picker.first == 0
    app.handle(Event(pygame.MOUSEWHEEL, x=0, y=-1))
    for _ in names(app):
        app.handle(Event(pygame.MOUSEWHEEL, x=0, y=-1))
    assert app.picker.chosen == len(names(app)) - 1


def test_a_scenario_that_cannot_be_opened_is_said(app: App) -> None:
    text = "rule: nowhere.safetensors\nimages: {glyph: 4}\nsteps: 9\n"
    (app.folder / "lost.yaml").write_text(text, encoding="utf-8")
    before = app.session.world
    Visitor(app).press_button(OPEN)
    write(app, "lost")
    press(app, pygame.K_RETURN)
    assert "nowhere" in app.notice
    assert app.session.world is before


@pytest.mark.parametrize("size", [SMALLEST, (1280, 720), (2560, 1440), (800, 900)], ids=str)
def test_the_list_has_room(app: App, size: tuple[int, int]) -> None:
    app.arrange(layout_of(size))
    Visitor(app).press_button(OPEN)
    panel = panel_of(app.layout)
    for _ in range(3):
        lines = listed(app)
        assert all(panel.contains(line.place) for line in lines)
        for number, line in enumerate(lines):
            inner = line.place.inflate(0, -line.place.height // 2)
            others = [other.place.inflate(0, -other.place.height // 2) for other in lines]
            assert inner.collidelistall(others) == [number], line
        press(app, pygame.K_PAGEDOWN)


def test_a_folder_with_a_dangling_link_and_odd_files_is_listed(app: App) -> None:
    (app.folder / ".#four.yaml").symlink_to("user@machine.1234:5678")
    (app.folder / "gone.yaml").symlink_to(app.folder / "nowhere.yaml")
    (app.folder / "number.yaml").write_text("7\n", encoding="utf-8")
    (app.folder / "words.yaml").write_text("a rule\n", encoding="utf-8")
    Visitor(app).press_button(OPEN)
    assert not {".#four", "gone", "number", "words"} & set(names(app))
