"""Draw: adds grey along a line; pixels above the threshold become alive.

Strokes accumulate, as in the demo of self-classifying MNIST (Randazzo et al., Distill 2020): grey
below the threshold is part of the stimulus of neighbours, and a later stroke can raise it above the
threshold. Cells that stay alive keep all their fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Gt, Le

from swarm_nca.bounds import Index, Positive
from swarm_nca.perturbations.pen import Points, check_pen, pen_caption, pen_coverage
from swarm_nca.perturbations.perturbation import Perturbation, relabeled
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Draw(Perturbation):
    """Adds grey under a round brush.

    Attributes:
        points: the (row, column) points of the line; one point makes a dot.
        glyph: instead of points, a digit or letter, drawn in the middle of the canvas.
        stroke: the stroke of the glyph, counted from 0 in writing order; all strokes when None.
        radius: radius of the brush in pixels, above 0.
        strength: the grey added to fully covered pixels, in (0, 1].
        label: the new label, by number (−1: unknown) or name; unchanged when None.
    """

    kind: Literal["draw"] = field(default="draw", repr=False)
    points: Points | None = None
    glyph: int | str | None = None
    stroke: Index | None = None
    radius: Positive = 1.3
    strength: Annotated[float, Gt(0.0), Le(1.0)] = 1.0
    label: int | str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_pen(self.points, self.glyph, self.stroke)

    def __call__(self, world: World, seed: int = 0) -> World:
        """The worlds with the line drawn; see `Perturbation.__call__`."""
        return self.one_by_one(world, self._drawn)

    def what(self, before: World, after: World) -> str:
        """The line, and the label if it changed."""
        return pen_caption(self.points, self.glyph, self.stroke, before, after)

    def _drawn(self, alone: World, _: int) -> World:
        sites, share = pen_coverage(alone, self.points, self.glyph, self.stroke, self.radius)
        return relabeled(alone.draw(sites, share * self.strength), self.label)
