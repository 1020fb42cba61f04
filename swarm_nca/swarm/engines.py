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

from swarm_nca.arguments import shown
from swarm_nca.engine import Backend, Mail, check_fit, products_in, stepper
from swarm_nca.suggestion import did_you_mean
from swarm_nca.world import World
from swarm_nca.world.fields import IN_FLIGHT, LAST_HEARD
from swarm_nca.world.wires import AS_IN_SPACE, CUT, WIRE

if TYPE_CHECKING:
    from mesa.agent import AgentSet

    from swarm_nca.swarm.agents import CellAgent
    from swarm_nca.swarm.model import Swarm
    from swarm_nca.swarm.speech import Vector


class Engine(Backend, Protocol):
    """Runs a swarm until its world is edited."""

    def neighbors(self, agent: CellAgent) -> dict[int, CellAgent]:
        """Slot → the living neighbour agent."""

    def held(self) -> dict[str, Tensor]:
        """Messages in flight or kept; see `Mail.fields`."""


class Batched:
    """All agents at once: one gather, three products, one scatter."""

    def __init__(self, swarm: Swarm, world: World) -> None:
        self._swarm, self._table = swarm, world.neighbors
        self._stepper = stepper(world, swarm.rule, swarm.seed, precision=swarm.precision)
        self._held: dict[str, Tensor] | None = None

    @property
    def state(self) -> Tensor:
        return self._stepper.state

    @property
    def fired(self) -> Tensor:
        return self._stepper.fired

    def step(self) -> None:
        self._held = None
        self._stepper.step()

    def world(self) -> World:
        return self._stepper.world()

    def held(self) -> dict[str, Tensor]:
        if self._held is None:
            self._held = Mail.held(self._stepper.world())
        return self._held

    def neighbors(self, agent: CellAgent) -> dict[int, CellAgent]:
        agents, senders = self._swarm.rows, self._table[agent.row].tolist()
        return {slot: agents[row] for slot, row in enumerate(senders) if row < len(agents)}


class OneByOne:
    """All agents perceive, then all update, one after another in any order.

    If cells live and die by the rule, all then look, and all settle.
    """

    def __init__(self, swarm: Swarm, world: World) -> None:
        check_fit(world, swarm.rule)
        if products_in(swarm.precision, world, swarm.rule) != world.state.dtype:
            raise ValueError(
                f"agents have the precision of their states, got {shown(swarm.precision)}: use "
                "engine batched or leave precision out"
            )
        self._swarm, self._world = swarm, world
        self._state = world.state.detach().clone()
        self._held = Mail.held(world)
        self._steps = 0
        self.fired = torch.zeros(0, dtype=torch.int64)

    @property
    def state(self) -> Tensor:
        return self._state

    def step(self) -> None:
        agents = self._swarm.agents
        agents.do("perceive")
        said = agents.map("said") if IN_FLIGHT in self._held else []
        acted = agents.map("update")
        if self._swarm.mortal:
            agents.do("look")
            agents.do("settle")
        self._steps += 1
        rows = [agent.row for agent, did in zip(agents, acted, strict=True) if did]
        if said:
            self._send(agents, said)
        if LAST_HEARD in self._held:
            self._remember(agents, rows)
        self.fired = torch.tensor(sorted(rows), dtype=torch.int64)

    def _send(self, agents: AgentSet, said: list[Vector]) -> None:
        """Put what each agent has said in front of what is in flight."""
        flying = self._held[IN_FLIGHT]
        flying[:, 1:] = flying[:, :-1].clone()
        for agent, message in zip(agents, said, strict=True):
            flying[agent.row, 0] = torch.from_numpy(message)

    def _remember(self, agents: AgentSet, rows: list[int]) -> None:
        """Keep the inbox of each agent that has fired."""
        fired = set(rows)
        for agent in agents:
            if agent.row in fired:
                kept = self._held[LAST_HEARD][agent.row].zero_()
                for slot, message in agent.inbox.items():
                    kept[slot] = torch.from_numpy(message)

    def held(self) -> dict[str, Tensor]:
        return self._held

    def world(self) -> World:
        world = self._world.with_state(self._state.clone(), self._steps)
        return world.with_cells(**{name: kept.clone() for name, kept in self._held.items()})

    def neighbors(self, agent: CellAgent) -> dict[int, CellAgent]:
        swarm = self._swarm
        edges = swarm.places.graph.adj[agent.name].items()
        names = {edge["slot"]: name for name, edge in edges}
        wires = swarm.field(WIRE)
        if wires is not None:
            for slot, site in enumerate(wires[agent.row].tolist()):
                if site != AS_IN_SPACE:
                    names[slot] = None if site == CUT else swarm.places.name(site)
        living = ((slot, swarm.living(name)) for slot, name in names.items())
        return {slot: other for slot, other in living if other is not None}


#: The engines by the names used in `Swarm` and scenarios.
ENGINES: dict[str, Callable[[Swarm, World], Engine]] = {"batched": Batched, "agents": OneByOne}


def known_engine(name: str) -> str:
    """The name of an engine.

    Raises:
        ValueError: there is none of that name.
    """
    if not isinstance(name, str) or name not in ENGINES:
        hint = did_you_mean(name, ENGINES)
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}, got {shown(name)}{hint}")
    return name
