"""Erase: removes grey along a line; cells at or below the threshold die."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from swarm_nca.bounds import Positive
from swarm_nca.perturbations.pen import Pen
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Erase(Pen):
    """Removes a share of the grey under a round rubber.

    The attributes are those of `Pen`.
    """

    kind: Literal["erase"] = field(default="erase", repr=False)
    radius: Positive = 2.6

    def of(self, alone: World, sites: Tensor, share: Tensor) -> World:
        """See `Pen.of`."""
        return alone.erase(sites, share)
