"""Draw: adds grey along a line; pixels above the threshold become alive.

Strokes accumulate, as in the demo of self-classifying MNIST (Randazzo et al., Distill 2020): grey
below the threshold is part of the stimulus of neighbours, and a later stroke can raise it above the
threshold. Cells that stay alive keep all their fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from swarm_nca.bounds import Positive
from swarm_nca.perturbations.pen import Pen
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Draw(Pen):
    """Adds grey under a round brush.

    The attributes are those of `Pen`.
    """

    kind: Literal["draw"] = field(default="draw", repr=False)
    radius: Positive = 1.3

    def of(self, alone: World, sites: Tensor, share: Tensor) -> World:
        """See `Pen.of`."""
        return alone.draw(sites, share)
