"""Draw: a pen adds grey along a line, and pixels that grow dark enough come alive.

Strokes accumulate, as in the demo of self-classifying MNIST (Randazzo et al., Distill 2020): what
stays below the threshold is sensed by the neighbours and can be lifted by a later stroke. Cells
that live on keep all they hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from swarm_nca.perturbations.pen import check_pen, pen_coverage, points_of, told
from swarm_nca.perturbations.perturbation import Perturbation, relabeled, settle
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Draw(Perturbation):
    """Grey added under a round brush.

    Attributes:
        points: the line's (row, column) points; a single one is a dab.
        glyph: instead of points, a digit or letter, written in the middle of the canvas.
        stroke: which stroke of the glyph, counted from 0 in the order of writing; all when None.
        radius: of the brush, in pixels, above 0.
        strength: the grey added where the brush fully covers a pixel, in (0, 1].
        label: what the cells should agree on now, by number (−1: unknown) or name; as before when
            None.
    """

    kind: Literal["draw"] = field(default="draw", repr=False)
    points: tuple[tuple[float, float], ...] | None = None
    glyph: int | str | None = None
    stroke: int | None = None
    radius: float = 1.3
    strength: float = 1.0
    label: int | str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "points", points_of(self.points))
        settle(self, "radius", "strength")
        check_pen(self.points, self.glyph, self.stroke, self.radius, self.strength)

    def __call__(self, world: World, seed: int = 0) -> World:
        """The worlds with the line drawn; see `Perturbation.__call__`."""
        return self.one_by_one(world, self._drawn)

    def what(self, before: World, after: World) -> str:
        """The line drawn, and the label where it changed."""
        return told(self.points, self.glyph, self.stroke, before, after)

    def _drawn(self, alone: World, _: int) -> World:
        sites, share = pen_coverage(alone, self.points, self.glyph, self.stroke, self.radius)
        return relabeled(alone.draw(sites, share * self.strength), self.label)
