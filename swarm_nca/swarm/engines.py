"""Two ways to run the same swarm: all agents in one batch, or one agent at a time.

`agents` is the honest reading of the idea, slow and obvious: every agent collects its mail along
the edges of the networkx graph, then every agent decides by itself. `batched` is the fast engine.
They share the rule and the draws, nothing else, and tests hold them to the same trajectory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from swarm_nca.engine import check_fit, stepper
from swarm_nca.world import World

if TYPE_CHECKING:
    from swarm_nca.swarm.agents import CellAgent
    from swarm_nca.swarm.model import Swarm


class Engine(Protocol):
    """Runs a swarm from one moment on, until its world is edited."""

    @property
    def state(self) -> Tensor:
        """[N, C], the live buffer."""

    def step(self) -> None:
        """Take one step, in place."""

    def neighbors(self, agent: CellAgent) -> dict[int, CellAgent]:
        """Slot → the living agent heard there."""


class Batched:
    """All agents at once: one gather, three products, one scatter."""

    def __init__(self, swarm: Swarm, world: World) -> None:
        self._swarm, self._table = swarm, world.neighbors
        self._stepper = stepper(
            world, swarm.rule, swarm.seed, fire_rate=swarm.fire_rate, noise=swarm.noise
        )

    @property
    def state(self) -> Tensor:
        return self._stepper.state

    def step(self) -> None:
        self._stepper.step()

    def neighbors(self, agent: CellAgent) -> dict[int, CellAgent]:
        rows, heard = self._swarm.rows, self._table[agent.row].tolist()
        return {slot: rows[row] for slot, row in enumerate(heard) if row < len(rows)}


class OneByOne:
    """Everybody perceives, then everybody updates: one agent after another, in any order."""

    def __init__(self, swarm: Swarm, world: World) -> None:
        check_fit(world, swarm.rule)
        self._swarm = swarm
        self._state = world.state.detach().clone()

    @property
    def state(self) -> Tensor:
        return self._state

    def step(self) -> None:
        self._swarm.agents.do("perceive")
        self._swarm.agents.do("update")

    def neighbors(self, agent: CellAgent) -> dict[int, CellAgent]:
        swarm = self._swarm
        edges = swarm.places.graph.adj[agent.name].items()
        living = ((edge["slot"], swarm.living(name)) for name, edge in edges)
        return {slot: other for slot, other in living if other is not None}


#: The engines by the name a `Swarm` or a scenario gives.
ENGINES: dict[str, Callable[[Swarm, World], Engine]] = {"batched": Batched, "agents": OneByOne}
