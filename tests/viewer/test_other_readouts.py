"""The viewer with rules without classes: views, panels, input, saved files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pygame
import pytest
import torch
from pygame.event import Event

import swarm_nca as sn
from swarm_nca.scenario import run
from swarm_nca.viewer import commands, controls, saving
from swarm_nca.viewer.app import App
from swarm_nca.viewer.headless import film, frame
from swarm_nca.viewer.panes import rule_title
from swarm_nca.viewer.session_config import from_rule, from_scenario


def grown(tmp_path: Path) -> Path:
    generator = torch.Generator().manual_seed(1)
    rule = sn.Mlp.growing(hidden=(16,), generator=generator)
    torch.nn.init.normal_(rule.output, std=0.1, generator=generator)
    sn.save_rule(rule.requires_grad_(False), tmp_path / "grow.safetensors")
    path = tmp_path / "grow.yaml"
    path.write_text(
        "rule: grow.safetensors\nimages: {sprout: true}\ncanvas: [20, 20]\nsteps: 30\n"
        "target: {drawn: heart, size: 10}\nexpect: [{metric: error, at: 20, min: 0.0}]\n",
        encoding="utf-8",
    )
    return path


def play(app: App, steps: int) -> None:
    for _ in range(steps):
        app.session.advance()
        app.settle(1 / 30)


def drag(app: App, places: Sequence[tuple[int, int]], button: int = 1) -> None:
    canvas, (rows, columns) = app.canvas, app.extent
    points = [
        (
            round(canvas.left + (column + 0.5) * canvas.width / columns),
            round(canvas.top + (row + 0.5) * canvas.height / rows),
        )
        for row, column in places
    ]
    app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=points[0], button=button))
    for point in points[1:]:
        app.handle(Event(pygame.MOUSEMOTION, pos=point, rel=(0, 0), buttons=(1, 0, 0)))
    app.handle(Event(pygame.MOUSEBUTTONUP, pos=points[-1], button=button))


def shown(app: App) -> np.ndarray:
    return app.session.rule.readout.image(app.session.alone)


def test_the_first_view_is_named_after_the_read_out(tmp_path: Path) -> None:
    bits = App(from_scenario("life-glider"))
    assert [view.name for view in bits.views] == ["Bits", "Channel", "Fired", "Messages"]
    assert bits.view is bits.views[0]
    colours = App(from_scenario(str(grown(tmp_path))))
    names = [view.name for view in colours.views]
    assert names == ["RGBA", "Channel", "Tiles", "Fired", "Messages"]
    digits = App(from_rule("digits"))
    assert [view.name for view in digits.views][:2] == ["Classes", "Grey"]


@pytest.mark.parametrize("name", ["life", "grow", "row"])
def test_every_view_panel_and_key_works_in_both_themes(name: str, tmp_path: Path) -> None:
    opened = {"life": "life-glider", "row": "rule-110", "grow": str(grown(tmp_path))}
    app = App(from_scenario(opened[name]))
    play(app, 4)
    for theme in range(2):
        commands.next_theme(app)
        pictures = set()
        for number, view in enumerate(app.views):
            app.view = view
            app.question((0, 2 + number))
            pictures.add(frame(app).tobytes())
        assert len(pictures) == len(app.views), theme
    for key in "0123456789fckrjlmbBuUgGvVnNhHat":
        app.handle(Event(pygame.KEYDOWN, key=ord(key.lower()), unicode=key, mod=0))
        play(app, 1)
        frame(app)


def test_start_buttons_replace_class_buttons() -> None:
    app = App(from_scenario("life-glider"))
    assert list(controls.sections(app)) == ["Tools", "Start", "Canvas", "Disturb"]
    texts = [getattr(widget, "text", "") for widget in app.widgets]
    assert {"One cell", "Soup"} <= set(texts)
    next(widget for widget in app.widgets if getattr(widget, "text", "") == "One cell").press(
        (0, 0)
    )
    assert np.argwhere(shown(app)).tolist() == [[16, 16]]
    next(widget for widget in app.widgets if getattr(widget, "text", "") == "Soup").press((0, 0))
    first = shown(app)
    assert 200 < first.sum() < 480
    next(widget for widget in app.widgets if getattr(widget, "text", "") == "Soup").press((0, 0))
    assert not np.array_equal(shown(app), first)


def test_the_pen_makes_cells_alive_and_eraser_and_damage_remove_them() -> None:
    app = App(from_scenario("life-glider"))
    drag(app, [(4, 4), (4, 20)])
    drawn = shown(app)
    assert drawn[4, 5:20].all()
    drag(app, [(4, 10), (4, 14)], button=3)
    assert not shown(app)[4, 11:14].any()
    app.tool = next(tool for tool in controls.TOOLS if tool.name == "damage")
    app.brush = 3.0
    drag(app, [(4, 6)])
    assert not shown(app)[4, 4:8].any()
    assert shown(app)[14:19, 14:19].sum() == 5  # the glider is unchanged


def test_a_session_is_saved_as_a_scenario_that_repeats_it(tmp_path: Path) -> None:
    app = App(from_scenario("life-glider"), folder=tmp_path)
    play(app, 5)
    drag(app, [(4, 4), (4, 12)])
    play(app, 6)
    path = tmp_path / "again.yaml"
    path.write_text(saving.scenario_text(app.session, tmp_path), encoding="utf-8")
    again = run(path, overrides=["expect=[]", "steps=11"])
    last = again.frames[-1].world
    assert np.array_equal(last.readout.image(last), shown(app))
    assert rule_title(app.session) == "life B3/S23"


def test_going_back_and_playing_again_gives_the_same_board() -> None:
    app = App(from_scenario("r-pentomino"))
    play(app, 70)
    then = shown(app)
    app.seek(12)
    app.seek(70)
    assert np.array_equal(shown(app), then)


def test_a_world_of_one_row_is_drawn_over_time() -> None:
    app = App(from_scenario("rule-30"))
    play(app, 30)
    past = app.past(200)
    assert past is not None
    assert past.shape == (30, 241, 3)
    dark = (past != 255).any(axis=2).sum(axis=1)
    assert dark[:8].tolist() == [1, 3, 3, 6, 4, 9, 5, 12]
    app.seek(10)
    back = app.past(200)
    assert back is not None
    assert np.array_equal(back, past[:10])
    assert App(from_scenario("life-glider")).past(10) is None


def test_curves_show_alive_cells_and_expectations_are_checked(tmp_path: Path) -> None:
    app = App(from_scenario(str(grown(tmp_path))))
    film(app, 25, tmp_path / "grow.png")
    values = app.session.values
    alive = sn.metrics.alive(app.session.world, app.session.rule)
    assert values["largest vote"] * 400 == pytest.approx(alive)
    assert [result is not None and result.passed for result in app.session.expectations] == [True]


def test_a_growing_rule_starts_with_one_cell(tmp_path: Path) -> None:
    grown(tmp_path)
    app = App(from_rule(str(tmp_path / "grow.safetensors")))
    assert sn.metrics.alive(app.session.world, app.session.rule) == 1
    app.resize_canvas(84)
    assert app.extent == (84, 84)
    with pytest.raises(ValueError, match="its cells show rgba, not classes"):
        App(from_rule("digits")).stand_beside(str(tmp_path / "grow.safetensors"))


def test_a_larger_canvas_of_a_torus_is_a_torus() -> None:
    app = App(from_scenario("life-glider"))
    app.resize_canvas(56)
    assert app.session.world.canvas.grid.torus
