"""The published rule on MNIST digits: single agents give the same states as the batch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from swarm_nca.images import load_dataset
from swarm_nca.rules import load_rule
from swarm_nca.testing import assert_same_trajectory
from swarm_nca.topologies import Grid
from swarm_nca.world import World

GRIDS = [Grid(), Grid(torus=True), Grid("von_neumann")]


@pytest.mark.parametrize("grid", GRIDS, ids=["moore", "torus", "von-neumann"])
def test_thirty_noisy_steps_agree_in_double_precision(
    published_rule_path: Path, grid: Grid
) -> None:
    rule = load_rule(published_rule_path).double()
    world = World.from_images(load_dataset("mnist")[:1].grey, rule, grid=grid)
    assert_same_trajectory(world, rule, steps=30, seed=1, within=1e-9)


@pytest.mark.parametrize("digit", range(1, 5))
def test_twenty_noisy_steps_agree_in_single_precision(
    published_rule_path: Path, digit: int
) -> None:
    rule = load_rule(published_rule_path)
    world = World.from_images(load_dataset("mnist")[digit : digit + 1].grey, rule, keys=[digit])
    assert world.state.dtype == torch.float32
    assert_same_trajectory(world, rule, steps=20, seed=2, within=1e-4)
