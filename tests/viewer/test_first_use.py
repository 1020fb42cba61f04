"""The storyboard with a shipped rule, by mouse only: its pictures show the true state."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from swarm_nca.render import tally
from swarm_nca.viewer.app import App
from swarm_nca.viewer.floating import explanation
from swarm_nca.viewer.lettering import font
from swarm_nca.viewer.session_config import from_rule, from_scenario

from .story import Scene, Visitor, composed, visit, write_story


class Moment(NamedTuple):
    """A scene, and the session's true values."""

    scene: Scene
    cells: int
    most: int
    share: float
    questioned: bool
    past: bool
    rules: int


@pytest.fixture(scope="module")
def moments() -> list[Moment]:
    """All moments of the storyboard, which is played once."""
    app = App(from_rule("digits"), (1160, 720))
    seen = []
    for scene in visit(app):
        session = app.session
        counts = tally(session.alone)
        most = int(counts[:-1].argmax())
        share = int(counts[most]) / session.alone.cells
        past, rules = session.step < session.reached, len(session.side_by_side)
        questioned = app.witness is not None
        seen.append(Moment(scene, session.alone.cells, most, share, questioned, past, rules))
    return seen


def test_a_digit_drawn_by_mouse_is_recognised_changed_and_inspected(
    moments: list[Moment],
) -> None:
    drawing, recognised, changed, inspected, hurt, beside = moments
    assert 20 < drawing.cells < recognised.cells
    assert (recognised.most, recognised.share) == (4, 1.0)
    assert changed.share < 0.9
    assert (inspected.most, inspected.share) == (2, 1.0)
    assert inspected.questioned
    assert hurt.past
    assert hurt.share < 0.95
    assert beside.rules == 2


def test_the_storyboard_is_one_picture_with_uncut_captions(moments: list[Moment]) -> None:
    scenes = [moment.scene for moment in moments]
    picture = composed(scenes)
    assert picture.shape[1] == 1800
    for scene in scenes:
        assert font(24).size(scene.words)[0] <= 840
        assert scene.part.height == scenes[0].part.height
    assert len(np.unique(picture[::9, ::9].reshape(-1, 3), axis=0)) > 50


def test_the_storyboard_writes_two_pictures(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder"):
        write_story(tmp_path / "nowhere")
    write_story(tmp_path)
    assert (tmp_path / "viewer-story.png").stat().st_size <= 700_000
    with Image.open(tmp_path / "viewer.png") as image:
        assert image.size == (1280, 720)


def test_an_unknown_tooltip_is_refused(app: App) -> None:
    with pytest.raises(ValueError, match="no control has the tooltip 'Publish'"):
        Visitor(app).control("Publish")


def test_the_title_of_a_scenario_explains_it(tmp_path: Path) -> None:
    (tmp_path / "told.yaml").write_text(
        "description: >-\n  A 7 that\n  becomes a 2.\n"
        "rule: digits\nimages: {dataset: strokes, label: 7}\nsteps: 4\n",
        encoding="utf-8",
    )
    app = App(from_scenario(str(tmp_path / "told.yaml")), folder=tmp_path)
    app.pointer = (app.layout.head.left + 40, app.layout.head.centery)
    explained = explanation(app)
    assert explained is not None
    assert explained[0] == "A 7 that becomes a 2."
