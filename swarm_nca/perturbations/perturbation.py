"""What every perturbation is: a frozen record that says when, where and how, and a function from
`World` to `World`. The record is its own configuration; a scenario's YAML spells its fields.

A perturbation acts on every world of a batch, or on the one it names. Draws at random are
counter-based, so what it does depends on the seed and the world alone, not on who else is there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from swarm_nca.bounds import Index, check_bounds
from swarm_nca.images.pictures import class_number
from swarm_nca.world import World


@dataclass(frozen=True, eq=False, kw_only=True)
class Perturbation(ABC):
    """Something done to worlds between two steps.

    Attributes:
        kind: its name in scenarios; each class has its own.
        at: the step before which it acts, 0 or more; whoever runs the world looks at it.
        world: which world of the batch, counted from 0; all of them when None.
        SHARED: whether it changes what all worlds of a batch share, so that it cannot name one.
    """

    SHARED: ClassVar[bool] = False

    kind: str
    at: Index = 0
    world: Index | None = None

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.SHARED and self.world is not None:
            raise ValueError(
                f"the worlds of a batch share what {self.kind!r} changes; leave out world"
            )

    @abstractmethod
    def __call__(self, world: World, seed: int = 0) -> World:
        """The worlds after it; those given stay as they are.

        Args:
            seed: what random draws depend on; kinds that draw nothing take no notice.

        Raises:
            ValueError: a world it does not fit, or a world number the batch does not have.
        """

    def what(self, before: World, after: World) -> str:
        """A few words for a caption: what it did to the worlds before, to have those after."""
        return self.kind

    def chosen(self, world: World) -> range:
        """The numbers of the worlds it acts on."""
        if self.world is None:
            return range(len(world))
        if self.world >= len(world):
            raise ValueError(
                f"world must be a number from 0 to {len(world) - 1}, the batch's worlds, got "
                f"{self.world}"
            )
        return range(self.world, self.world + 1)

    def one_by_one(self, world: World, change: Callable[[World, int], World]) -> World:
        """The batch with `change(alone, i)` for each world acted on, i counting these from 0."""
        chosen = self.chosen(world)
        if len(world) == 1:
            return change(world, 0)
        alone = world.split()
        for i, number in enumerate(chosen):
            alone[number] = change(alone[number], i)
        return World.join(alone)


def labels(world: World) -> str:
    """The worlds' labels in a word or two, `?` for unknown; a rule without classes has none."""
    classes = world.readout.class_names
    names = [classes[i] if i >= 0 else "?" for i in world.label.tolist()]
    shown = list(dict.fromkeys(names))
    return ", ".join(shown) if len(shown) <= 3 else f"{len(shown)} classes"


def relabeled(world: World, label: int | str | None) -> World:
    """The worlds with one label for all, by number (−1: unknown) or name; None changes nothing.

    Raises:
        ValueError: a class that the world does not have.
    """
    if label is None:
        return world
    number = class_number(label, world.readout.class_names, or_unknown=True)
    return world.relabeled([number] * len(world))
