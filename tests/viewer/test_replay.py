"""Random input in a session, saved as a scenario, runs to the same states for both rules."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pygame
import pytest
import torch
from pygame.event import Event

import swarm_nca as sn
from swarm_nca.rules import Rule, save_rule
from swarm_nca.viewer.app import App
from swarm_nca.viewer.dials import DIALS
from swarm_nca.viewer.faults import FAULTS
from swarm_nca.viewer.overlays import VIEWS
from swarm_nca.viewer.tools import TOOLS
from swarm_nca.world import World

from .story import Visitor

#: Actions in a session, and sessions; more of them with SWARM_NCA_FUZZ=full.
ACTIONS, SESSIONS = (500, 5) if os.environ.get("SWARM_NCA_FUZZ") == "full" else (250, 1)


def same(one: World, other: World) -> bool:
    return torch.equal(one.address, other.address) and torch.equal(one.state, other.state)


@pytest.fixture
def other_file(busy_rule: Callable[..., Rule], rule_file: Path) -> Path:
    """A second rule for the same drawing."""
    path = rule_file.parent / "other.safetensors"
    save_rule(busy_rule(strength=0.03), path)
    return path


class Hands:
    """Random user actions."""

    def __init__(self, app: App, other: Path, seed: int) -> None:
        self.app, self.other, self.random = app, other, Random(seed)
        self.visitor = Visitor(app)
        #: Actions and their frequencies.
        self.actions: dict[Callable[[], None], int] = {
            self.wait: 30,
            self.stroke: 20,
            self.fingers: 5,
            self.change: 8,
            self.fault: 8,
            self.turn: 8,
            self.rewind: 6,
            self.restart: 2,
            self.clear: 1,
            self.fill: 1,
            self.look: 4,
            self.stand: 3,
        }

    def act(self) -> None:
        (action,) = self.random.choices(list(self.actions), list(self.actions.values()))
        action()

    def place(self) -> tuple[int, int]:
        pane = self.random.randrange(len(self.app.session.side_by_side))
        return self.visitor.place(self.random.uniform(-1, 28), self.random.uniform(-1, 28), pane)

    def wait(self) -> None:
        self.app.playing = True
        self.visitor.wait(self.random.randrange(1, 8))

    def stroke(self) -> None:
        self.app.tool = self.random.choice(TOOLS)
        button = self.random.choice([1, 1, 1, 2, 3])
        self.app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=self.place(), button=button))
        for _ in range(self.random.randrange(4)):
            self.visitor.move(self.place())
            self.app.tick(1 / 60)
        self.app.handle(Event(pygame.MOUSEBUTTONUP, pos=self.place(), button=button))

    def fingers(self) -> None:
        width, height = self.app.layout.window.size
        self.app.tool = TOOLS[0]
        for kind in (pygame.FINGERDOWN, pygame.FINGERMOTION, pygame.FINGERMOTION, pygame.FINGERUP):
            for number in (3, 5):
                x, y = self.place()
                place = {"finger_id": number, "touch_id": 1, "x": x / width, "y": y / height}
                self.app.handle(Event(kind, dx=0.0, dy=0.0, **place))
            self.app.tick(1 / 60)

    def change(self) -> None:
        self.app.mutate(self.random.randrange(10))

    def fault(self) -> None:
        self.random.choice(FAULTS).strike(self.app)

    def turn(self) -> None:
        DIALS[self.random.choice(list(DIALS))].set_share(self.app, self.random.random())

    def rewind(self) -> None:
        bar, step = self.app.timebar, self.random.randrange(self.app.session.reached + 1)
        self.visitor.click((bar.x(step), bar.place.centery))

    def restart(self) -> None:
        self.visitor.press_button("Restart")

    def clear(self) -> None:
        self.app.clear()

    def fill(self) -> None:
        self.app.fill()

    def look(self) -> None:
        self.app.view = self.random.choice([view for view in VIEWS if view.name != "Tiles"])

    def stand(self) -> None:
        self.app.stand_beside(None if self.app.beside else str(self.other))


@pytest.mark.parametrize("seed", range(SESSIONS))
def test_the_saved_scenario_repeats_random_actions(app: App, other_file: Path, seed: int) -> None:
    hands = Hands(app, other_file, seed)
    for _ in range(ACTIONS):
        hands.act()
    app.stand_beside(str(other_file))
    session = app.session
    session.seek(session.reached)
    hands.change()
    assert session.advance()
    kinds = {edit.perturbation.kind for edit in session.plan}
    assert len(kinds) >= 5, "too few edits remained after the last branch"
    session.catch_up()
    visitor = Visitor(app)
    visitor.press_button("Save the session")
    file = app.folder / "session-1.yaml"
    run = sn.run(file)
    assert run.steps == session.step
    assert same(run.frames[-1].world, session.world)
    assert session.beside is not None
    text = file.read_text(encoding="utf-8").replace("busy.safetensors", "other.safetensors")
    (app.folder / "other.yaml").write_text(text, encoding="utf-8")
    assert same(sn.run(app.folder / "other.yaml").frames[-1].world, session.beside.world)
