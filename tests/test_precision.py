"""Products in bfloat16: what is rounded, what stays as it is, and what is refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import swarm_nca as sn
from swarm_nca.config import LocatedError
from swarm_nca.engine import rollout
from swarm_nca.images import strokes
from swarm_nca.links import Links
from swarm_nca.rules import Classes, Mlp, Rule
from swarm_nca.scenario import load
from swarm_nca.testing import tiny_world
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.session_config import from_scenario
from swarm_nca.world import World

BusyRule = Callable[..., Rule]
BF16, SEED = torch.bfloat16, 4

SCENARIO = """
name: short
rule: digits
images: {dataset: strokes, label: 7}
steps: 8
engine: batched
"""


@pytest.fixture
def rule(busy_rule: BusyRule) -> Rule:
    settings: dict[str, Any] = {"hidden": (7, 6), "free_channels": 2, "strength": 0.3}
    made = busy_rule(torch.float32, classes=Classes.named("a", "b"), **settings)
    return made.requires_grad_(False)


def world_of(rule: Rule, **changes: Any) -> World:
    return tiny_world(".##.\n##.#\n#.3#", rule, key=5, **changes).restarted("random", 1)


def rounded(values: torch.Tensor) -> torch.Tensor:
    return values.to(BF16).double()


def test_factors_are_rounded_to_bfloat16_and_sums_are_not(rule: Rule) -> None:
    world = world_of(rule)
    found = sn.step(world, rule, SEED, fire_rate=1.0, noise=0.0, precision="bfloat16")
    (first, bias), *others = ((layer.weight, layer.bias) for layer in rule.layers() or ())
    size = rule.stimulus_size
    padded = torch.cat([world.state, torch.zeros(1, rule.channels)])
    heard = padded[world.neighbors].flatten(1)
    sensed = rounded(world.stimulus @ first[:size] + bias)
    units = rounded(sensed + rounded(heard) @ rounded(first[size:]))
    for weight, shift in others:
        units = rounded(units.relu() @ rounded(weight) + rounded(shift))
    change = found.state - world.state
    assert found.state.dtype == torch.float32
    # A sum that lies between two values of bfloat16 may be rounded to either.
    torch.testing.assert_close(change.double(), units, atol=2e-3, rtol=2**-7)
    full = sn.step(world, rule, SEED, fire_rate=1.0, noise=0.0)
    assert not torch.equal(found.state, full.state)


def test_states_and_noise_keep_float32(rule: Rule) -> None:
    with torch.no_grad():
        for parameter in rule.parameters():
            parameter.zero_()
    world = world_of(rule)
    full = sn.rollout(world, rule, 5, SEED, noise=0.1)
    assert not torch.equal(full.state, world.state)
    short = sn.rollout(world, rule, 5, SEED, noise=0.1, precision="bfloat16")
    assert torch.equal(short.state, full.state)


@pytest.mark.parametrize(
    "links", [Links(0.2, on_loss="last"), Links(delay=2), Links(bits=4, range=0.8)], ids=str
)
def test_all_links_work_and_differ_by_rounding_only(rule: Rule, links: Links) -> None:
    world = world_of(rule, links=links)
    full = sn.rollout(world, rule, 6, SEED)
    short = sn.rollout(world, rule, 6, SEED, precision="bfloat16")
    assert 0.0 < float((full.state - short.state).abs().max()) < 0.1
    assert sorted(short.cell_fields) == sorted(full.cell_fields)
    for name, field in short.cell_fields.items():
        assert field.dtype == full.cell_fields[name].dtype


def test_the_precision_of_the_states_changes_nothing(rule: Rule) -> None:
    world = world_of(rule)
    named = sn.rollout(world, rule, 4, SEED, precision="float32")
    assert torch.equal(named.state, sn.rollout(world, rule, 4, SEED).state)


def test_precisions_that_cannot_be_are_refused_with_the_cure(rule: Rule) -> None:
    world = world_of(rule)
    with pytest.raises(ValueError, match=r"no precision 'bfloat' \(did you mean 'bfloat16'\?\)"):
        sn.rollout(world, rule, 1, precision="bfloat")
    with pytest.raises(ValueError, match=r"cannot have precision bfloat16: use torch.no_grad"):
        sn.rollout(world, rule.requires_grad_(True), 1, precision="bfloat16")
    life = sn.make_rule(kind="life", rule="B3/S23")
    board = World.from_images(torch.ones(1, 4, 4), life)
    with pytest.raises(ValueError, match="'life' has none: leave precision out"):
        sn.rollout(board, life, 1, precision="bfloat16")


def test_a_scenario_and_the_viewer_run_in_its_precision(tmp_path: Path) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(SCENARIO + "precision: bfloat16\n")
    scenario = load(file)
    expected = sn.rollout(scenario.start, scenario.rule, 8, precision="bfloat16").state
    assert not torch.equal(expected, sn.rollout(scenario.start, scenario.rule, 8).state)
    assert torch.equal(sn.run(scenario).frames[-1].world.state, expected)
    session = Session(from_scenario(str(file)))
    for _ in range(8):
        session.advance()
    assert torch.equal(session.world.state, expected)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ("engine: agents", r"engine: agents has precision: float32, got bfloat16: write engine"),
        ("rule: {kind: life, rule: B3/S23}", r"precision: .*leave precision out"),
        ("precision: float16", r"precision"),
    ],
)
def test_a_scenario_refuses_what_has_no_bfloat16(tmp_path: Path, changes: str, told: str) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(SCENARIO + "precision: bfloat16\n")
    key, _, value = changes.partition(": ")
    with pytest.raises(LocatedError, match=told):
        load(file, overrides=[f"{key}={value}"])


def test_gradients_of_bfloat16_rules_stop_at_rectifiers() -> None:
    rule = Mlp(hidden=(12, 10), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for weight in rule.parameters():
            weight.add_(0.2 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(2)))
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        learner = copy.deepcopy(rule).to(dtype)
        pictures = strokes(2, seed=1, size=14)
        world = World.from_images(pictures.grey, learner).to(dtype=dtype)
        rollout(world, learner, 3).state.float().square().mean().backward()
        found.append([weight.grad.float() for weight in learner.parameters()])
    for wanted, short in zip(*found, strict=True):
        assert float((short - wanted).norm() / wanted.norm()) < 0.1
