"""Shared weights: with `ring` a swarm cannot distinguish directions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from swarm_nca.bptt import bptt
from swarm_nca.engine import draws_of, rollout
from swarm_nca.images import strokes
from swarm_nca.links import Links
from swarm_nca.measure.dense import Dense
from swarm_nca.rules import Classes, Mlp, Rule, read_rule, save_rule
from swarm_nca.testing import assert_same_trajectory
from swarm_nca.topologies import Grid
from swarm_nca.world import World

BusyRule = Callable[..., Rule]

#: The symmetries of a square except the identity: quarter turns, then mirrored or not.
TURNS = [(quarters, mirrored) for mirrored in (False, True) for quarters in range(4)][1:]


def turned(picture: Tensor, quarters: int, mirrored: bool) -> Tensor:
    """[H, W, …] after `quarters` anticlockwise quarter turns, then mirrored or not."""
    rotated = torch.rot90(picture, quarters, (0, 1))
    return rotated.flip(1) if mirrored else rotated


def digit() -> Tensor:
    """A drawn digit with grey edges, wider than high, in float64."""
    return torch.from_numpy(np.asarray(strokes(1, seed=5, size=16).grey[0]))[1:14].double()


def states_on(picture: Tensor, rule: Rule, grid: Grid) -> Tensor:
    """[H, W, C], the state of every pixel after nine synchronous steps without noise."""
    world = rollout(
        World.from_images(picture[None], rule, grid=grid), rule, 9, fire_rate=1.0, noise=0.0
    )
    states = world.state.new_zeros(picture.numel(), rule.channels)
    return states.index_copy(0, world.site, world.state).view(*picture.shape, rule.channels)


def difference(rule: Rule, quarters: int, mirrored: bool, grid: Grid = Grid()) -> float:  # noqa: B008
    """Largest difference between states on a turned picture and turned states."""
    straight = states_on(digit(), rule, grid)
    assert float(straight.abs().max()) > 0.1
    other = states_on(turned(digit(), quarters, mirrored), rule, grid)
    return float((turned(straight, quarters, mirrored) - other).abs().max())


@pytest.mark.parametrize("grid", [Grid(), Grid("von_neumann"), Grid(torus=True)], ids=str)
@pytest.mark.parametrize(("quarters", "mirrored"), TURNS)
def test_a_ring_behaves_the_same_on_turned_and_mirrored_pictures(
    busy_rule: BusyRule, quarters: int, mirrored: bool, grid: Grid
) -> None:
    rule = busy_rule(torch.float64, hearing="ring", strength=0.1)
    assert difference(rule, quarters, mirrored, grid) < 1e-12


@pytest.mark.parametrize(("quarters", "mirrored"), TURNS)
def test_separate_slots_behave_differently_on_turned_pictures(
    busy_rule: BusyRule, quarters: int, mirrored: bool
) -> None:
    assert difference(busy_rule(torch.float64, strength=0.1), quarters, mirrored) > 1e-3


def test_a_ring_has_one_weight_group_for_the_own_slot_and_one_for_others() -> None:
    rule = Mlp(Classes.named("a", "b"), free_channels=1, hidden=(4, 4), hearing="ring")
    assert (rule.perception.shape, rule.sensing_rows) == ((2 + 2 * 3, 4), 2)
    used = rule.layers()[0].weight
    sensed, effects = used[:9], used[9:].view(9, 3, 4)
    for slot in range(9):
        group = int(slot != 4)
        assert torch.equal(sensed[slot], rule.perception[group])
        assert torch.equal(effects[slot], rule.perception[2:].view(2, 3, 4)[group])


def test_separate_slots_use_the_learned_weights_directly() -> None:
    rule = Mlp()
    assert rule.layers()[0].weight is rule.perception
    assert rule.sensing_rows == 9


def test_a_ring_with_192_middle_units_has_22499_parameters() -> None:
    rule = Mlp(hearing="ring", hidden=(80, 192))
    assert sum(weight.numel() for weight in rule.parameters()) == 22_499


def test_a_stimulus_other_than_a_patch_is_not_shared() -> None:
    rule = Mlp(hearing="ring", slots=6, stimulus_size=2, hidden=(4, 4))
    used = rule.layers()[0].weight
    assert rule.sensing_rows == 2
    assert torch.equal(used[:2], rule.perception[:2])
    assert used.shape == (2 + 6 * 19, 4)


def test_equal_messages_have_the_same_initial_effect_with_ring_and_slots() -> None:
    messages = torch.randn(200, 1, 19, generator=torch.Generator().manual_seed(1)).expand(-1, 9, -1)
    spreads = []
    for hearing in ("slots", "ring"):
        rule = Mlp(hearing=hearing, hidden=(4_000, 4), generator=torch.Generator().manual_seed(0))
        effects = messages.reshape(200, -1) @ rule.layers()[0].weight[9:]
        spreads.append(float(effects.std().detach()))
    assert spreads[1] == pytest.approx(spreads[0], rel=0.05)


def test_hash_and_file_keep_the_hearing(tmp_path: Path) -> None:
    rule = Mlp(hearing="ring", hidden=(5, 6))
    assert rule.settings()["hearing"] == "ring"
    back, _ = read_rule(save_rule(rule, tmp_path / "ring.safetensors"))
    assert (back.hearing, back.hash()) == ("ring", rule.hash())
    assert torch.equal(back.layers()[0].weight, rule.layers()[0].weight)
    assert "hearing" not in Mlp().settings()


def test_a_ring_works_in_double_precision() -> None:
    rule = Mlp(hearing="ring").double()
    assert rule(torch.zeros(2, 9).double(), torch.zeros(2, 9, 19).double()).dtype == torch.float64


@pytest.mark.parametrize("drop", [0.0, 0.3])
def test_agents_of_a_ring_equal_the_batch(busy_rule: BusyRule, drop: float) -> None:
    rule = busy_rule(torch.float64, hearing="ring", hidden=(12, 10))
    grey = np.asarray(strokes(1, seed=3, size=12).grey)
    world = World.from_images(grey, rule, start="random", links=Links(drop=drop))
    assert_same_trajectory(world, rule, steps=12, seed=8)


def test_a_dense_convolution_of_a_ring_equals_the_rollout(busy_rule: BusyRule) -> None:
    rule = busy_rule(torch.float64, hearing="ring", hidden=(12, 10))
    world = World.from_images(strokes(2).grey, rule, start="random")
    dense = Dense(world, rule, seed=3)
    for _ in range(5):
        dense.step()
    expected = rollout(world, rule, 5, seed=3).state
    torch.testing.assert_close(dense.state, expected, atol=1e-10, rtol=0)


def test_the_hand_written_gradient_of_shared_weights_equals_autograd(
    busy_rule: BusyRule,
) -> None:
    rule = busy_rule(torch.float64, hearing="ring", hidden=(7, 6)).requires_grad_(True)
    world = World.from_images(strokes(1, size=10).grey, rule, start="random")

    def gradients(state: Tensor) -> list[Tensor]:
        rule.zero_grad()
        torch.autograd.backward(state.square().sum())
        return [weight.grad.clone() for weight in rule.parameters() if weight.grad is not None]

    found = gradients(bptt(world, rule, 5, draws_of(world, 4), rule.fire_rate, rule.noise))
    expected = gradients(rollout(world, rule, 5, seed=4).state)
    assert len(found) == len(expected) == 6
    assert found[0].shape == rule.perception.shape
    for one, other in zip(found, expected, strict=True):
        assert float(other.abs().max()) > 1e-3
        torch.testing.assert_close(one, other, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hearing": "rings"}, r"one of slots, ring, sobel, got 'rings' \(did you mean 'ring'\?\)"),
        ({"hearing": "ring", "slots": 4}, "it needs more than 4 slots, got 4"),
    ],
)
def test_an_invalid_hearing_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mlp(**wrong)
