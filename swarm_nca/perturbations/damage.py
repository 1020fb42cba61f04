"""Damage: sets the states of cells in an area to zero, or erases their pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch

from swarm_nca.perturbations.area import Area
from swarm_nca.perturbations.perturbation import Perturbation
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Damage(Perturbation, Area):
    """Sets states to zero or erases pixels in a shape; `Area` has its attributes.

    Attributes:
        target: `states` zeroes the states and cells stay alive; `pixels` erases pixels. On a graph
            the shape uses the coordinates of the nodes, and erased nodes are removed.
    """

    kind: Literal["damage"] = field(default="damage", repr=False)
    target: Literal["states", "pixels"] = "states"

    def __post_init__(self) -> None:
        Area.__post_init__(self)
        Perturbation.__post_init__(self)
        if self.target not in ("states", "pixels"):
            raise ValueError(f"target must be states or pixels, got {self.target!r}")

    def __call__(self, world: World, seed: int = 0) -> World:
        """The damaged worlds; see `Perturbation.__call__`."""
        return self.one_by_one(world, self._damaged)

    def what(self, before: World, after: World) -> str:
        """The damaged area, and the number of lost cells."""
        lost = f", {before.cells - after.cells} cells lost" if self.target == "pixels" else ""
        return f"{self.caption}{lost}"

    def _damaged(self, alone: World, _: int) -> World:
        sites = self.sites(alone).to(alone.state.device)
        if self.target == "pixels":
            return alone.erase(sites)
        hit = torch.isin(alone.site, sites)
        return alone.with_state(alone.state.masked_fill(hit[:, None], 0.0))
