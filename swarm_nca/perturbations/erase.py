"""Erase: removes grey along a line; cells at or below the threshold die."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Gt, Le

from swarm_nca.bounds import Index, Positive
from swarm_nca.perturbations.pen import Points, check_pen, pen_caption, pen_coverage
from swarm_nca.perturbations.perturbation import Perturbation, relabeled
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Erase(Perturbation):
    """Removes grey under a round rubber.

    Attributes:
        points, glyph, stroke: the line, as in `Draw`.
        radius: radius of the rubber in pixels, above 0.
        strength: the share of grey removed from fully covered pixels, in (0, 1].
        label: the new label, as in `Draw`.
    """

    kind: Literal["erase"] = field(default="erase", repr=False)
    points: Points | None = None
    glyph: int | str | None = None
    stroke: Index | None = None
    radius: Positive = 2.6
    strength: Annotated[float, Gt(0.0), Le(1.0)] = 1.0
    label: int | str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_pen(self.points, self.glyph, self.stroke)

    def __call__(self, world: World, seed: int = 0) -> World:
        """The worlds with the line erased; see `Perturbation.__call__`."""
        return self.one_by_one(world, self._erased)

    def what(self, before: World, after: World) -> str:
        """The line, and the label if it changed."""
        return pen_caption(self.points, self.glyph, self.stroke, before, after)

    def _erased(self, alone: World, _: int) -> World:
        sites, share = pen_coverage(alone, self.points, self.glyph, self.stroke, self.radius)
        return relabeled(alone.erase(sites, share * self.strength), self.label)
