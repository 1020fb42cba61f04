"""A batch of worlds run by agents: a backend for whoever drives a `Simulation`."""

from __future__ import annotations

import torch
from torch import Tensor

from swarm_nca.rules import Rule
from swarm_nca.swarm.model import Swarm
from swarm_nca.world import World


class SwarmBatch:
    """Each world of a batch as a swarm of agents that act one by one.

    Args:
        world: B worlds on the CPU; never changed.
        rule: what every agent obeys.
        seed: every random draw depends on it.

    Raises:
        ValueError: a world that no swarm can live in; see `Swarm`.
    """

    def __init__(self, world: World, rule: Rule, seed: int = 0) -> None:
        self.swarms = [
            Swarm(alone, rule, seed, "agents", model_reporters={}) for alone in world.split()
        ]
        self._first_rows = (world.counts.cumsum(0) - world.counts).tolist()

    @property
    def state(self) -> Tensor:
        """[N, C], what all agents hold now: a copy; write to the agents of `swarms`."""
        return torch.cat([torch.from_numpy(swarm.states) for swarm in self.swarms])

    def step(self) -> Tensor:
        """Take one step; returns the rows that acted, int64 [M]."""
        acted = []
        for swarm, first in zip(self.swarms, self._first_rows, strict=True):
            swarm.step()
            acted.append(swarm.acted + first)
        return torch.cat(acted)

    def world(self) -> World:
        """The present moment, safe from further steps."""
        return World.join([swarm.world for swarm in self.swarms])
