"""A world as a Mesa model: one agent per living cell, one rule for all agents.

The swarm keeps a private copy of its world in a live buffer. Agents read and write the buffer, and
the engine steps it. All changes of the picture or the graph go through `World`. Agents are made and
removed with their cells; agents of surviving cells stay the same objects.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mesa
import torch

from swarm_nca.arguments import shown, whole
from swarm_nca.engine import Mail, draws_of, rates_of
from swarm_nca.links import Links
from swarm_nca.measure.cell_stats import CellStats
from swarm_nca.randomness import check_seed
from swarm_nca.rules import Rule, load_rule
from swarm_nca.simulation import Plan, Planned, Simulation
from swarm_nca.swarm.agents import CellAgent
from swarm_nca.swarm.engines import ENGINES, Engine, known_engine
from swarm_nca.swarm.mesa_space import MesaSpace
from swarm_nca.swarm.places import Places
from swarm_nca.swarm.reporters import usual
from swarm_nca.swarm.speech import Vector
from swarm_nca.world import World

if TYPE_CHECKING:
    import networkx as nx
    from mesa.discrete_space import Cell

    from swarm_nca.perturbations import Perturbation

#: A perturbation, or any callable `change(world, seed=…)`.
Change = Callable[..., World]


class Swarm(mesa.Model):  # type: ignore[misc]
    """The agents of one world.

    Args:
        world: one world on the CPU; never changed.
        rule: the rule of all agents, or the name or file of a rule.
        seed: seed of every random draw; None draws a new one, see `swarm.seed`.
        engine: `batched`, or `agents` to run agents one at a time.
        perturbations: objects with a step `at`, or pairs (at, change) called as
            `change(world, seed=…)`. They act between step `at` and the next, in the given order.
        fire_rate, noise: override those of the world and the rule when given, until a perturbation
            changes them.
        precision: of the factors of matrix products, `float32` or `bfloat16`; that of the states
            when None. Agents one at a time have no other. States, noise and sums keep their own.
        until: called with the swarm after every step; True ends `running`.
        model_reporters: for the data collector; the `usual` ones of `REPORTERS` when None.
        agent_reporters: for the data collector; none when None, because they are slow.

    Row t of the data collector is the swarm after step t and before the perturbations at t.

    Attributes:
        now: the step of the world.
        acted: int64 [M], the rows of the agents that fired in the last step.
        mortal: whether cells live and die by the rule, not by the space alone.
        fire_rate, noise: present values.

    Raises:
        ValueError: a batch of worlds, a world that does not fit the rule or is on another device,
            an unknown engine or rule, a seed out of range, a perturbation without a step, or a
            precision that the engine or the rule does not have.
    """

    def __init__(
        self,
        world: World,
        rule: Rule | str | Path,
        seed: int | None = 0,
        engine: str = "batched",
        perturbations: Sequence[Perturbation | tuple[int, Change]] = (),
        *,
        fire_rate: float | None = None,
        noise: float | None = None,
        precision: str | None = None,
        until: Callable[[Swarm], bool] | None = None,
        model_reporters: Mapping[str, Any] | None = None,
        agent_reporters: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(rng=None if seed is None else check_seed(seed))
        self.seed = self.random.getrandbits(63) if seed is None else check_seed(seed)
        self.rule = rule if isinstance(rule, Rule) else load_rule(rule)
        self.engine, self.precision = known_engine(engine), precision
        self.key = _alone(world).key
        self.now = int(world.step)
        self.places = Places(world.space)
        self.numbers = itertools.count(1)
        self.rows: list[CellAgent] = []
        self._living: dict[Hashable, CellAgent] = {}
        self.acted = torch.zeros(0, dtype=torch.int64)
        self._until = until
        self._space: MesaSpace | None = None
        self._before: World | None = None
        #: The bank of messages of the last step, and the table of what each row read.
        self._heard: tuple[Vector, list[list[int]]] | None = None
        self._stats: CellStats | None = None
        start = replace(
            world,
            fire_rate=world.fire_rate if fire_rate is None else fire_rate,
            noise=world.noise if noise is None else noise,
        )
        plan = Planned([_timed(perturbation) for perturbation in perturbations])
        self._run = _Run(self, start, plan)
        self.datacollector = mesa.DataCollector(
            model_reporters=dict(usual(self.rule) if model_reporters is None else model_reporters),
            agent_reporters=dict(agent_reporters or {}),
        )
        self._collect()

    # --------------------------------------------------------------- running

    def step(self) -> None:
        """Apply the planned perturbations, take one step, and collect data."""
        self._run.happen()
        self._before, self._heard = self.world, None
        self._run.take_step()
        self.acted = self._run.fired
        self.now += 1
        self._collect()
        if self._until is not None and self._until(self):
            self.running = False

    def apply(self, change: Change) -> None:
        """Apply a perturbation, or any `change(world, seed=…)`, immediately."""
        self.world = change(self.world, seed=self.seed)

    def draw(self, pixels: Iterable[tuple[int, int]], grey: float = 1.0) -> None:
        """Add grey to pixels (row, column); pixels above the threshold become agents."""
        self.world = self.world.draw(self._sites(pixels), grey)

    def erase(self, names: Iterable[Hashable], share: float = 1.0) -> None:
        """Remove a share of the grey of pixels, or remove nodes, with their agents."""
        self.world = self.world.erase(self._sites(names), share)

    # ----------------------------------------------------------- the present

    @property
    def world(self) -> World:
        """The present world; later steps do not change it.

        Assign another moment of the same world to continue from it: agents of missing cells are
        removed, agents of new cells are made, all others stay.
        """
        return self._run.world

    @world.setter
    def world(self, world: World) -> None:
        self._run.stand_on(world)

    @property
    def states(self) -> Vector:
        """[N, C], the live buffer, in the order of `swarm.rows`; writing to it changes cells."""
        return self._states

    @property
    def stimuli(self) -> Vector:
        """[N, S], the stimulus of each row; read-only."""
        return self._stimuli

    @property
    def links(self) -> Links:
        """What happens to messages on their way."""
        return self._origin.links

    @property
    def guests(self) -> tuple[Rule, ...]:
        """Further rules of the world; see `World.guests`."""
        return self._origin.guests

    @property
    def stats(self) -> CellStats:
        """Data for metrics: the present world, and the previous one if it has the same cells."""
        if self._stats is not None:
            return self._stats
        before = self._before
        same = before is not None and before.address is self._origin.address
        return CellStats(self._present(self._engine.state), self.rule, before if same else None)

    # ------------------------------------------------------------ the agents

    def agent_at(self, name: Hashable) -> CellAgent:
        """The agent of a pixel (row, column), or of a graph's node.

        Raises:
            ValueError: an unknown place, or a place without a living cell.
        """
        agent = self.living(self.places.name(self.places.site(name)))
        if agent is None:
            raise ValueError(
                f"no agent lives at {shown(name)}; the agents' names are [agent.name for agent in "
                "swarm.agents], and swarm.draw makes a pixel alive"
            )
        return agent

    def living(self, name: Hashable) -> CellAgent | None:
        """The agent with exactly this name; None if there is none."""
        return self._living.get(name)

    def neighbors_of(self, agent: CellAgent) -> dict[int, CellAgent]:
        """Slot → the living neighbour of an agent."""
        return self._engine.neighbors(agent) if agent.present else {}

    def heard_by(self, agent: CellAgent) -> dict[int, Vector]:
        """Slot → message that arrived at an agent in the last step; empty before the first step."""
        before = self._before
        if before is None or not agent.present:
            return {}
        if self._heard is None:
            mail = Mail(before, draws_of(before, self.seed))
            padded = torch.cat([before.state, before.state.new_zeros(1, self.rule.channels)])
            rows = torch.arange(before.cells)
            self._heard = mail.collect(padded, 0).numpy(), mail.arriving(rows, 0).tolist()
        bank, table = self._heard
        heard = table[int(torch.searchsorted(before.address, agent.site))]
        return {slot: bank[row].copy() for slot, row in enumerate(heard) if row != before.cells}

    def field(self, name: str) -> Vector | None:
        """[N, …], a further field of the world's cells; None if the world lacks it."""
        values = self._origin.cell_fields.get(name)
        return None if values is None else values.numpy()

    def held(self, name: str) -> Vector:
        """[N, …, C], messages that the links delay or keep, by the names of `engine.mail`."""
        return self._engine.held()[name].numpy()

    @property
    def graph(self) -> nx.DiGraph[Hashable]:
        """All places, alive or not: edges u → v ("u hears v") with an attribute `slot`."""
        return self.places.graph

    @property
    def space(self) -> MesaSpace:
        """The agents' Mesa space: a cell for every place, made when first asked for.

        A picture is an OrthogonalMooreGrid or OrthogonalVonNeumannGrid, a graph is a Network. Their
        coordinates are Mesa's: (right, up) of a pixel, the number of a node; `cell_at` takes names.
        A copy of a swarm makes its own space, without property layers added to this one.
        """
        if self._space is None:
            self._space = self.places.mesa_space(self.random)
            for agent in self.rows:
                self._cell(agent.site).add_agent(agent)
        return self._space

    def cell_at(self, name: Hashable) -> Cell:
        """The cell of `space` at a pixel (row, column) or a graph's node, alive or not.

        Raises:
            ValueError: no such place.
        """
        return self._cell(self.places.site(name))

    # ---------------------------------------------------------------- inside

    def engine_on(self, world: World) -> Engine:
        """An engine for another moment of this world; does not change the swarm.

        Raises:
            ValueError: another world, or an unsupported device or dtype.
        """
        if not (self.places.same_as(_alone(world).space) and torch.equal(world.key, self.key)):
            raise ValueError(
                "a swarm cannot change its world: pixels or nodes and key must stay the same; "
                "start another Swarm for another world"
            )
        if world.state.device.type != "cpu" or world.state.dtype not in (
            torch.float32,
            torch.float64,
        ):
            raise ValueError(
                f"agents need float32 or float64 on the CPU, the state is {world.state.dtype} on "
                f"{world.state.device}; use world.to('cpu', torch.float32) and rule.to(…)"
            )
        return ENGINES[self.engine](self, world)

    def go_on(self, world: World, engine: Engine) -> None:
        """Continue from a moment of the world with an engine for it; update the agents."""
        if int(world.step) != self.now:
            self._before = self._heard = None
        self.fire_rate, self.noise = rates_of(world, self.rule)
        self.mortal = self.rule.lives(world.state.detach(), world.largest) is not None
        self._origin, self._engine, self.now = world, engine, int(world.step)
        self._view_buffers()
        self._populate(world.site.tolist())

    def _view_buffers(self) -> None:
        # NumPy arrays, because indexing a row takes a seventh of the time of torch.
        self._states: Vector = self._engine.state.numpy()
        self._stimuli: Vector = self._origin.stimulus.detach().numpy()
        self._stimuli.flags.writeable = False

    def _cell(self, site: int) -> Cell:
        return self.space[self.places.coordinate(site)]

    def __getstate__(self) -> dict[str, Any]:
        # Copies of Mesa's grids and networks lose cells' classes and connections.
        return {**self.__dict__, "_space": None}

    def __setstate__(self, fields: dict[str, Any]) -> None:
        self.__dict__.update(fields)
        self._view_buffers()  # a copy's arrays would not share memory with its tensors

    def _populate(self, sites: list[int]) -> None:
        names = [self.places.name(site) for site in sites]
        for name in self._living.keys() - set(names):
            agent = self._living.pop(name)
            if self._space is not None:
                self._cell(agent.site).remove_agent(agent)
            agent.leave()
        for site, name in zip(sites, names, strict=True):
            if name not in self._living:
                agent = self._living[name] = CellAgent(self, site, name)
                if self._space is not None:
                    self._cell(site).add_agent(agent)
        self.rows = [self._living[name] for name in names]
        for row, agent in enumerate(self.rows):
            agent.row = row

    def _present(self, state: torch.Tensor) -> World:
        return self._origin.with_state(state, self.now - int(self._origin.step))

    def _sites(self, names: Iterable[Hashable]) -> torch.Tensor:
        if not isinstance(names, Iterable) or not getattr(names, "ndim", 1):
            raise ValueError(
                f"give a list of places, such as [(row, column), …], got {shown(names)}"
            )
        sites = dict.fromkeys(self.places.site(name) for name in names)
        return torch.tensor(list(sites), dtype=torch.int64)

    def _collect(self) -> None:
        self._stats = self.stats  # computed once for all reporters
        self.datacollector.collect(self)
        self._stats = None

    def __repr__(self) -> str:
        return f"<Swarm of {len(self.rows)} agents at step {self.now}, engine {self.engine!r}>"

    def _repr_png_(self) -> bytes:
        from swarm_nca.render import render_png

        return render_png(self.world)


class _Run(Simulation):
    """The simulation of a swarm; it updates the agents when its world changes."""

    def __init__(self, swarm: Swarm, world: World, plan: Plan) -> None:
        self._swarm = swarm
        super().__init__(world, swarm.rule, swarm.seed, plan)

    @property
    def world(self) -> World:
        # Not cached, because agents' states can be written to at any time.
        return self.backend.world()

    def stand_on(self, world: World, step: int | None = None) -> None:
        engine = self._swarm.engine_on(world)  # raises before anything has changed
        super().stand_on(world, step)
        self._backend = engine
        self._swarm.go_on(world, engine)


def _alone(world: World) -> World:
    if len(world) != 1:
        raise ValueError(
            f"a swarm has one world, got a batch of {len(world)}; take one with world[0], or run "
            "them all with swarm_nca.rollout"
        )
    return world


def _timed(perturbation: Perturbation | tuple[int, Change]) -> tuple[int, Change]:
    at, change = (
        perturbation
        if isinstance(perturbation, tuple)
        else (getattr(perturbation, "at", None), perturbation)
    )
    if at is None or not callable(change):
        raise ValueError(
            f"a perturbation has a step `at`, 0 or more, and is callable; give one, or a pair "
            f"(at, change); got {perturbation!r}"
        )
    return whole("at", at), change
