"""Two rules on one drawing: both get the same edits, and each runs as it would alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pygame
import pytest
import torch
from pygame.event import Event

import swarm_nca as sn
from swarm_nca.perturbations import Damage, Draw, Erase, Loss, Noise, Perturbation, Restart
from swarm_nca.rules import Classes, Rule, save_rule
from swarm_nca.viewer.app import App
from swarm_nca.viewer.beside import beside, partners
from swarm_nca.viewer.commands import next_beside
from swarm_nca.viewer.headless import frame
from swarm_nca.viewer.saving import scenario_text
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.session_config import SessionConfig, from_rule, from_scenario
from swarm_nca.world import World


@pytest.fixture
def other_file(busy_rule: Callable[..., Rule], tmp_path: Path) -> str:
    """Another rule for the same drawings, with fewer channels."""
    path = tmp_path / "other.safetensors"
    save_rule(busy_rule(strength=0.08, free_channels=5), path)
    return str(path)


@pytest.fixture
def pair(opening: SessionConfig, other_file: str) -> Session:
    session = Session(opening)
    session.accompany(beside(opening, other_file))
    return session


def second(session: Session) -> Session:
    assert session.beside is not None
    return session.beside


def same(one: World, other: World) -> bool:
    return torch.equal(one.address, other.address) and torch.equal(one.state, other.state)


def random_edit(random: Random) -> Perturbation:
    place = (round(random.uniform(4, 23), 2), round(random.uniform(4, 23), 2))
    return random.choice(
        [
            Draw(points=((14.0, 14.0), place), radius=1.5),
            Erase(points=(place,), radius=2.0),
            Damage(shape="disc", center=place, radius=4.0),
            Noise(strength=0.3),
            Loss(drop=0.25),
            Restart(),
        ]
    )


def play(session: Session, actions: int, seed: int) -> None:
    random = Random(seed)
    for _ in range(actions):
        kind = random.random()
        if kind < 0.6:
            for _ in range(random.randrange(1, 5)):
                session.advance()
        elif kind < 0.9:
            session.edit(random_edit(random))
        else:
            session.seek(random.randrange(session.reached + 1))


@pytest.mark.parametrize("seed", range(3))
def test_each_of_two_rules_runs_as_it_would_alone(
    pair: Session, opening: SessionConfig, other_file: str, seed: int
) -> None:
    first_alone, second_alone = Session(opening), Session(beside(opening, other_file))
    for session in (pair, first_alone, second_alone):
        play(session, 60, seed)
    assert same(pair.world, first_alone.world)
    assert same(second(pair).world, second_alone.world)
    assert second(pair).step == pair.step
    assert second(pair).reached == pair.reached
    assert torch.equal(pair.world.picture(), second(pair).world.picture())
    assert pair.world.links == second(pair).world.links


def test_going_back_and_branching_affects_both_rules(pair: Session) -> None:
    for _ in range(40):
        pair.advance()
    moment = second(pair).world
    pair.advance()
    pair.seek(40)
    assert same(second(pair).world, moment)
    pair.edit(Draw(points=((3.0, 3.0), (3.0, 20.0))))
    assert (pair.reached, second(pair).reached) == (40, 40)
    assert second(pair).plan is pair.plan
    pair.seek(0)
    pair.seek(40)
    assert second(pair).step == 40
    assert second(pair).world.cells == pair.world.cells > moment.cells


def test_a_rule_added_late_catches_up(opening: SessionConfig, other_file: str) -> None:
    session, alone = Session(opening), Session(beside(opening, other_file))
    for one in (session, alone):
        play(one, 60, 4)
        one.seek(one.reached)
        one.advance()
    session.accompany(beside(opening, other_file))
    assert session.lag == session.step
    session.catch_up(seconds=0.0)
    assert session.lag == session.step
    session.edit(Noise(strength=0.2))  # applied to the second rule when it reaches this step
    alone.edit(Noise(strength=0.2))
    session.advance()
    alone.advance()
    assert session.lag == 0
    assert same(second(session).world, alone.world)
    session.accompany(None)
    assert session.side_by_side == (session,)


def test_the_app_takes_no_step_until_the_second_rule_has_caught_up(
    app: App, other_file: str
) -> None:
    for _ in range(30):
        app.session.advance()
    app.stand_beside(other_file)
    app.playing = True
    while app.session.lag:
        assert app.session.step == 30
        frame(app)
        app.tick(0.1)
    app.tick(0.1)
    assert app.session.step > 30
    assert app.session.lag == 0


def test_rules_with_other_classes_or_cells_are_refused(
    opening: SessionConfig, busy_rule: Callable[..., Rule], tmp_path: Path
) -> None:
    for name, rule, why in (
        ("letters", busy_rule(classes=Classes.named("A", "B")), "its classes are A, B, not 0 … 9"),
        ("faint", busy_rule(alive_above=0.3), r"alive above 0\.3, not 0\.1"),
    ):
        path = tmp_path / f"{name}.safetensors"
        save_rule(rule, path)
        with pytest.raises(ValueError, match=f"{name}.*cannot run beside.*{why}"):
            App(opening, beside=str(path))
    with pytest.raises(ValueError, match=r"no rule 'mnost'.*did you mean 'mnist'"):
        App(opening, beside="mnost")


def test_the_key_cycles_through_shipped_rules_of_the_same_classes(app: App) -> None:
    rule = sn.load_rule("digits")
    assert "mnist" in partners("digits", rule)
    assert "digits" not in partners("digits", rule)
    offered = partners(app.session.opening.rule_name, app.session.rule)
    seen = []
    for _ in range(len(offered) + 1):
        app.handle(Event(pygame.KEYDOWN, key=ord("a"), mod=0, unicode="a"))
        seen.append(app.beside)
    assert seen == [*offered, None]
    assert app.session.beside is None


def test_a_stroke_on_one_canvas_acts_on_both_rules(app: App, other_file: str) -> None:
    alone = app.canvas
    app.stand_beside(other_file)
    left, right = app.canvases
    assert not left.colliderect(right)
    assert app.layout.stage.contains(left)
    assert app.layout.stage.contains(right)
    assert app.canvas != alone
    before = frame(app)
    size = right.width / 28
    point = (round(right.left + 3.5 * size), round(right.top + 4.5 * size))
    app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=point, button=1))
    app.handle(Event(pygame.MOUSEBUTTONUP, pos=point, button=1))
    for session in app.session.side_by_side:
        assert float(session.world.picture()[4, 3]) == 1.0
    after = frame(app)
    for canvas in (left, right):
        at = (round(canvas.top + 4.5 * size), round(canvas.left + 3.5 * size))
        assert (after[at] != before[at]).any()


def test_a_click_inspects_the_cell_of_that_canvas(app: App, other_file: str) -> None:
    app.stand_beside(other_file)
    for _ in range(5):
        app.session.advance()
    row, column = app.session.world.position[30].tolist()
    for number, canvas in enumerate(app.canvases):
        size = canvas.width / 28
        point = (round(canvas.left + (column + 0.5) * size), round(canvas.top + (row + 0.5) * size))
        app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=point, button=2))
        assert app.witness is not None
        assert (app.witness.site, app.witness.of) == (row * 28 + column, number)
        frame(app)
    app.stand_beside(None)
    assert app.witness is None
    frame(app)


def test_curves_and_votes_show_both_rules(app: App, other_file: str) -> None:
    for _ in range(3):
        app.session.advance()
        app.settle()
    rail = app.layout.right
    panel = np.s_[rail.top : rail.centery, rail.left : rail.right]
    alone = frame(app)[panel]
    app.stand_beside(other_file)
    app.session.catch_up()
    assert (frame(app)[panel] != alone).sum() > 500
    assert len(second(app.session).history) == len(app.session.history) == 3


def test_the_saved_scenario_and_its_notice_name_the_first_rule(app: App, other_file: str) -> None:
    app.stand_beside(other_file)
    play(app.session, 40, 9)
    app.session.seek(app.session.reached)
    app.session.edit(Draw(points=((5.0, 5.0), (20.0, 20.0))))
    app.session.advance()
    app.handle(Event(pygame.KEYDOWN, key=ord("y"), mod=0, unicode="y"))
    assert app.notice == "Saved session-1.yaml (rule busy only)"
    run = sn.run(app.folder / "session-1.yaml")
    assert same(run.frames[-1].world, app.session.world)
    assert "other" not in scenario_text(app.session, app.folder)


def test_a_scenario_runs_under_two_rules(rule_file: Path, other_file: str, tmp_path: Path) -> None:
    text = """
rule: busy.safetensors
images: {dataset: strokes, label: 7}
canvas: [28, 28]
start: random
seed: 3
steps: 12
perturbations:
  - {at: 5, kind: mutate, images: {glyph: 2}}
expect:
  - {metric: state_magnitude, at: 12, min: 0.0}
"""
    (tmp_path / "two.yaml").write_text(text, encoding="utf-8")
    swapped = text.replace("busy", "other")
    (tmp_path / "swapped.yaml").write_text(swapped, encoding="utf-8")
    session = Session(from_scenario(str(tmp_path / "two.yaml")))
    session.accompany(beside(session.opening, other_file))
    for _ in range(12):
        session.advance()
    assert same(session.world, sn.run(tmp_path / "two.yaml").frames[-1].world)
    assert same(second(session).world, sn.run(tmp_path / "swapped.yaml").frames[-1].world)
    assert len(session.expectations) == 1
    assert second(session).expectations == []


def test_a_copied_session_is_independent(pair: Session) -> None:
    play(pair, 30, 2)
    pair.seek(pair.reached)
    before = [session.world for session in pair.side_by_side]
    edits = len(pair.plan)
    other = pair.copy()
    other.edit(Restart())
    other.advance()
    other.seek(0)
    other.edit(Noise(strength=1.0))
    assert [
        same(session.world, world) for session, world in zip(pair.side_by_side, before, strict=True)
    ]
    assert len(pair.plan) == edits
    assert pair.reached > other.reached == 0


def test_the_second_rule_gets_the_changed_links_of_the_start(tmp_path: Path) -> None:
    path = tmp_path / "small-world.yaml"
    path.write_text(
        "name: small-world\nrule: digits\nimages: {glyph: 7}\ntopology: {rewire: 0.2}\nsteps: 9\n"
    )
    session = Session(from_scenario(str(path)))
    session.accompany(beside(session.opening, "digits"))
    for _ in range(6):
        session.advance()
    session.catch_up()
    assert same(session.world, second(session).world)


def test_a_second_rule_stands_on_its_own_grid() -> None:
    session = Session(from_rule("digits"))
    session.accompany(beside(session.opening, "digits-4"))
    for _ in range(8):
        session.advance()
    session.catch_up()
    alone = Session(from_rule("digits-4"))
    for _ in range(8):
        alone.advance()
    assert same(alone.world, second(session).world)


def test_rules_whose_grid_does_not_fit_the_start_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(
        "name: odd\nrule: digits\nimages: {glyph: 7}\ncanvas: [29, 29]\n"
        "topology: {torus: true}\nsteps: 9\n"
    )
    app = App(from_scenario(str(path)), folder=tmp_path)
    with pytest.raises(ValueError, match="even number of rows"):
        app.stand_beside("digits-hex")
    seen = []
    while not seen or seen[-1] is not None:
        next_beside(app)
        seen.append(app.beside)
    assert "digits-4" in seen
    assert "mnist" in seen
    assert "digits-hex" not in seen
