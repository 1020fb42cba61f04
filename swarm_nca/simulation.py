"""Runs a world under a rule, and applies planned changes at their steps.

Only this module decides which changes apply at a step. Step t is taken first; then the changes
planned for t are applied, in the order of the plan, and the run continues from the result.
Scenarios, swarms of agents, the viewer and evaluations all use a `Simulation`; a backend steps the
cells. A step of a swarm first applies the planned changes and then calls `take_step`. The order is
the same, but the agents can be inspected before the changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from swarm_nca.engine import Backend, stepper
from swarm_nca.randomness import MOST_STEPS
from swarm_nca.rules import Rule
from swarm_nca.world import World


class Change(Protocol):
    """A perturbation, or any function of a world."""

    def __call__(self, world: World, seed: int = 0) -> World:
        """The changed world; the given one stays unchanged."""


class Plan(Protocol):
    """The changes of each step."""

    def at(self, step: int) -> Sequence[Any]:
        """The entries for a step, in the order in which they apply; each is a `Change`."""


#: Makes a backend for a world: (world, rule, seed) → Backend.
MakesBackend = Callable[[World, Rule, int], Backend]


@dataclass(frozen=True, eq=False)
class Event:
    """A change that was applied: the entry of the plan, and the worlds before and after it."""

    change: Any
    before: World
    after: World


@dataclass(frozen=True, eq=False)
class Moment:
    """The result of one step.

    Attributes:
        step: steps taken since the start; 0 is the start.
        before: the world one step earlier, after its changes; None at the start.
        world: the world after the step, before the changes planned for it.
        events: the changes applied after the step, in order.
    """

    step: int
    before: World | None
    world: World
    events: tuple[Event, ...] = ()

    @property
    def after(self) -> World:
        """The world from which the next step starts."""
        return self.events[-1].after if self.events else self.world


def times(change: Any, at: int, last: int = MOST_STEPS) -> range:
    """The steps from `at` to `last` at which a change planned for step `at` acts.

    A change with an attribute `every` acts again every so many steps, up to its step `until`.
    """
    every, until = getattr(change, "every", None), getattr(change, "until", None)
    if every is None:
        return range(at, at + 1)
    return range(at, (last if until is None else min(until, last)) + 1, every)


class Planned:
    """A plan made of pairs (step, change); changes of one step keep their order; see `times`."""

    def __init__(self, entries: Sequence[tuple[int, Any]] = ()) -> None:
        self._entries: dict[int, list[tuple[int, Any]]] = {}
        self._repeated: list[tuple[range, tuple[int, Any]]] = []
        for number, (step, change) in enumerate(entries):
            steps = times(change, step)
            if len(steps) == 1:
                self._entries.setdefault(step, []).append((number, change))
            else:
                self._repeated.append((steps, (number, change)))

    def at(self, step: int) -> Sequence[Any]:
        """The changes for a step."""
        due = [entry for steps, entry in self._repeated if step in steps]
        return [change for _, change in sorted(due + self._entries.get(step, []), key=_number)]


def _number(entry: tuple[int, Any]) -> int:
    return entry[0]


class Simulation:
    """A run of one world under one rule.

    Args:
        world: the first world; never changed.
        rule: the rule of all cells.
        seed: seed of every random draw.
        plan: the changes of each step; no changes when None.
        backend: makes the backend that steps the cells; when None, the fastest one of
            `engine.BACKENDS` that supports the world and the rule.

    Attributes:
        step: steps taken so far.
    """

    #: The world from which the backend starts.
    _start: World
    #: The present world; None when the backend has stepped past it.
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
        """The present world; later steps do not change it."""
        if self._world is None:
            self._world = self.backend.world()
        return self._world

    @property
    def cells(self) -> int:
        """N, the number of cells; does not copy the states."""
        return self._start.cells

    @property
    def backend(self) -> Backend:
        """The backend that steps the cells; made on first use, since edits often come in groups."""
        if self._backend is None:
            self._backend = self._make(self._start, self.rule, self.seed)
        return self._backend

    def stand_on(self, world: World, step: int | None = None) -> None:
        """Continue from another world.

        Args:
            step: the new step number; unchanged when None.
        """
        self._start, self._world, self._backend = world, world, None
        if step is not None:
            self.step = step

    def copy(self, plan: Plan) -> Simulation:
        """An independent simulation from the same moment, with another plan."""
        other = Simulation(self.world, self.rule, self.seed, plan, self._make)
        other.step = self.step
        return other

    def begin(self) -> Moment:
        """The moment of step 0: apply the changes planned for it, without a step."""
        return Moment(self.step, None, self.world, self.happen())

    def advance(self) -> Moment:
        """Take one step, then apply the changes planned for it."""
        before = self.world
        self.take_step()
        world = self.world
        return Moment(self.step, before, world, self.happen())

    def skip(self) -> tuple[Event, ...]:
        """Like `advance`, but without copies of the states; returns the events."""
        self.take_step()
        return self.happen()

    def take_step(self) -> None:
        """Step the cells once, without changes."""
        self.backend.step()
        self.step += 1
        self._world = None

    @property
    def fired(self) -> Tensor:
        """int64 [M], the rows that fired in the last step; none before the first, and after a
        change.
        """
        if self._backend is None:
            return torch.zeros(0, dtype=torch.int64, device=self._start.state.device)
        return self._backend.fired

    def happen(self) -> tuple[Event, ...]:
        """Apply the changes planned for the present step."""
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
