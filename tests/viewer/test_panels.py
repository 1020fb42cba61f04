"""The panels show true values of the world after every kind of edit and at every step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pygame
import pytest
from pygame import Surface
from pygame.event import Event

from swarm_nca.perturbations import Draw, Erase, Noise, Restart
from swarm_nca.viewer.app import App
from swarm_nca.viewer.history import History
from swarm_nca.viewer.panels import WINDOW
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.session_config import from_rule, from_scenario

from .reading import curves_said, truth, window

DAMAGE = "perturbations:\n  - {at: 5, kind: damage, shape: half, side: top}\n"


def said(app: App) -> dict[str, str]:
    (values,) = curves_said(window(app))
    return values


@pytest.fixture(scope="module")
def agreed() -> App:
    """Paused after the cells of a shipped rule agree."""
    app = App(from_rule("digits"))
    app.playing = False
    for _ in range(60):
        app.session.advance()
        app.settle()
    assert said(app)["accuracy"] == "100%"
    return app


@pytest.fixture
def batch(rule_file: Path) -> App:
    """Three worlds with different pictures, some steps into a scenario."""
    file = rule_file.parent / "three.yaml"
    text = "rule: busy.safetensors\nimages: {dataset: strokes, count: 3}\nsteps: 200\n"
    file.write_text(text + DAMAGE, encoding="utf-8")
    app = App(from_scenario(str(file)))
    app.playing = False
    for _ in range(20):
        app.session.advance()
        app.settle()
    return app


def test_while_paused_the_curves_show_restarted_states(agreed: App) -> None:
    agreed.edit(Restart())
    agreed.tick(0.0)
    silence = {"accuracy": "–", "largest vote": "0%", "undecided": "–", "magnitude": "0.00"}
    assert said(agreed) == silence
    row = agreed.session.history.between(60, 60)
    assert row[0, 1 + History.NAMES.index("magnitude")] == 0.0


@pytest.mark.parametrize(
    "edit",
    [Restart(), Noise(strength=1.0), Erase(points=((14.0, 14.0),), radius=6.0), None],
    ids=["restart", "noise", "erase", "draw"],
)
def test_after_an_edit_the_numbers_are_those_of_the_edited_world(
    app: App, edit: Restart | Noise | Erase | None
) -> None:
    for _ in range(12):
        app.session.advance()
        app.settle()
    before = said(app)
    app.edit(edit or Draw(points=((2.0, 2.0), (2.0, 25.0)), radius=2.0, label=-1))
    assert said(app) == truth(app.session).curves != before
    app.tick(0.0)
    assert said(app) == truth(app.session).curves


def test_steps_without_a_picture_have_true_values(app: App) -> None:
    for _ in range(40):
        app.session.advance()
    app.settle()
    numbers = set()
    for step in (33, 7, 0, 40, 21):
        app.seek(step)
        assert said(app) == truth(app.session).curves
        numbers.add(said(app)["magnitude"])
    assert len(numbers) == 5


def test_going_back_fills_missing_values_of_the_curves(app: App) -> None:
    for _ in range(40):
        app.session.advance()
    app.settle()
    for step in (33, 7):
        app.seek(step)
        app.tick(0.0)
    steps = app.session.history.between(0, 40)[:, 0].tolist()
    assert steps == [7, 33, 40]


def test_an_edit_replaces_the_values_of_its_step(app: App) -> None:
    app.playing, app.speed = True, app.SPEEDS.index(60.0)
    for _ in range(10):
        app.tick(1 / 60)
    at = app.session.step
    app.edit(Restart())
    app.session.advance()
    app.settle()
    assert at not in app.session.history.between(0, 99)[:, 0].tolist()
    app.seek(at)
    app.tick(0.0)
    (row,) = app.session.history.between(at, at)
    assert row[1 + History.NAMES.index("magnitude")] == 0.0


def test_each_world_of_a_batch_has_its_own_curves(batch: App) -> None:
    pictures, numbers = [], set()
    for number in range(3):
        assert batch.session.shown == number
        assert said(batch) == truth(batch.session).curves
        numbers.add(tuple(said(batch).values()))
        rows = batch.session.history.between(0, 20, number)
        assert rows[:, 0].tolist() == list(range(1, 21))
        pictures.append(rows[:, 1:])
        batch.handle(Event(pygame.KEYDOWN, key=ord("w"), mod=0, unicode="w"))
    assert len(numbers) == 3
    assert not np.array_equal(pictures[0], pictures[1], equal_nan=True)


def test_values_of_a_world_are_equal_alone_and_in_a_batch(batch: App) -> None:
    session = batch.session
    for number in range(3):
        session.show(number)
        alone = Session(session.opening)
        alone.show(number)
        for _ in range(20):
            alone.advance()
        values = session.history.between(20, 20, number)[0, 1:]
        assert values.tolist() == pytest.approx(list(alone.values.values()), nan_ok=True)


def test_going_back_after_a_change_of_world_repeats_no_notice(batch: App) -> None:
    news = list(batch.session.said)
    assert len(news) == 1
    batch.session.show(2)
    batch.session.seek(0)
    batch.session.seek(20)
    assert list(batch.session.said) == news


def test_the_curves_show_the_steps_around_the_step_shown(app: App) -> None:
    for _ in range(3 * WINDOW):
        app.session.advance()
    spans = []
    for step in (3 * WINDOW, 2 * WINDOW + 10, WINDOW, 20, 0):
        app.seek(step)
        (span,) = [line.text for line in window(app) if line.text.startswith("steps ")]
        first, last = (int(part.replace(",", "")) for part in span[6:].split(" – "))
        assert first <= step <= last
        assert last - first == WINDOW
        spans.append((first, last))
    assert spans[0] == (2 * WINDOW, 3 * WINDOW)
    assert spans[-1] == (0, WINDOW)
    assert spans == sorted(spans, reverse=True)


def test_an_unfinished_stroke_counts_in_the_numbers_of_its_picture(app: App) -> None:
    for _ in range(5):
        app.session.advance()
    app.tick(0.0)
    canvas = app.canvas
    app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=(canvas.left + 9, canvas.top + 9), button=1))
    place = (canvas.right - 9, canvas.top + 9)
    app.handle(Event(pygame.MOUSEMOTION, pos=place, rel=(0, 0), buttons=(1, 0, 0)))
    app.tick(0.0)
    lines = [line.text for line in window(app)]
    true = truth(app.session)
    assert f"{true.cells:,} cells in 2 pieces" in lines
    assert said(app) == true.curves


def test_painting_does_not_change_the_session(app: App) -> None:
    for _ in range(5):
        app.session.advance()
    before = app.session.history.between(0, 99).tolist()
    app.draw(Surface(app.layout.window.size))
    assert app.session.history.between(0, 99).tolist() == before
