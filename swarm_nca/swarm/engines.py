"""The engines of a swarm: all agents in one batch, or one agent at a time.

`agents` is the direct implementation, slow and simple: every agent collects messages along the
edges of the networkx graph, then every agent updates. `batched` is fast. They share only the rule
and the draws, and tests check that their trajectories are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from swarm_nca.engine import Backend, check_fit, stepper
from swarm_nca.world import World

if TYPE_CHECKING:
    from swarm_nca.swarm.agents import CellAgent
    from swarm_nca.swarm.model import Swarm


class Engine(Backend, Protocol):
    """Runs a swarm until its world is edited."""

    def neighbors(self, agent: CellAgent) -> dict[int, CellAgent]:
        """Slot → the living neighbour agent."""


class Batched:
    """All agents at once: one gather, three products, one scatter."""

    def __init__(self, swarm: Swarm, world: World) -> None:
        self._swarm, self._table = swarm, world.neighbors
        self._stepper = stepper(world, swarm.rule, swarm.seed)

    @property
    def state(self) -> Tensor:
        return self._stepper.state

    def step(self) -> Tensor:
        return self._stepper.step()

    def world(self) -> World:
        return self._stepper.world()

    def neighbors(self, agent: CellAgent) -> dict[int, CellAgent]:
        agents, senders = self._swarm.rows, self._table[agent.row].tolist()
        return {slot: agents[row] for slot, row in enumerate(senders) if row < len(agents)}


class OneByOne:
    """All agents perceive, then all update, one after another in any order.

    If cells live and die by the rule, all then look, and all settle.
    """

    def __init__(self, swarm: Swarm, world: World) -> None:
        check_fit(world, swarm.rule)
        self._swarm, self._world = swarm, world
        self._state = world.state.detach().clone()
        self._steps = 0

    @property
    def state(self) -> Tensor:
        return self._state

    def step(self) -> Tensor:
        agents = self._swarm.agents
        agents.do("perceive")
        acted = agents.map("update")
        if self._swarm.mortal:
            agents.do("look")
            agents.do("settle")
        self._steps += 1
        rows = [agent.row for agent, did in zip(agents, acted, strict=True) if did]
        return torch.tensor(sorted(rows), dtype=torch.int64)

    def world(self) -> World:
        return self._world.with_state(self._state.clone(), self._steps)

    def neighbors(self, agent: CellAgent) -> dict[int, CellAgent]:
        swarm = self._swarm
        edges = swarm.places.graph.adj[agent.name].items()
        living = ((edge["slot"], swarm.living(name)) for name, edge in edges)
        return {slot: other for slot, other in living if other is not None}


#: The engines by the names used in `Swarm` and scenarios.
ENGINES: dict[str, Callable[[Swarm, World], Engine]] = {"batched": Batched, "agents": OneByOne}
