"""What the panels say is so in the world shown, whatever was done to it and whenever."""

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
    (told,) = curves_said(window(app))
    return told


@pytest.fixture(scope="module")
def agreed() -> App:
    """The clock is stopped after the shipped rule has come to agree."""
    app = App(from_rule("digits"))
    app.playing = False
    for _ in range(60):
        app.session.advance()
        app.settle()
    assert said(app)["accuracy"] == "100%"
    return app


@pytest.fixture
def batch(rule_file: Path) -> App:
    """Three worlds, of different pictures, a while into a scenario."""
    file = rule_file.parent / "three.yaml"
    told = "rule: busy.safetensors\nimages: {dataset: strokes, count: 3}\nsteps: 200\n"
    file.write_text(told + DAMAGE, encoding="utf-8")
    app = App(from_scenario(str(file)))
    app.playing = False
    for _ in range(20):
        app.session.advance()
        app.settle()
    return app


def test_with_the_clock_stopped_curves_do_not_outlive_the_memory(agreed: App) -> None:
    agreed.edit(Restart())
    agreed.tick(0.0)
    silence = {"accuracy": "–", "largest vote": "0%", "undecided": "–", "magnitude": "0.00"}
    assert said(agreed) == silence
    row = agreed.session.history.between(60, 60)
    assert row[0, 1 + History.NAMES.index("magnitude")] == 0.0


@pytest.mark.parametrize(
    "deed",
    [Restart(), Noise(strength=1.0), Erase(points=((14.0, 14.0),), radius=6.0), None],
    ids=["restart", "noise", "erase", "draw"],
)
def test_after_an_edit_numbers_are_those_of_the_world_as_it_is_now(
    app: App, deed: Restart | Noise | Erase | None
) -> None:
    for _ in range(12):
        app.session.advance()
        app.settle()
    before = said(app)
    app.edit(deed or Draw(points=((2.0, 2.0), (2.0, 25.0)), radius=2.0, label=-1))
    assert said(app) == truth(app.session).curves != before
    app.tick(0.0)
    assert said(app) == truth(app.session).curves


def test_steps_that_no_picture_was_made_of_are_told_as_they_were(app: App) -> None:
    for _ in range(40):
        app.session.advance()
    app.settle()
    numbers = set()
    for step in (33, 7, 0, 40, 21):
        app.seek(step)
        assert said(app) == truth(app.session).curves
        numbers.add(said(app)["magnitude"])
    assert len(numbers) == 5


def test_moments_gone_back_to_are_noted_where_the_curves_lacked_them(app: App) -> None:
    for _ in range(40):
        app.session.advance()
    app.settle()
    for step in (33, 7):
        app.seek(step)
        app.tick(0.0)
    steps = app.session.history.between(0, 40)[:, 0].tolist()
    assert steps == [7, 33, 40]


def test_an_edit_leaves_no_value_from_before_it_on_the_curves(app: App) -> None:
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


def test_a_change_of_world_brings_its_own_curves_along(batch: App) -> None:
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


def test_values_of_a_world_in_a_batch_are_those_it_has_alone(batch: App) -> None:
    session = batch.session
    for number in range(3):
        session.show(number)
        alone = Session(session.opening)
        alone.show(number)
        for _ in range(20):
            alone.advance()
        values = session.history.between(20, 20, number)[0, 1:]
        assert values.tolist() == pytest.approx(list(alone.values.values()), nan_ok=True)


def test_going_back_after_a_change_of_world_tells_no_news_twice(batch: App) -> None:
    news = list(batch.session.said)
    assert len(news) == 1
    batch.session.show(2)
    batch.session.seek(0)
    batch.session.seek(20)
    assert list(batch.session.said) == news


def test_the_curves_show_the_steps_around_the_moment_gone_back_to(app: App) -> None:
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


def test_a_stroke_in_the_making_counts_in_the_numbers_of_its_own_picture(app: App) -> None:
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
    assert f"{true.cells:,} cells" in lines
    assert said(app) == true.curves


def test_painting_changes_nothing_of_the_session(app: App) -> None:
    for _ in range(5):
        app.session.advance()
    before = app.session.history.between(0, 99).tolist()
    app.draw(Surface(app.layout.window.size))
    assert app.session.history.between(0, 99).tolist() == before
