"""A rule that is busy without training, and a small picture for it to live on."""

import pytest
import torch

from swarm_nca.rules import Mlp, Rule
from swarm_nca.testing import tiny_world
from swarm_nca.world import World

#: Eleven cells; the faint 1 is sensed by its neighbours and does not live.
PICTURE = """
    .##...
    #..#..
    ..1#..
    .4#...
    ####..
    """


@pytest.fixture
def rule() -> Rule:
    """An untrained rule whose output layer has weights, so that cells do something."""
    rule = Mlp(generator=torch.Generator().manual_seed(1))
    torch.nn.init.normal_(rule.output, std=0.05, generator=torch.Generator().manual_seed(2))
    return rule.double().requires_grad_(False)


@pytest.fixture
def world(rule: Rule) -> World:
    """A picture of eleven cells, three steps old, with a name of its own in all draws."""
    world = tiny_world(PICTURE, rule, label=2, key=77)
    return world.with_state(world.restarted("random", seed=5).state * 0.3, steps=3)
