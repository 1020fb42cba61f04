"""The sites of a world that a shape covers, by (row, column) or by coordinates of graph nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor

from swarm_nca.bounds import Number, Positive, check_bounds
from swarm_nca.images.raster import Side, half
from swarm_nca.world import World

#: The attributes of each shape.
SHAPES = {"disc": ("center", "radius"), "half": ("side",), "rectangle": ("corner", "size")}


@dataclass(frozen=True, kw_only=True)
class Area:
    """A shape on a picture, or on a graph whose nodes have coordinates.

    Attributes:
        shape: `disc` (`center`, `radius`), `half` (`side`) or `rectangle` (`corner`, `size`).
        center: (row, column) of the disc; pixel centres have whole coordinates.
        radius: radius of the disc in pixels, above 0.
        side: left, right, top or bottom half.
        corner: (row, column) of the rectangle's top left pixel.
        size: (rows, columns) of the rectangle.

    Raises:
        ValueError: an unknown shape, or attributes that it does not take.
    """

    shape: Literal["disc", "half", "rectangle"]
    center: tuple[Number, Number] | None = None
    radius: Positive | None = None
    side: Side | None = None
    corner: tuple[Number, Number] | None = None
    size: tuple[Positive, Positive] | None = None

    def __post_init__(self) -> None:
        check_bounds(self)
        if not isinstance(self.shape, str) or self.shape not in SHAPES:
            known = ", ".join(SHAPES)
            raise ValueError(f"shape must be one of {known}, got {self.shape!r}")
        for name in ("center", "radius", "side", "corner", "size"):
            belongs, given = name in SHAPES[self.shape], getattr(self, name)
            takes = " and ".join(SHAPES[self.shape])
            if belongs and given is None:
                raise ValueError(f"shape {self.shape!r} needs {takes}")
            if not belongs and given is not None:
                raise ValueError(
                    f"{name} does not go with shape {self.shape!r}, which takes {takes}"
                )

    def sites(self, alone: World) -> Tensor:
        """int64 [n], the sites of a single world that the shape covers."""
        if self.center is not None and self.radius is not None:
            return in_disc(alone, self.center, self.radius)
        if self.corner is not None and self.size is not None:
            return in_rectangle(alone, self.corner, self.size)
        return in_half(alone, cast(Side, self.side))

    @property
    def caption(self) -> str:
        """The shape in some words."""
        if self.center is not None:
            return f"disc of radius {self.radius:g} at ({self.center[0]:g}, {self.center[1]:g})"
        if self.corner is not None and self.size is not None:
            (row, column), (height, width) = self.corner, self.size
            return f"{height:g} × {width:g} rectangle at ({row:g}, {column:g})"
        return f"{self.side} half"


def in_disc(world: World, center: tuple[float, float], radius: float) -> Tensor:
    """int64 [n], the sites of a single world at a distance of at most `radius` from the centre."""
    places = _places(world)
    offset = places - places.new_tensor(center)
    return _covered(world, (offset**2).sum(1) <= radius**2, f"a disc at {list(center)}")


def in_rectangle(world: World, corner: tuple[float, float], size: tuple[float, float]) -> Tensor:
    """int64 [n], the sites of a single world in [corner, corner + size), in both directions."""
    places = _places(world)
    offset = places - places.new_tensor(corner)
    covered = ((offset >= 0) & (offset < places.new_tensor(size))).all(1)
    return _covered(world, covered, f"a rectangle at {list(corner)}")


def in_half(world: World, side: Side) -> Tensor:
    """int64 [n], the pixels of one half of a single world's picture.

    Raises:
        ValueError: a world on a graph, which has no sides.
    """
    if not world.space.pictured:
        raise ValueError("shape 'half' needs a picture; on a graph use a disc or a rectangle")
    rows, columns = world.picture().shape
    return torch.from_numpy(half(side, (rows, columns))).reshape(-1).nonzero().view(-1)


def _places(world: World) -> Tensor:
    sizes = world.space.sizes
    position = world.space.position(torch.arange(int(sizes.sum()), device=sizes.device))
    if position.shape[1] != 2:
        raise ValueError(
            "a shape needs two coordinates per place; give the graph's nodes an attribute 'pos'"
        )
    return position.to("cpu", torch.float64)


def _covered(world: World, covered: Tensor, shape: str) -> Tensor:
    sites = covered.nonzero().view(-1)
    if not len(sites):
        raise ValueError(f"{shape} covers nothing of {extent(world)}")
    return sites


def extent(world: World) -> str:
    """The size of a single world, for messages."""
    if world.space.pictured:
        rows, columns = world.picture().shape
        return f"the canvas of {rows} × {columns}"
    low, high = _places(world).aminmax(dim=0)
    return f"the graph, which reaches from {low.tolist()} to {high.tolist()}"
