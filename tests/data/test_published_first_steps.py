"""The published rule on MNIST digits: first steps equal a dense zero-padded convolution."""

from __future__ import annotations

from pathlib import Path

import torch

from swarm_nca.engine import Stepper
from swarm_nca.images import load_dataset
from swarm_nca.measure.dense import Dense
from swarm_nca.rules import load_rule
from swarm_nca.world import World


def test_the_published_rules_first_steps_equal_a_dense_convolutions(
    published_rule_path: Path,
) -> None:
    rule = load_rule(published_rule_path)
    world = World.from_images(load_dataset("mnist")[:20].grey, rule)
    dense, stepper = (made(world, rule, fire_rate=1.0, noise=0.0) for made in (Dense, Stepper))
    with torch.inference_mode():
        for step in range(1, 11):
            dense.step()
            stepper.step()
            if step in (1, 5, 10):
                assert stepper.state.abs().mean() > 0.05
                torch.testing.assert_close(dense.state, stepper.state, atol=1e-4, rtol=0)
