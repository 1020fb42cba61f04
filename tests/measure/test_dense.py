from __future__ import annotations

import pytest
import torch

from swarm_nca.engine import Stepper, trajectory
from swarm_nca.images.strokes import strokes
from swarm_nca.links import Links
from swarm_nca.measure.dense import Dense
from swarm_nca.rules import Mlp, Rule
from swarm_nca.topologies import Grid
from swarm_nca.world import World


@pytest.fixture(scope="module")
def lively() -> Rule:
    """A rule of the published size, random in every layer, so that no symmetry hides a mistake."""
    generator = torch.Generator().manual_seed(3)
    rule = Mlp(generator=generator).requires_grad_(False)
    for bias in (rule.perception_bias, rule.middle_bias, rule.output_bias):
        bias.normal_(std=0.1, generator=generator)
    rule.output.normal_(std=0.05, generator=generator)
    return rule


@pytest.mark.parametrize("channels_last", [False, True])
def test_the_dense_convolution_equals_the_engine(lively, channels_last) -> None:
    world = World.from_images(strokes(20).grey, lively)
    dense = Dense(world, lively, fire_rate=1.0, noise=0.0, channels_last=channels_last)
    stepper = Stepper(world, lively, fire_rate=1.0, noise=0.0)
    for step in range(1, 11):
        dense.step()
        stepper.step()
        if step in (1, 5, 10):
            assert stepper.state.abs().max() > 0.01
            torch.testing.assert_close(dense.state, stepper.state, atol=1e-4, rtol=0)


@pytest.mark.parametrize("channels_last", [False, True])
def test_the_dense_convolution_equals_the_engine_with_fire_rate_and_noise(
    lively, channels_last
) -> None:
    world = World.from_images(strokes(3).grey, lively, start="random", keys=[5, 3, 9])
    dense = Dense(world, lively, seed=11, channels_last=channels_last)
    for moment in trajectory(world, lively, 12, seed=11):
        dense.step()
        torch.testing.assert_close(dense.state, moment.state, atol=1e-4, rtol=0)


def test_cells_at_the_border_receive_zeros_from_outside(lively) -> None:
    # All cells alive, wider than high: tests the zero padding on each side.
    world = World.from_images(torch.full((2, 3, 5), 0.7), lively, start="random")
    dense, stepper = Dense(world, lively), Stepper(world, lively)
    dense.step()
    stepper.step()
    torch.testing.assert_close(dense.state, stepper.state, atol=1e-5, rtol=0)


def test_gradients_flow_through_the_dense_steps_to_every_weight() -> None:
    rule = Mlp(generator=torch.Generator().manual_seed(3))
    torch.nn.init.normal_(rule.output, std=0.05, generator=torch.Generator().manual_seed(4))
    dense = Dense(World.from_images(strokes(1).grey, rule), rule)
    for _ in range(2):
        dense.step()
    torch.autograd.backward(dense.state.square().sum())
    for name, weight in rule.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


@pytest.mark.parametrize(
    "made",
    [
        {"images": [torch.ones(3, 3), torch.ones(3, 4)]},
        {"images": torch.ones(1, 3, 3), "grid": Grid(torus=True)},
        {"images": torch.ones(1, 3, 3), "links": Links(drop=0.5)},
    ],
)
def test_worlds_that_a_plain_convolution_cannot_run_are_refused(lively, made) -> None:
    with pytest.raises(ValueError, match="a dense convolution needs pictures of one size"):
        Dense(World.from_images(made.pop("images"), lively, **made), lively)
