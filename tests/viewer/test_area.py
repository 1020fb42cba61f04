"""The votes over time: each column of the stacked area shows the counts of its step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pygame import Rect

from swarm_nca.render import tally
from swarm_nca.rules import Rule, save_rule
from swarm_nca.viewer.app import App
from swarm_nca.viewer.area import stacked
from swarm_nca.viewer.headless import frame
from swarm_nca.viewer.panels import WINDOW
from swarm_nca.viewer.session_config import from_rule

from .reading import window


def test_colours_stand_in_the_order_and_share_of_the_votes() -> None:
    colors = np.array([(200, 0, 0), (0, 200, 0), (0, 0, 200)], np.uint8)
    steps, votes = np.array([0.0, 10.0, 20.0]), np.array([[10.0, 0, 0], [5, 3, 2], [0, 0, 10]])
    picture = stacked(steps, votes, colors, (31, 40), 30.0, (9, 9, 9))
    for column, counts in ((0, (40, 0, 0)), (10, (20, 12, 8)), (15, (20, 12, 8)), (20, (0, 0, 40))):
        rows = [color.tolist() for color in picture[:, column]]
        assert rows == [c.tolist() for c, n in zip(colors, counts, strict=True) for _ in range(n)]


def test_steps_that_are_not_measured_stay_empty() -> None:
    colors = np.array([(200, 0, 0), (0, 200, 0)], np.uint8)
    steps, votes = np.array([0.0, 1.0, 2.0, 50.0]), np.tile([3.0, 1.0], (4, 1))
    picture = stacked(steps, votes, colors, (101, 8), 100.0, (9, 9, 9))
    empty = (picture == 9).all(axis=(0, 2))
    assert empty[10:50].all()
    assert empty[60:].all()
    assert not empty[[0, 1, 2, 50]].any()
    none = stacked(np.zeros(0), np.zeros((0, 2)), colors, (5, 5), 9.0, (9, 9, 9))
    assert (none == 9).all()


def area_of(app: App) -> Rect:
    """The place below the caption, in the panel of the curves."""
    (caption,) = [line.place for line in window(app) if line.text.startswith("votes:")]
    panel = app.layout.rail(app.witness is not None)[1]
    top = caption.bottom + 1
    return Rect(panel.left, top, panel.width, panel.bottom - top)


@pytest.mark.parametrize("inspected", [False, True])
def test_the_window_shows_the_votes_of_every_step(inspected: bool) -> None:
    app = App(from_rule("digits"))
    app.playing = False
    app.pointer = (-1, -1)
    true = {}
    for step in range(121):
        app.settle()
        true[step] = tally(app.session.alone, shown_above=app.session.rule.shown_above)
        if step == 60:
            app.mutate(7)
            app.settle()
            true[step] = tally(app.session.alone, shown_above=app.session.rule.shown_above)
        app.session.advance()
    if inspected:
        app.question(tuple(app.session.world.position[9].tolist()))
    app.seek(120)
    place, palette = area_of(app), app.look.palette
    shot = frame(app)[place.top + 1 : place.bottom - 1, place.left : place.right]
    for step in (2, 10, 40, 62, 66, 75, 119):
        column = shot[:, round((step + 0.5) / WINDOW * (place.width - 1))]
        counts = [int((column == color).all(axis=1).sum()) for color in palette]
        shares = np.array(counts) / len(column)
        assert np.abs(shares - true[step] / true[step].sum()).max() <= 2.5 / len(column), step
    empty = shot[:, round(200 / WINDOW * place.width)]
    assert (empty == app.theme.track).all()


def test_two_rules_have_an_area_each(
    app: App, busy_rule: Callable[..., Rule], tmp_path: Path
) -> None:
    save_rule(busy_rule(strength=0.4, free_channels=5), tmp_path / "other.safetensors")
    app.stand_beside(str(tmp_path / "other.safetensors"))
    app.pointer = (-1, -1)
    for _ in range(40):
        app.session.advance()
        app.settle()
    place = area_of(app)
    shot = frame(app)[place.top : place.bottom, place.left : place.right]
    column = shot[:, round(30 / WINDOW * place.width)]
    gap = (column == app.theme.panel).all(axis=1)
    assert gap[len(gap) // 2 - 4 : len(gap) // 2 + 4].any()
    for look, part in zip(app.looks, np.split(column, [len(column) // 2]), strict=True):
        colors = {tuple(color.tolist()) for color in look.palette}
        assert len({tuple(color.tolist()) for color in part} & colors) > 1


def test_rules_without_classes_have_no_votes() -> None:
    from swarm_nca.viewer.session_config import from_scenario

    app = App(from_scenario("life-glider"))
    assert not [line for line in window(app) if line.text.startswith("votes")]
