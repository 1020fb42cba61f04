"""Restart: resets the states. It is the control experiment for a mutation, which keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from swarm_nca.perturbations.mutate import Images, pictured
from swarm_nca.perturbations.perturbation import Perturbation, labels, relabeled
from swarm_nca.world import World, check_start


@dataclass(frozen=True, eq=False, kw_only=True)  # pictures do not compare
class Restart(Perturbation):
    """Sets the states to their start, on the same or on new pictures; the step count stays.

    Attributes:
        start: `zeros`, or `random` (standard normal, from the seed and the step).
        images: new pictures, as in `Mutate`; the same pictures when None.
        label: the new label; when None that of the new pictures.
    """

    kind: Literal["restart"] = field(default="restart", repr=False)
    start: Literal["zeros", "random"] = "zeros"
    images: Images | None = None
    label: int | str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_start(self.start)

    def __call__(self, world: World, seed: int = 0) -> World:
        """The restarted worlds; see `Perturbation.__call__`."""
        if self.images is not None:
            world = pictured(self, world, self.images, seed)

        def restarted(alone: World, _: int) -> World:
            return relabeled(alone.restarted(self.start, seed), self.label)

        return self.one_by_one(world, restarted)

    def what(self, before: World, after: World) -> str:
        """The labels if they changed, and the start."""
        changed = f"{labels(before)} → {labels(after)}, " if labels(before) != labels(after) else ""
        return f"{changed}from {self.start}"
