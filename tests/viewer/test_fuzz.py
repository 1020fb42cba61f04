"""The viewer under random events: no error, and the panels show true values.

40,000 events: SWARM_NCA_FUZZ=full pytest tests/viewer/test_fuzz.py
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pygame
import pytest
import torch
from PIL import Image
from pygame import Surface
from pygame.event import Event

from swarm_nca.rules import Rule, save_rule
from swarm_nca.viewer.app import App

from .reading import lies

FULL = os.environ.get("SWARM_NCA_FUZZ") == "full"
SEEDS, BATCHES, BATCH = (8, 250, 20) if FULL else (2, 8, 20)

SIZES = [(1280, 720), (1120, 630), (960, 540), (640, 400), (2560, 1440), (300, 900), (1, 1)]
KEYS = [*range(32, 127), *(pygame.K_LEFT, pygame.K_RIGHT, pygame.K_UP, pygame.K_DOWN)]
KEYS += [pygame.K_HOME, pygame.K_END, pygame.K_DELETE, pygame.K_ESCAPE, pygame.K_F1, pygame.K_F12]
KEYS += [pygame.K_F11, pygame.K_PAGEUP, pygame.K_PAGEDOWN, pygame.K_RETURN, pygame.K_SPACE]
KEYS += [ord("z"), ord("z"), ord("y")]  # undo and redo, with the control key

SCENARIO = """
rule: busy.safetensors
images: {dataset: strokes, count: 3}
start: random
seed: 3
steps: 60
perturbations:
  - {at: 5, kind: mutate, images: {glyph: 2}}
  - {at: 20, kind: damage, shape: half, side: top}
  - {at: 30, kind: restart}
expect:
  - {metric: state_magnitude, at: 12, min: 0.0}
  - {metric: cell_accuracy, at: 50, min: 0.9}
"""


@pytest.fixture
def files(rule_file: Path, busy_rule: Callable[..., Rule]) -> list[str]:
    """Files to drop on the window: pictures, scenarios, and invalid files."""
    folder = rule_file.parent / "dropped"
    folder.mkdir()
    save_rule(busy_rule(), folder / "busy.safetensors")
    (folder / "three.yaml").write_text(SCENARIO, encoding="utf-8")
    (folder / "broken.yaml").write_text("rule: [", encoding="utf-8")
    (folder / "empty.yml").write_text("", encoding="utf-8")
    (folder / "rubbish.png").write_text("no picture", encoding="utf-8")
    ink = np.full((50, 40), 255, np.uint8)
    ink[10:40, 18:24] = 0
    Image.fromarray(ink).save(folder / "one.png")
    Image.fromarray(np.full((9, 9), 255, np.uint8)).save(folder / "blank.png")
    return [str(path) for path in sorted(folder.iterdir())] + [str(folder), str(folder / "none")]


def random_event(random: Random, app: App, files: list[str]) -> Event:
    width, height = app.layout.window.size
    place = (random.randrange(-5, width + 5), random.randrange(-5, height + 5))
    kind = random.random()
    if random.random() < 0.5:
        canvas = random.choice(app.canvases).inflate(20, 20)
        place = (
            random.randrange(canvas.left, canvas.right),
            random.randrange(canvas.top, canvas.bottom),
        )
    elif random.random() < 0.5:
        place = random.choice(app.widgets).place.center
    if kind < 0.1:
        down, moves, up = pygame.FINGERDOWN, pygame.FINGERMOTION, pygame.FINGERUP
        fields = {"finger_id": random.randrange(3), "touch_id": random.choice([-1, 1, 1])}
        fields |= {"x": place[0] / width, "y": place[1] / height, "dx": 0.0, "dy": 0.0}
        return Event(random.choice([down, moves, moves, up]), **fields)
    if kind < 0.3:
        return Event(pygame.MOUSEMOTION, pos=place, rel=(0, 0), buttons=(1, 0, 0))
    if kind < 0.5:
        return Event(pygame.MOUSEBUTTONDOWN, pos=place, button=random.choice([1, 1, 1, 2, 3, 4]))
    if kind < 0.65:
        return Event(pygame.MOUSEBUTTONUP, pos=place, button=1)
    if kind < 0.7:
        return Event(pygame.MOUSEWHEEL, x=0, y=random.choice([-3, -1, 0, 1, 2]))
    if kind < 0.72:
        return Event(pygame.DROPFILE, file=random.choice(files))
    if kind < 0.73:
        return Event(pygame.KEYUP, key=random.choice(KEYS), mod=0)
    if kind < 0.75:
        size = random.choice(SIZES)
        return Event(pygame.WINDOWRESIZED, x=size[0], y=size[1])
    code = random.choice(KEYS)
    letter = chr(code) if 32 < code < 127 else ""
    mods = [0, 0, 0, pygame.KMOD_SHIFT, pygame.KMOD_CTRL]
    return Event(pygame.KEYDOWN, key=code, mod=random.choice(mods), unicode=letter)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_under_random_events_panels_stay_true_and_no_step_is_lost(
    app: App, files: list[str], seed: int
) -> None:
    random = Random(seed)
    for _ in range(BATCHES):
        for number in range(BATCH):
            app.handle(random_event(random, app, files))
            if number % 4 == 3:
                app.tick(random.choice([0.0, 1 / 60, 1 / 60, 0.1]))
            if number % 10 == 9:
                app.draw(Surface(app.layout.window.size))
        assert lies(app) == []
        session = app.session
        for one in session.side_by_side:
            assert 0 <= one.step <= one.reached
            assert set(one.world.step.tolist()) == {one.step}
    end, at = session.world.state, session.step
    session.seek(0)
    assert lies(app) == []
    session.seek(at)
    # States may be infinite or nan: the rule is untrained.
    assert torch.equal(session.world.state.nan_to_num(), end.nan_to_num())
    assert lies(app) == []
