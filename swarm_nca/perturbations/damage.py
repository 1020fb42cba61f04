"""Damage: sets the states of cells in an area to zero, or erases their pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast

import torch
from torch import Tensor

from swarm_nca.bounds import Number, Positive
from swarm_nca.images.raster import Side
from swarm_nca.perturbations.area import in_disc, in_half, in_rectangle
from swarm_nca.perturbations.perturbation import Perturbation
from swarm_nca.world import World

#: The attributes of each shape.
SHAPES = {"disc": ("center", "radius"), "half": ("side",), "rectangle": ("corner", "size")}


@dataclass(frozen=True, kw_only=True)
class Damage(Perturbation):
    """Zeroed states or erased pixels in a shape.

    Attributes:
        shape: `disc` (`center`, `radius`), `half` (`side`) or `rectangle` (`corner`, `size`).
        center: (row, column) of the disc; pixel centres have whole coordinates.
        radius: radius of the disc in pixels, above 0.
        side: the damaged half: left, right, top or bottom.
        corner: (row, column) of the rectangle's top left pixel.
        size: (rows, columns) of the rectangle.
        target: `states` zeroes the states and cells stay alive; `pixels` erases pixels. On a graph
            the shape uses the coordinates of the nodes, and erased nodes are removed.
    """

    kind: Literal["damage"] = field(default="damage", repr=False)
    shape: Literal["disc", "half", "rectangle"]
    center: tuple[Number, Number] | None = None
    radius: Positive | None = None
    side: Side | None = None
    corner: tuple[Number, Number] | None = None
    size: tuple[Positive, Positive] | None = None
    target: Literal["states", "pixels"] = "states"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.shape, str) or self.shape not in SHAPES:
            known = ", ".join(SHAPES)
            raise ValueError(f"shape must be one of {known}, got {self.shape!r}")
        if self.target not in ("states", "pixels"):
            raise ValueError(f"target must be states or pixels, got {self.target!r}")
        for name in ("center", "radius", "side", "corner", "size"):
            belongs, given = name in SHAPES[self.shape], getattr(self, name)
            takes = " and ".join(SHAPES[self.shape])
            if belongs and given is None:
                raise ValueError(f"shape {self.shape!r} needs {takes}")
            if not belongs and given is not None:
                raise ValueError(
                    f"{name} does not go with shape {self.shape!r}, which takes {takes}"
                )

    def __call__(self, world: World, seed: int = 0) -> World:
        """The damaged worlds; see `Perturbation.__call__`."""
        return self.one_by_one(world, self._damaged)

    def what(self, before: World, after: World) -> str:
        """The damaged area, and the number of lost cells."""
        lost = f", {before.cells - after.cells} cells lost" if self.target == "pixels" else ""
        if self.center is not None:
            row, column = self.center
            return f"disc of radius {self.radius:g} at ({row:g}, {column:g}){lost}"
        if self.corner is not None and self.size is not None:
            (row, column), (height, width) = self.corner, self.size
            return f"{height:g} × {width:g} rectangle at ({row:g}, {column:g}){lost}"
        return f"{self.side} half{lost}"

    def _damaged(self, alone: World, _: int) -> World:
        sites = self._sites(alone).to(alone.state.device)
        if self.target == "pixels":
            return alone.erase(sites)
        hit = torch.isin(alone.site, sites)
        return alone.with_state(alone.state.masked_fill(hit[:, None], 0.0))

    def _sites(self, alone: World) -> Tensor:
        if self.center is not None and self.radius is not None:
            return in_disc(alone, self.center, self.radius)
        if self.corner is not None and self.size is not None:
            return in_rectangle(alone, self.corner, self.size)
        return in_half(alone, cast(Side, self.side))
