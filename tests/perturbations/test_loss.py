"""Loss changes only the links."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import swarm_nca as sn
from swarm_nca.images import strokes
from swarm_nca.perturbations import Loss
from swarm_nca.rules import Rule
from swarm_nca.world import World


def test_messages_are_lost_until_drop_is_zero_again(
    busy_rule: Callable[..., Rule],
) -> None:
    rule = busy_rule()
    world = World.from_images(strokes(2, seed=1).grey, rule)
    world = sn.rollout(world, rule, 5)
    lossy = Loss(drop=0.5)(world)
    assert lossy.links.drop == 0.5
    assert lossy.state is world.state
    assert not torch.equal(sn.rollout(lossy, rule, 3).state, sn.rollout(world, rule, 3).state)
    mended = Loss(drop=0.0)(lossy)
    assert torch.equal(sn.rollout(mended, rule, 3).state, sn.rollout(world, rule, 3).state)
    assert Loss(drop=0.5).what(world, lossy) == "0% → 50% of all messages"


def test_probabilities_out_of_range_are_refused() -> None:
    for drop in (-0.1, 1.1, float("nan")):
        with pytest.raises(
            ValueError, match=r"drop must be (at least 0|at most 1|a finite number)"
        ):
            Loss(drop=drop)
