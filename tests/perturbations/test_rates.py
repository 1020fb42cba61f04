"""Rates change fire rate and noise, in worlds and in scenarios."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

import swarm_nca as sn
from swarm_nca.config import LocatedError
from swarm_nca.images import strokes
from swarm_nca.perturbations import Rates
from swarm_nca.rules import Rule, save_rule
from swarm_nca.world import World

SCENARIO = """\
rule: busy.safetensors
images: {dataset: strokes, label: 7, scale: 0.5}
engine: batched
steps: 9
perturbations:
  - {at: 3, kind: rates, fire_rate: 0.0}
  - {at: 6, kind: rates, fire_rate: 1.0, noise: 1e-1}
"""


@pytest.fixture
def busy(busy_rule: Callable[..., Rule]) -> Rule:
    return busy_rule()


def test_one_or_both_rates_change(busy: Rule) -> None:
    world = World.from_images(strokes(2, seed=1).grey, busy)
    slow = Rates(fire_rate=0.25)(world)
    assert (slow.fire_rate, slow.noise) == (0.25, None)
    both = Rates(noise=0.0)(slow)
    assert (both.fire_rate, both.noise) == (0.25, 0.0)
    assert (both.state is world.state, both.links) == (True, world.links)
    expected = sn.rollout(world, busy, 4, fire_rate=0.25, noise=0.0)
    assert torch.equal(sn.rollout(both, busy, 4).state, expected.state)
    assert Rates(fire_rate=0.25).what(world, slow) == "fire rate the rule's → 0.25"
    caption = Rates(fire_rate=0.5, noise=0.1).what(both, both)
    assert caption == "fire rate 0.25 → 0.5, noise 0 → 0.1"


def test_a_scenario_changes_rates_with_both_engines(busy: Rule, tmp_path: Path) -> None:
    save_rule(busy, tmp_path / "busy.safetensors")
    file = tmp_path / "rates.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    batched, agents = sn.run(file), sn.run(file, overrides=["engine=agents"])
    states = {frame.step: frame.world.state for frame in batched.frames}
    assert not torch.equal(states[2], states[3])
    assert torch.equal(states[3], states[6])
    assert ((states[6] - states[7]).abs().amin(dim=1) > 0).all()
    assert batched.events["what"].tolist() == [
        "fire rate the rule's → 0",
        "fire rate 0 → 1, noise the rule's → 0.1",
    ]
    assert batched.events.equals(agents.events)
    pd.testing.assert_frame_equal(batched.metrics, agents.metrics, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{at: 3, kind: rates}", "rates need fire_rate, noise or both"),
        ("{at: 3, kind: rates, fire_rate: 2.0}", "fire_rate: must be at most 1, got 2.0"),
        ("{at: 3, kind: rates, noise: -1}", "noise: must be at least 0, got -1"),
        ("{at: 3, kind: rates, firerate: 0.5}", r"firerate.*did you mean 'fire_rate'"),
        ("{at: 3, kind: rates, noise: 0.1, world: 0}", "leave out world"),
        ("{at: 3, kind: mutate, half: west, images: {glyph: 1}}", "half.*'left'.*got 'west'"),
    ],
)
def test_mistakes_in_a_scenario_are_located(
    busy: Rule, tmp_path: Path, given: str, message: str
) -> None:
    save_rule(busy, tmp_path / "busy.safetensors")
    file = tmp_path / "rates.yaml"
    head = SCENARIO.split("perturbations")[0]
    file.write_text(f"{head}perturbations:\n  - {given}\n", encoding="utf-8")
    with pytest.raises(LocatedError, match=message) as raised:
        sn.run(file)
    assert str(raised.value).startswith(f"{file}:6:")
