"""Undo and redo: the window shows again what it showed before an edit, and after it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pygame
import pytest
import torch
from PIL import Image
from pygame.event import Event

from swarm_nca.perturbations import Draw, Noise
from swarm_nca.render import Rgb
from swarm_nca.rules import Rule, save_rule
from swarm_nca.viewer import trail
from swarm_nca.viewer.app import App
from swarm_nca.viewer.headless import frame
from swarm_nca.viewer.session_config import from_rule

from .story import Visitor

UNDO, REDO = "Undo the last change", "Redo the change undone"

#: Edits through the window: strokes, classes, disturbances, dials, canvases.
CHANGES = (
    "Change the picture to 7",
    "Stroke",
    "Jolt",
    "Loss",
    "Chimera",
    "Restart",
    "Fire rate",
    "New canvas of 56",
    "Clear the canvas",
    "Stroke",
    "Fill the canvas",
    "New canvas of 84",
    "Change the picture to 2",
)


def seen(app: App) -> Rgb:
    """Canvas, panels and time, without the notice: what the window shows of the session."""
    app.notice, app.pointer = "", (-1, -1)
    layout, shot = app.layout, frame(app)
    parts = (layout.stage, layout.right, layout.foot)
    return np.concatenate(
        [shot[part.top : part.bottom, part.left : part.right].reshape(-1, 3) for part in parts]
    )


def play(app: App, steps: int) -> None:
    for _ in range(steps):
        app.session.advance()
        app.settle()


def change(app: App, name: str) -> None:
    visitor = Visitor(app)
    if name == "Stroke":
        visitor.draw([visitor.place(3.0, column) for column in (3.0, 8.0, 12.0)])
        visitor.release()
    elif name == "Fire rate":
        place = next(w.place for w in app.widgets if getattr(w, "label", "") == name)
        visitor.draw([(place.left + x, place.centery) for x in (10, 20, 40)])
        visitor.release()
    else:
        visitor.click(visitor.control(name))


def test_all_changes_are_undone_and_redone_one_by_one(app: App) -> None:
    visitor, moments = Visitor(app), []
    for number, name in enumerate(CHANGES):
        play(app, 4 + number)
        moments.append(seen(app))
        change(app, name)
    play(app, 5)
    moments.append(seen(app))
    assert len({picture.tobytes() for picture in moments}) == len(CHANGES) + 1
    for picture in reversed(moments[:-1]):
        visitor.press_button(UNDO)
        assert np.array_equal(seen(app), picture)
    assert (app.trail.undoable, len(app.session.plan)) == (0, 0)
    for picture in moments[1:]:
        visitor.press_button(REDO)
        assert np.array_equal(seen(app), picture)
    assert app.trail.redoable == 0


def test_undo_shows_the_moment_before_the_edit_and_repeats_it_from_there(app: App) -> None:
    visitor = Visitor(app)
    play(app, 20)
    moment = seen(app)
    visitor.draw([visitor.place(4.0, column) for column in (4.0, 12.0, 20.0)])
    visitor.release()
    play(app, 30)
    later = seen(app)
    app.handle(Event(pygame.KEYDOWN, key=ord("z"), mod=pygame.KMOD_CTRL, unicode="\x1a"))
    assert app.notice == "Undone: draw, at step 20"
    assert np.array_equal(seen(app), moment)
    mods = pygame.KMOD_CTRL | pygame.KMOD_SHIFT
    app.handle(Event(pygame.KEYDOWN, key=ord("z"), mod=mods, unicode="\x1a"))
    assert np.array_equal(seen(app), later)
    app.seek(20)
    app.seek(50)
    assert np.array_equal(seen(app), later)


def test_an_edit_in_the_past_loses_no_future(app: App) -> None:
    play(app, 40)
    end = app.session.world
    app.seek(10)
    app.edit(Noise(strength=0.5))
    assert app.session.reached == 10
    Visitor(app).press_button(UNDO)
    assert (app.session.step, app.session.reached) == (10, 40)
    app.seek(40)
    assert torch.equal(app.session.world.state, end.state)


def test_a_new_canvas_can_be_taken_back_with_its_drawing_and_its_past(app: App) -> None:
    visitor = Visitor(app)
    app.edit(Draw(points=((3.0, 3.0), (3.0, 24.0)), label=-1))
    play(app, 30)
    moment, drawing = seen(app), app.session.world.picture()
    for side in (56, 140):
        visitor.press_button(f"New canvas of {side}")
    assert app.extent == (140, 140)
    for _ in range(2):
        visitor.press_button(UNDO)
    assert np.array_equal(seen(app), moment)
    assert torch.equal(app.session.world.picture(), drawing)
    assert app.session.reached == 30
    app.seek(0)
    assert torch.equal(app.session.world.picture(), drawing)
    visitor.press_button(UNDO)
    assert not torch.equal(app.session.world.picture(), drawing)


def test_a_dropped_picture_and_a_dropped_scenario_can_be_taken_back(
    app: App, rule_file: Path, tmp_path: Path
) -> None:
    ink = np.full((50, 40), 255, np.uint8)
    ink[10:40, 18:24] = 0
    Image.fromarray(ink).save(tmp_path / "block.png")
    text = "rule: busy.safetensors\nimages: {glyph: 4}\nsteps: 20\n"
    (rule_file.parent / "four.yaml").write_text(text, encoding="utf-8")
    play(app, 4)
    moment = seen(app)
    for file in (tmp_path / "block.png", rule_file.parent / "four.yaml"):
        app.handle(Event(pygame.DROPFILE, file=str(file)))
        assert not np.array_equal(seen(app), moment)
        Visitor(app).press_button(UNDO)
        assert np.array_equal(seen(app), moment)


def test_buttons_are_faint_while_there_is_nothing_to_undo_or_redo(app: App) -> None:
    def strokes(tip: str) -> Rgb:
        place = next(w.place for w in app.widgets if w.tip.startswith(tip))
        return frame(app)[place.top : place.bottom, place.left : place.right]

    app.pointer = (-1, -1)
    faint = [strokes(tip) for tip in (UNDO, REDO)]
    Visitor(app).press_button(UNDO)
    assert app.notice == "Nothing to undo"
    app.mutate(4)
    dark = strokes(UNDO)
    assert dark.min() < faint[0].min()
    Visitor(app).press_button(UNDO)
    assert strokes(REDO).min() < faint[1].min()
    assert np.array_equal(strokes(UNDO), faint[0])
    app.mutate(5)  # a new change: the one undone cannot be made again
    assert np.array_equal(strokes(REDO), faint[1])
    Visitor(app).press_button(REDO)
    assert app.notice == "Nothing to redo"


def test_undo_takes_back_the_edits_of_both_rules(
    app: App, busy_rule: Callable[..., Rule], tmp_path: Path
) -> None:
    save_rule(busy_rule(strength=0.08, free_channels=5), tmp_path / "other.safetensors")
    app.stand_beside(str(tmp_path / "other.safetensors"))
    play(app, 12)
    moment = seen(app)
    app.edit(Draw(points=((3.0, 3.0), (3.0, 24.0))))
    play(app, 12)
    later = seen(app)
    Visitor(app).press_button(UNDO)
    assert np.array_equal(seen(app), moment)
    Visitor(app).press_button(REDO)
    assert np.array_equal(seen(app), later)
    # The second rule, chosen after the edit, is kept and starts again.
    app.stand_beside(str(tmp_path / "other.safetensors"))
    Visitor(app).press_button(UNDO)
    app.session.catch_up()
    app.seek(0)
    app.seek(12)
    pictures = [session.world.picture() for session in app.session.side_by_side]
    assert torch.equal(*pictures)
    assert np.array_equal(seen(app)[: len(moment) // 3], moment[: len(moment) // 3])


def test_snapshots_are_bounded_in_number_and_in_bytes(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(trail.MOST + 20):
        app.edit(Noise(strength=0.1))
    assert app.trail.undoable == trail.MOST
    monkeypatch.setattr(trail, "ROOM", 40 * app.session.snapshot().now.bytes)
    app.edit(Noise(strength=0.1))
    assert 30 <= app.trail.undoable <= 40
    big = App(from_rule(str(app.session.opening.rule_name)))
    monkeypatch.setattr(trail, "ROOM", 0)
    for side in (56, 84, 112):
        big.resize_canvas(side)
    assert big.trail.undoable == 1  # the last change can always be undone
    Visitor(big).press_button(UNDO)
    assert big.extent == (84, 84)
