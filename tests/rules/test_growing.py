"""Growing patterns equal plain convolutions, in rollouts and gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

import swarm_nca as sn
from swarm_nca.bptt import bptt
from swarm_nca.engine import Stepper, draws_of, rollout

SIDE = 9


def busy(angle: float = 0.0, dtype: torch.dtype = torch.float64) -> sn.Mlp:
    generator = torch.Generator().manual_seed(0)
    rule = sn.Mlp.growing(hidden=(20,), angle=angle, generator=generator)
    with torch.no_grad():
        rule.output.normal_(std=0.3, generator=generator)
        rule.output_bias.normal_(std=0.1, generator=generator)
    return rule.to(dtype).requires_grad_(False)


def sprout(worlds: int, rule: sn.Mlp, side: int = SIDE) -> sn.World:
    grey = np.zeros((worlds, side, side), np.float32)
    grey[:, side // 2, side // 2] = 1.0
    return sn.World.from_images(grey, rule)


def by_convolution(rule: sn.Mlp, world: sn.World, steps: int, seed: int = 0) -> torch.Tensor:
    """The published model written with convolutions: [B, 16, H, W], differentiable."""
    worlds, channels = len(world), rule.channels
    side = world.picture().shape[0]
    x = world.state.view(worlds, side, side, channels).permute(0, 3, 1, 2)
    across = torch.outer(torch.tensor([1.0, 2, 1]), torch.tensor([-1.0, 0, 1])).to(x) / 8
    cos, sin = math.cos(math.radians(rule.angle)), math.sin(math.radians(rule.angle))
    own = torch.zeros(3, 3).to(x)
    own[1, 1] = 1
    filters = [own, cos * across - sin * across.t(), sin * across + cos * across.t()]
    draws = draws_of(world, seed)

    def alive(states: torch.Tensor) -> torch.Tensor:
        return functional.max_pool2d(states[:, 3:4], 3, 1, 1) > 0.1

    for t in range(steps):
        before = alive(x)
        seen = [
            functional.conv2d(x, one.expand(channels, 1, 3, 3), padding=1, groups=channels)
            for one in filters
        ]
        flat = torch.cat(seen, dim=1).permute(0, 2, 3, 1)
        hidden = torch.relu(flat @ rule.perception + rule.perception_bias)
        change = (hidden @ rule.output + rule.output_bias).permute(0, 3, 1, 2)
        fires = torch.zeros(worlds * side * side, dtype=torch.bool)
        fires[draws.fires(t, rule.fire_rate)] = True
        x = x + change * fires.view(worlds, 1, side, side)
        x = x * (before & alive(x))
    return x


def rows(states: torch.Tensor) -> torch.Tensor:
    return states.permute(0, 2, 3, 1).reshape(-1, states.shape[1])


def test_the_untrained_rule_has_8336_parameters_and_changes_nothing() -> None:
    rule = sn.Mlp.growing().requires_grad_(False)
    assert sum(weight.numel() for weight in rule.parameters()) == 8_336
    world = sprout(1, rule)
    assert world.cells == SIDE * SIDE
    state = world.state.view(SIDE, SIDE, 16)
    assert state[4, 4].tolist() == [0.0] * 3 + [1.0] * 13
    assert float(state.sum()) == 13.0
    assert torch.equal(rollout(world, rule, 5).state, world.state)


@pytest.mark.parametrize("angle", [0.0, 35.0])
def test_growth_equals_plain_convolutions(angle: float) -> None:
    rule = busy(angle)
    world = sprout(3, rule)
    grown = rollout(world, rule, 12)
    expected = rows(by_convolution(rule, world, 12))
    assert int((expected[:, 3] != 0).sum()) > 20
    assert torch.allclose(grown.state, expected, atol=1e-12)


def test_dead_cells_hold_zeros() -> None:
    rule = busy()
    world = rollout(sprout(2, rule), rule, 9)
    alive = rule.lives(world.state, world.largest)
    assert alive is not None
    assert not world.state[~alive].any()
    assert 0 < int(alive.sum()) < world.cells


@pytest.mark.parametrize("way", ["autograd", "by hand"])
def test_gradients_equal_plain_convolutions(way: str) -> None:
    rule = busy().requires_grad_(True)
    world = sprout(2, rule)
    weights = torch.linspace(-1, 2, world.state.numel(), dtype=torch.float64).view_as(world.state)

    def gradients(state: torch.Tensor) -> list[torch.Tensor]:
        rule.zero_grad()
        (weights * state.square() + state).sum().backward()
        return [weight.grad.clone() for weight in rule.parameters() if weight.grad is not None]

    expected = gradients(rows(by_convolution(rule, world, 7)))
    if way == "autograd":
        found = gradients(rollout(world, rule, 7).state)
    else:
        found = gradients(bptt(world, rule, 7, draws_of(world, 0), rule.fire_rate, 0.0))
    assert len(found) == len(expected) == 4
    for actual, wanted in zip(found, expected, strict=True):
        assert float(wanted.abs().max()) > 0
        assert torch.allclose(actual, wanted, rtol=1e-9, atol=1e-9)


def test_damage_zeroes_cells_and_drawing_sprouts_them_again() -> None:
    rule = busy()
    world = rollout(sprout(1, rule), rule, 6)
    wounded = sn.perturbations.Damage(shape="disc", center=(4, 4), radius=2)(world)
    hit = (wounded.position - torch.tensor([4, 4])).square().sum(1) <= 4
    assert not wounded.state[hit].any()
    assert torch.equal(wounded.state[~hit], world.state[~hit])
    drawn = world.draw(torch.tensor([0]), 1.0)
    assert drawn.state[0].tolist() == [0.0] * 3 + [1.0] * 13
    assert torch.equal(drawn.state[1:], world.state[1:])


def test_saving_and_loading_keeps_the_hash(tmp_path) -> None:  # type: ignore[no-untyped-def]
    rule = busy(angle=20.0, dtype=torch.float32)
    back = sn.load_rule(sn.save_rule(rule, tmp_path / "growing.safetensors"))
    assert back.hash() == rule.hash()
    world = sprout(1, rule)
    assert torch.equal(rollout(world, back, 4).state, rollout(world, rule, 4).state)


def test_the_image_is_rgba_between_0_and_1() -> None:
    rule = busy()
    image = rollout(sprout(1, rule), rule, 8).readout.image(rollout(sprout(1, rule), rule, 8))
    assert image.shape == (SIDE, SIDE, 4)
    assert 0.0 <= image.min() <= image.max() <= 1.0


def test_the_stepper_reports_only_living_rows_as_fired() -> None:
    rule = busy()
    world = sprout(1, rule)
    near = (world.position - 4).abs().amax(1) <= 1
    stepper = Stepper(world, rule, fire_rate=1.0)
    stepper.step()
    assert stepper.fired.tolist() == near.nonzero().view(-1).tolist()
