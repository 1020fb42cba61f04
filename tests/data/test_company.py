"""The published rule on MNIST digits: states do not depend on other worlds or on pauses."""

from __future__ import annotations

from pathlib import Path

import torch

from swarm_nca.engine import rollout
from swarm_nca.images import load_dataset
from swarm_nca.rules import load_rule
from swarm_nca.world import World


def test_states_are_equal_alone_in_a_batch_shuffled_and_in_halves(
    published_rule_path: Path,
) -> None:
    rule = load_rule(published_rule_path)
    batch = World.from_images(load_dataset("mnist")[:64].grey, rule)
    together = rollout(batch, rule, 20, seed=3)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(5)).tolist()
    shuffled = rollout(batch.select(order), rule, 20, seed=3).by_key(list(range(64)))
    halves = [rollout(batch.select(range(a, a + 32)), rule, 20, seed=3) for a in (0, 32)]
    alone = rollout(batch[37], rule, 20, seed=3)
    assert together[37].state.abs().mean() > 0.05
    torch.testing.assert_close(alone.state, together[37].state, atol=1e-4, rtol=0)
    for other in (shuffled, World.join(halves)):
        torch.testing.assert_close(other.state, together.state, atol=1e-4, rtol=0)


def test_200_steps_equal_120_and_then_80_steps(published_rule_path: Path) -> None:
    rule = load_rule(published_rule_path)
    world = World.from_images(load_dataset("mnist")[:3].grey, rule)
    whole = rollout(world, rule, 200, seed=9)
    paused = rollout(rollout(world, rule, 120, seed=9), rule, 80, seed=9)
    assert torch.equal(whole.state, paused.state)
