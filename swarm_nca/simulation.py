"""One run in time: a world, a rule, and a plan of what is done to it.

This is the only place that knows what is due. Step t is taken first; then the changes planned for t
act, in the order of the plan, and the run goes on from what they left. Scenarios, swarms of agents,
the viewer and evaluations are all driven by a `Simulation`; what steps the cells is a backend. A
step of a swarm begins with what is due and ends with `take_step`: the same order, cut elsewhere, so
that its agents can be looked at before the changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from swarm_nca.engine import Backend, stepper
from swarm_nca.rules import Rule
from swarm_nca.world import World


class Change(Protocol):
    """A perturbation, or any function of a world."""

    def __call__(self, world: World, seed: int = 0) -> World:
        """The world after it; the one given stays as it is."""


class Plan(Protocol):
    """What is done when."""

    def at(self, step: int) -> Sequence[Any]:
        """The entries for a step, in the order in which they act; each is a `Change`."""


#: Makes a backend that stands on a world: (world, rule, seed) → Backend.
MakesBackend = Callable[[World, Rule, int], Backend]


@dataclass(frozen=True, eq=False)
class Event:
    """A change that acted: the entry of the plan, and the worlds before and after it."""

    change: Any
    before: World
    after: World


@dataclass(frozen=True, eq=False)
class Moment:
    """What one step brought.

    Attributes:
        step: steps taken since the start; 0 is the start.
        before: the world one step earlier, after its changes; None at the start.
        world: the world after the step, before the changes planned for it.
        fired: int64 [M], the rows that acted in the step.
        events: what acted then, in order.
    """

    step: int
    before: World | None
    world: World
    fired: Tensor
    events: tuple[Event, ...] = ()

    @property
    def after(self) -> World:
        """The world that the next step begins with."""
        return self.events[-1].after if self.events else self.world


class Planned:
    """A plan of pairs (step, change), in the order given within each step."""

    def __init__(self, entries: Sequence[tuple[int, Any]] = ()) -> None:
        self._entries: dict[int, list[Any]] = {}
        for step, change in entries:
            self._entries.setdefault(step, []).append(change)

    def at(self, step: int) -> Sequence[Any]:
        """The changes for a step."""
        return self._entries.get(step, ())


class Simulation:
    """A world being run.

    Args:
        world: where it starts; never changed.
        rule: what cells obey.
        seed: every random draw depends on it.
        plan: what is done when; nothing when None.
        backend: what steps the cells; the fastest of `engine.BACKENDS` that takes them when
            None.

    Attributes:
        step: steps taken so far.
    """

    _world: World | None
    _backend: Backend | None

    def __init__(
        self,
        world: World,
        rule: Rule,
        seed: int = 0,
        plan: Plan | None = None,
        backend: MakesBackend | None = None,
    ) -> None:
        self.rule, self.seed = rule, seed
        self.plan: Plan = Planned() if plan is None else plan
        self.step = 0
        self._make: MakesBackend = stepper if backend is None else backend
        self.stand_on(world)

    @property
    def world(self) -> World:
        """The present moment, safe from further steps."""
        if self._world is None:
            self._world = self.backend.world()
        return self._world

    @property
    def cells(self) -> int:
        """N, the cells of the world; asking takes no copy of the states."""
        return self._ground.cells

    @property
    def backend(self) -> Backend:
        """What steps the cells; made when first needed, since many edits may come before a step."""
        if self._backend is None:
            self._backend = self._make(self._ground, self.rule, self.seed)
        return self._backend

    def stand_on(self, world: World, step: int | None = None) -> None:
        """Go on from another world.

        Args:
            step: the number of the moment; as it is when None.
        """
        self._ground, self._world, self._backend = world, world, None
        if step is not None:
            self.step = step

    def copy(self, plan: Plan) -> Simulation:
        """The same moment under a plan of its own; steps of one do not touch the other."""
        other = Simulation(self.world, self.rule, self.seed, plan, self._make)
        other.step = self.step
        return other

    def begin(self) -> Moment:
        """The start, as step 0: nothing is stepped, what is planned for 0 acts."""
        fired = torch.zeros(0, dtype=torch.int64, device=self.world.state.device)
        return Moment(self.step, None, self.world, fired, self.happen())

    def advance(self) -> Moment:
        """Take one step, look at the world, then let act what is planned for the step."""
        before = self.world
        fired = self.take_step()
        world = self.world
        return Moment(self.step, before, world, fired, self.happen())

    def skip(self) -> tuple[Tensor, tuple[Event, ...]]:
        """`advance` without a look: no copy of the states is made; who acted, and what happened."""
        fired = self.take_step()
        return fired, self.happen()

    def take_step(self) -> Tensor:
        """Step the cells once, and nothing else; returns the rows that acted, int64 [M]."""
        fired = self.backend.step()
        self.step += 1
        self._world = None
        return fired

    def happen(self) -> tuple[Event, ...]:
        """Let act what is planned for the present step."""
        events = []
        for change in self.plan.at(self.step):
            before = self.world
            self.stand_on(change(before, seed=self.seed))
            events.append(Event(change, before, self.world))
        return tuple(events)

    def moments(self, steps: int) -> Iterator[Moment]:
        """The start, and the moments after steps 1, 2, … `steps`."""
        yield self.begin()
        for _ in range(steps):
            yield self.advance()
