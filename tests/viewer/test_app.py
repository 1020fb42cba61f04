"""The app: events go in; the world and the picture change as expected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pygame
import pytest
import torch
from PIL import Image
from pygame.event import Event

import swarm_nca as sn
from swarm_nca.render import Rgb
from swarm_nca.rules import Rule, save_rule
from swarm_nca.viewer.app import App
from swarm_nca.viewer.headless import frame
from swarm_nca.viewer.keys import ACTIONS
from swarm_nca.viewer.layout import layout_of
from swarm_nca.viewer.overlays import VIEWS
from swarm_nca.viewer.session_config import from_rule, from_scenario
from swarm_nca.viewer.tools import TOOLS
from swarm_nca.viewer.widgets import Button, Slider

from .reading import curves_said, lies, window

UNNAMED = {
    "space": pygame.K_SPACE,
    "left": pygame.K_LEFT,
    "right": pygame.K_RIGHT,
    "up": pygame.K_UP,
    "down": pygame.K_DOWN,
    "home": pygame.K_HOME,
    "end": pygame.K_END,
    "delete": pygame.K_DELETE,
    "escape": pygame.K_ESCAPE,
    "page up": pygame.K_PAGEUP,
    "page down": pygame.K_PAGEDOWN,
    "f11": pygame.K_F11,
}


def point(app: App, row: float, column: float) -> tuple[int, int]:
    """The middle of a pixel on the window."""
    canvas, (rows, columns) = app.canvas, app.extent
    return (
        round(canvas.left + (column + 0.5) / columns * canvas.width),
        round(canvas.top + (row + 0.5) / rows * canvas.height),
    )


def press(app: App, key: str) -> None:
    mod = 0
    for word, flag in (("ctrl ", pygame.KMOD_CTRL), ("shift ", pygame.KMOD_SHIFT)):
        if key.startswith(word) and key != word:
            key, mod = key.removeprefix(word), mod | flag
    code = UNNAMED.get(key, ord(key) if len(key) == 1 else 0)
    unicode = key if len(key) == 1 else ""
    app.handle(Event(pygame.KEYDOWN, key=code, mod=mod, unicode=unicode))


def click(app: App, place: tuple[int, int], button: int = 1) -> None:
    app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=place, button=button))
    app.handle(Event(pygame.MOUSEBUTTONUP, pos=place, button=button))


def stroke(app: App, *places: tuple[float, float], button: int = 1) -> None:
    first, *others = [point(app, *place) for place in places]
    app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=first, button=button))
    for place in others:
        app.handle(Event(pygame.MOUSEMOTION, pos=place, rel=(0, 0), buttons=(1, 0, 0)))
    app.handle(Event(pygame.MOUSEBUTTONUP, pos=others[-1] if others else first, button=button))


def button(app: App, tip: str) -> Button:
    found = [
        widget
        for widget in app.widgets
        if isinstance(widget, Button) and widget.tip.startswith(tip)
    ]
    assert found, f"no button with the tooltip {tip!r}"
    return found[0]


def grey(app: App) -> torch.Tensor:
    return app.session.world.picture()


def pixel(shot: Rgb, place: tuple[int, int]) -> list[int]:
    return [int(part) for part in shot[place[1], place[0]]]


def test_strokes_and_erasures_show_in_the_next_picture(app: App) -> None:
    press(app, "c")
    assert app.session.waiting
    middle = point(app, 14, 14)
    white = pixel(frame(app), middle)
    app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=point(app, 14, 8), button=1))
    app.handle(Event(pygame.MOUSEMOTION, pos=point(app, 14, 20), rel=(0, 0), buttons=(1, 0, 0)))
    app.tick(0.0)
    assert pixel(frame(app), middle) != white
    assert float(grey(app)[14, 14]) == 1.0
    app.handle(Event(pygame.MOUSEBUTTONUP, pos=point(app, 14, 20), button=1))
    stroke(app, (14, 14), (14, 15), button=3)
    assert float(grey(app)[14, 14]) == 0.0
    assert pixel(frame(app), point(app, 10, 14)) == white


def test_eraser_removes_pixels_and_damage_brush_resets_states(app: App) -> None:
    for _ in range(5):
        app.session.advance()
    cells = app.session.world.cells
    assert float(app.session.world.state.abs().sum()) > 0
    press(app, "d")
    app.brush = 4.0
    row, column = app.session.world.position[cells // 2].tolist()
    stroke(app, (row, column))
    damaged = app.session.world
    assert damaged.cells == cells
    near = ((damaged.position - torch.tensor([row, column])) ** 2).sum(1) <= 80
    assert not damaged.state[near].any()
    assert damaged.state[~near].any() or bool(near.all())
    press(app, "e")
    stroke(app, (row, column))
    assert app.session.world.cells < cells


def test_drawing_outside_the_canvas_has_no_effect(app: App) -> None:
    outside = (app.layout.stage.left + 2, app.layout.stage.centery)
    before = app.session.world
    click(app, outside)
    app.handle(Event(pygame.MOUSEMOTION, pos=(5, 5), rel=(0, 0), buttons=(1, 0, 0)))
    app.tick(0.1)
    assert app.session.world is before
    assert app.notice == ""


def test_class_button_mutates_and_a_second_press_shows_another_sample(app: App) -> None:
    app.session.advance()
    seen = []
    for _ in range(3):
        click(app, button(app, "Change the picture to 7").place.center)
        assert app.session.world.label.tolist() == [7]
        assert button(app, "Change the picture to 7").active()
        seen.append(grey(app).clone())
    assert not torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[1], seen[2])
    press(app, "2")
    assert app.session.world.label.tolist() == [2]
    assert [edit.perturbation.kind for edit in app.session.plan] == ["mutate"] * 4


def test_time_runs_at_the_chosen_speed_and_pauses(app: App) -> None:
    app.speed = app.SPEEDS.index(60.0)
    press(app, "space")
    for _ in range(30):
        app.tick(1 / 60)
    assert app.session.step == 30
    assert app.rate == pytest.approx(60)
    press(app, "-")
    for _ in range(30):
        app.tick(1 / 60)
    assert app.session.step == 45
    app.speed = 0
    for _ in range(60):
        app.tick(1 / 60)
    assert app.session.step == 46
    press(app, "space")
    app.tick(1.0)
    assert app.session.step == 46
    press(app, ".")
    assert app.session.step == 47
    press(app, "left")
    assert app.session.step == 46


def test_time_bar_goes_back_and_drawing_in_the_past_branches(app: App) -> None:
    for _ in range(100):
        app.session.advance()
    bar = app.timebar
    click(app, (bar.x(40), bar.place.centery))
    assert (app.session.step, app.session.reached) == (40, 100)
    stroke(app, (3, 3), (3, 20))
    assert app.session.reached == 40


def test_the_button_beside_play_goes_back_to_step_0_and_forgets_nothing(app: App) -> None:
    start = app.session.world.state
    for _ in range(30):
        app.session.advance()
    end = app.session.world.state
    foot = [w for w in app.widgets if app.layout.foot.contains(w.place)]
    back = button(app, "Go to step 0")
    assert back in foot
    click(app, back.place.center)
    assert torch.equal(app.session.world.state, start)
    lines = [line.text for line in window(app)]
    assert "step 0" in lines
    assert "of 30" in lines
    assert len(app.session.plan) == 0
    press(app, "end")
    assert torch.equal(app.session.world.state, end)


def test_the_button_that_wipes_memory_is_below_disturb(app: App) -> None:
    for _ in range(5):
        app.session.advance()
    wipe = button(app, "Restart: set all states to zero")
    (heading,) = [line for line in window(app) if line.text == "Disturb"]
    below = button(app, "Jolt").place
    assert (wipe.place.top, wipe.place.bottom) == (below.top, below.bottom)
    assert wipe.place.top > heading.place.bottom
    click(app, wipe.place.center)
    assert not app.session.world.state.any()
    assert app.notice == "Restart: from zeros"
    assert app.session.step == 5


def test_clicking_a_cell_shows_its_state_and_label(app: App) -> None:
    for _ in range(10):
        app.session.advance()
    world = app.session.world
    row, column = world.position[20].tolist()
    before = frame(app)
    press(app, "i")
    click(app, point(app, row, column))
    assert app.witness is not None
    assert app.witness.site == row * 28 + column
    rail = app.layout.right
    panel = np.s_[rail.centery : rail.bottom, rail.left : rail.right]
    assert (frame(app)[panel] != before[panel]).any()
    for _ in range(3):
        app.session.advance()
        app.settle()
    assert [step for step, _ in app.witness.said] == [10, 11, 12, 13]
    assert app.session.world.cells == world.cells
    press(app, "escape")
    assert app.witness is None


@pytest.fixture
def midway(rule_file: Path) -> App:
    """Two worlds in the past of a branch, with an inspected cell: every key has an effect."""
    file = rule_file.parent / "two.yaml"
    text = "rule: busy.safetensors\nimages: {dataset: strokes, count: 2}\nsteps: 90\n"
    file.write_text(text, encoding="utf-8")
    app = App(from_scenario(str(file)), folder=rule_file.parent)
    for _ in range(8):
        app.session.advance()
    app.seek(4)
    app.question(tuple(app.session.alone.position[20].tolist()))
    app.tick(0.0)
    return app


@pytest.mark.parametrize("key", [key for action in ACTIONS for key in action.keys])
def test_every_key_of_the_help_has_a_visible_effect(midway: App, key: str) -> None:
    if key == TOOLS[0].key:
        midway.tool = TOOLS[1]
    before = frame(midway)
    press(midway, key)
    assert (frame(midway) != before).any()


def test_unknown_keys_change_nothing(midway: App) -> None:
    used = {key for action in ACTIONS for key in action.keys}
    before, files = frame(midway), sorted(midway.folder.iterdir())
    for key in "EWZ_;":
        assert key not in used
        press(midway, key)
    assert (frame(midway) == before).all()
    assert sorted(midway.folder.iterdir()) == files


@pytest.mark.parametrize("size", [(1280, 720), (2560, 1440), (960, 540), (800, 900)])
def test_controls_lie_on_the_window_without_overlap(app: App, size: tuple[int, int]) -> None:
    app.handle(Event(pygame.WINDOWRESIZED, x=size[0], y=size[1]))
    places = [widget.place for widget in app.widgets]
    for number, place in enumerate(places):
        assert app.layout.window.contains(place), app.widgets[number].tip
        assert place.collidelist(places[number + 1 :]) == -1, app.widgets[number].tip
        assert not place.colliderect(app.canvas)
    assert all(widget.tip for widget in app.widgets)
    assert frame(app).shape == (size[1], size[0], 3)


def test_hovering_a_control_shows_its_tooltip(app: App) -> None:
    for widget in app.widgets:
        app.pointer = (-1, -1)
        without_tip = [line.text for line in window(app)]
        move = Event(pygame.MOUSEMOTION, pos=widget.place.center, rel=(0, 0), buttons=(0, 0, 0))
        app.handle(move)
        texts = [line.text for line in window(app)]
        assert texts[: len(without_tip)] == without_tip
        tip = app.timebar.told(app.pointer) if widget is app.timebar else widget.tip
        assert " ".join(texts[len(without_tip) :]).split() == tip.split()


def test_sliders_follow_the_pointer(app: App) -> None:
    for slider in (widget for widget in app.widgets if isinstance(widget, Slider)):
        left, right = slider.place.midleft, slider.place.midright
        app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=left, button=1))
        low = slider.get()
        at = (right[0] - 1, right[1])
        app.handle(Event(pygame.MOUSEMOTION, pos=at, rel=(0, 0), buttons=(1, 0, 0)))
        app.handle(Event(pygame.MOUSEBUTTONUP, pos=at, button=1))
        high = slider.get()
        assert slider.label == "Hue" or high > low
        assert slider.shown()


def test_equal_looks_give_equal_pixels(app: App) -> None:
    app.session.advance()
    assert (frame(app) == frame(app)).all()
    pictures = set()
    for view in VIEWS:
        app.view = view
        pictures.add(frame(app).tobytes())
    press(app, "t")
    pictures.add(frame(app).tobytes())
    assert len(pictures) == len(VIEWS) + 1


def test_saved_files_hold_what_the_window_showed(app: App) -> None:
    for _ in range(6):
        app.session.advance()
    shown = frame(app)
    press(app, "s")
    with Image.open(app.folder / "swarm-1.png") as image:
        assert (np.asarray(image) == shown).all()
    press(app, "x")
    with np.load(app.folder / "states-1.npz") as states:
        assert (states["state"] == app.session.world.state.numpy()).all()
    press(app, "y")
    run = sn.run(app.folder / "session-1.yaml")
    assert torch.equal(run.frames[-1].world.state, app.session.world.state)
    press(app, "y")
    assert (app.folder / "session-2.yaml").exists()
    press(app, "o")
    for _ in range(8):
        app.session.advance()
        app.settle()
    press(app, "o")
    while app.film is not None:
        app.tick(0.0)
    with Image.open(app.folder / "recording-1.webp") as film:
        assert film.n_frames == 9  # type: ignore[attr-defined]
    assert app.notice == "Saved recording-1.webp"


def test_dropped_pictures_are_loaded_and_other_files_refused(app: App, tmp_path: Path) -> None:
    ink = np.full((50, 40), 255, np.uint8)
    ink[10:40, 18:24] = 0
    Image.fromarray(ink).save(tmp_path / "one.png")
    app.handle(Event(pygame.DROPFILE, file=str(tmp_path / "one.png")))
    assert 50 < app.session.world.cells < 100
    assert grey(app).shape == (28, 28)
    (tmp_path / "rubbish.png").write_text("no picture", encoding="utf-8")
    cells = app.session.world.cells
    app.handle(Event(pygame.DROPFILE, file=str(tmp_path / "rubbish.png")))
    assert "rubbish.png" in app.notice
    assert app.session.world.cells == cells


def test_a_dropped_picture_that_is_too_large_is_refused(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.png"
    Image.new("1", (9_000, 9_000), 1).save(path)
    before = app.session.world
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("its pixels were decoded"))
    app.handle(Event(pygame.DROPFILE, file=str(path)))
    assert "9,000×9,000 pixels is too large, the maximum is 16,777,216: scale it" in app.notice
    assert app.session.world is before


def test_a_large_canvas_is_filled_with_digits(app: App) -> None:
    click(app, button(app, "New canvas of 112").place.center)
    assert app.extent == (112, 112)
    assert app.session.world.cells > 16 * 60
    assert app.session.step == 0
    app.session.advance()
    frame(app)


def test_a_diverging_rule_is_shown_without_errors(
    busy_rule: Callable[..., Rule], tmp_path: Path
) -> None:
    save_rule(busy_rule(strength=30.0), tmp_path / "wild.safetensors")
    app = App(from_rule(str(tmp_path / "wild.safetensors")), folder=tmp_path)
    app.playing = False
    app.question(tuple(app.session.world.position[30].tolist()))
    sizes = set()
    while not app.session.world.state.isnan().all():
        assert app.session.step < 100
        app.session.advance()
        app.settle()
        sizes.add(curves_said(window(app))[0]["magnitude"])
        assert lies(app) == []
    assert "–" in sizes
    assert any("e+" in size for size in sizes)
    for view in VIEWS:
        app.view = view
        assert lies(app) == []
    app.view = VIEWS[0]
    # A nan state has no label: the cell is silent and drawn black.
    shot = frame(app)
    row, column = app.session.world.position[50].tolist()
    assert pixel(shot, point(app, row, column)) == [0, 0, 0]


def test_the_canvas_has_whole_pixels_where_they_fit() -> None:
    layout = layout_of((1280, 720))
    for side in (28, 56, 84, 112, 140):
        assert layout.canvas(side, side).width % side == 0
    assert layout.canvas(700, 1400).width <= layout.stage.width


def test_the_number_of_the_world_is_shown_from_the_start(rule_file: Path) -> None:
    file = rule_file.parent / "three.yaml"
    text = "rule: busy.safetensors\nimages: {dataset: strokes, count: 3}\nsteps: 20\n"
    file.write_text(text, encoding="utf-8")
    app = App(from_scenario(str(file)))
    for number in (1, 2, 3, 1):
        shown = [line.text for line in window(app)]
        assert f"world {number} of 3" in shown
        assert app.session.shown == number - 1
        press(app, "w")
    alone = App(from_rule(str(rule_file)))
    assert not [line for line in window(alone) if line.text.startswith("world ")]


def test_expectations_are_pending_until_they_come_due(rule_file: Path) -> None:
    file = rule_file.parent / "wanted.yaml"
    text = "rule: busy.safetensors\nimages: {dataset: strokes, label: 3}\nsteps: 9\nexpect:\n"
    for at, low in ((2, 0.0), (5, 99.0), (9, 0.0)):
        text += f"  - {{metric: state_magnitude, at: {at}, min: {low}}}\n"
    file.write_text(text, encoding="utf-8")
    app, said = App(from_scenario(str(file))), []
    for _ in range(10):
        (line,) = [line.text for line in window(app) if line.text.startswith("expectations")]
        said.append(line.removeprefix("expectations: "))
        app.session.advance()
    assert said[:2] == ["3 pending"] * 2
    assert said[2:5] == ["1 passed, 2 pending"] * 3
    assert said[5:9] == ["1 passed, 1 failed, 1 pending"] * 4
    assert said[9] == "2 passed, 1 failed"
