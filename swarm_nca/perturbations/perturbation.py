"""The base class of perturbations: a frozen record and a function from `World` to `World`.

The fields of the record are the keys of a perturbation in a scenario's YAML. A perturbation acts on
every world of a batch, or on one. Random draws are counter-based, so the result for a world depends
on the seed and that world only, not on the batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from swarm_nca.bounds import Count, Index, check_bounds
from swarm_nca.images.pictures import class_number
from swarm_nca.simulation import times
from swarm_nca.world import World

#: How often one perturbation may act in a run.
MOST_TIMES = 10_000


@dataclass(frozen=True, eq=False, kw_only=True)
class Perturbation(ABC):
    """A change of worlds between two steps.

    Attributes:
        kind: name in scenarios; each class has its own.
        at: the number of steps after which the caller applies it, 0 or more.
        world: the number of the world in the batch, from 0; all worlds when None.
        every: repeats it every so many steps; it acts once when None.
        until: the last step at which it may act, with `every`; the end of the run when None.
        SHARED: whether it changes a field that all worlds of a batch share, so that `world` must be
            None.
    """

    SHARED: ClassVar[bool] = False

    kind: str
    at: Index = 0
    world: Index | None = None
    every: Count | None = None
    until: Index | None = None

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.until is not None and (self.every is None or self.until < self.at):
            raise ValueError(
                f"until goes with every and is at least at ({self.at}), got {self.until}; give "
                "every: the steps between two times"
            )
        if self.SHARED and self.world is not None:
            raise ValueError(
                f"the worlds of a batch share what {self.kind!r} changes; leave out world"
            )

    @abstractmethod
    def __call__(self, world: World, seed: int = 0) -> World:
        """The changed worlds; the given ones stay unchanged.

        Args:
            seed: seed of random draws; ignored by kinds that draw nothing.

        Raises:
            ValueError: an unsupported world, or a world number that the batch does not have.
        """

    def what(self, before: World, after: World) -> str:
        """A short caption of the change from `before` to `after`."""
        return self.kind

    def times(self, steps: int) -> list[Self]:
        """This perturbation once for every step below `steps` at which it acts."""
        if self.every is None:
            return [self]
        acts = times(self, self.at, steps - 1)
        if len(acts) > MOST_TIMES:
            raise ValueError(
                f"every {self.every} steps are {len(acts):,} times, at most {MOST_TIMES:,}: raise "
                "every, or give until"
            )
        return [replace(self, at=at, every=None, until=None) for at in acts]

    def chosen(self, world: World) -> range:
        """The numbers of the worlds to change."""
        if self.world is None:
            return range(len(world))
        if self.world >= len(world):
            raise ValueError(
                f"world must be a number from 0 to {len(world) - 1}, the batch's worlds, got "
                f"{self.world}"
            )
        return range(self.world, self.world + 1)

    def one_by_one(self, world: World, change: Callable[[World, int], World]) -> World:
        """The batch with `change(alone, i)` for the i-th chosen world, counted from 0."""
        chosen = self.chosen(world)
        if len(world) == 1:
            return change(world, 0)
        alone = world.split()
        for i, number in enumerate(chosen):
            alone[number] = change(alone[number], i)
        return World.join(alone)


def labels(world: World) -> str:
    """The labels of the worlds as a short text; `?` for unknown labels."""
    classes = world.readout.class_names
    names = [classes[i] if i >= 0 else "?" for i in world.label.tolist()]
    shown = list(dict.fromkeys(names))
    return ", ".join(shown) if len(shown) <= 3 else f"{len(shown)} classes"


def relabeled(world: World, label: int | str | None) -> World:
    """The worlds with the same label, by number (−1: unknown) or name; None changes nothing.

    Raises:
        ValueError: an unknown class.
    """
    if label is None:
        return world
    number = class_number(label, world.readout.class_names, or_unknown=True)
    return world.relabeled([number] * len(world))
