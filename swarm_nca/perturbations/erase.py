"""Erase: a rubber takes grey away along a line, and cells that lose too much of it die."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from swarm_nca.perturbations.pen import check_pen, pen_coverage, points_of, told
from swarm_nca.perturbations.perturbation import Perturbation, relabeled, settle
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Erase(Perturbation):
    """Grey taken away under a round rubber.

    Attributes:
        points, glyph, stroke: the line, as in `Draw`.
        radius: of the rubber, in pixels, above 0.
        strength: the share of the grey taken where the rubber fully covers a pixel, in (0, 1].
        label: what the cells should agree on now, as in `Draw`.
    """

    kind: Literal["erase"] = field(default="erase", repr=False)
    points: tuple[tuple[float, float], ...] | None = None
    glyph: int | str | None = None
    stroke: int | None = None
    radius: float = 2.6
    strength: float = 1.0
    label: int | str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "points", points_of(self.points))
        settle(self, "radius", "strength")
        check_pen(self.points, self.glyph, self.stroke, self.radius, self.strength)

    def __call__(self, world: World, seed: int = 0) -> World:
        """The worlds with the line rubbed out; see `Perturbation.__call__`."""
        return self.one_by_one(world, self._erased)

    def what(self, before: World, after: World) -> str:
        """The line rubbed out, and the label where it changed."""
        return told(self.points, self.glyph, self.stroke, before, after)

    def _erased(self, alone: World, _: int) -> World:
        sites, share = pen_coverage(alone, self.points, self.glyph, self.stroke, self.radius)
        return relabeled(alone.erase(sites, share * self.strength), self.label)
