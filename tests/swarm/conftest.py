"""An untrained rule that changes cells, and a small picture."""

import pytest
import torch

from swarm_nca.rules import Mlp, Rule
from swarm_nca.testing import tiny_world
from swarm_nca.world import World

#: Eleven cells; the faint 1 is part of the stimulus of its neighbours and not alive.
PICTURE = """
    .##...
    #..#..
    ..1#..
    .4#...
    ####..
    """


@pytest.fixture
def rule() -> Rule:
    """An untrained rule with random output weights, so that cells change."""
    rule = Mlp(generator=torch.Generator().manual_seed(1))
    torch.nn.init.normal_(rule.output, std=0.05, generator=torch.Generator().manual_seed(2))
    return rule.double().requires_grad_(False)


@pytest.fixture
def world(rule: Rule) -> World:
    """A picture of eleven cells at step 3, with its own key."""
    world = tiny_world(PICTURE, rule, label=2, key=77)
    return world.with_state(world.restarted("random", seed=5).state * 0.3, steps=3)
