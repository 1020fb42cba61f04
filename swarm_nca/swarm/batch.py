"""A batch of worlds run by agents, as a backend of `Simulation`."""

from __future__ import annotations

import torch
from torch import Tensor

from swarm_nca.rules import Rule
from swarm_nca.swarm.model import Swarm
from swarm_nca.world import World


class SwarmBatch:
    """Each world of a batch as a swarm whose agents are computed one by one.

    Args:
        world: B worlds on the CPU; never changed.
        rule: the rule of all agents.
        seed: seed of every random draw.

    Raises:
        ValueError: a world that `Swarm` does not support.
    """

    def __init__(self, world: World, rule: Rule, seed: int = 0) -> None:
        self.swarms = [
            Swarm(alone, rule, seed, "agents", model_reporters={}) for alone in world.split()
        ]
        self._first_rows = (world.counts.cumsum(0) - world.counts).tolist()

    @property
    def state(self) -> Tensor:
        """[N, C], a copy of the present states; to change them write to the agents of `swarms`."""
        return torch.cat([torch.from_numpy(swarm.states) for swarm in self.swarms])

    @property
    def fired(self) -> Tensor:
        """int64 [M], the rows that fired in the last step."""
        each = zip(self.swarms, self._first_rows, strict=True)
        return torch.cat([swarm.acted + first for swarm, first in each])

    def step(self) -> None:
        """Take one step."""
        for swarm in self.swarms:
            swarm.step()

    def world(self) -> World:
        """The present world; later steps do not change it."""
        return World.join([swarm.world for swarm in self.swarms])
