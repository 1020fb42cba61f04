"""The sites of a world that a shape covers, by (row, column) or by coordinates of graph nodes."""

from __future__ import annotations

import torch
from torch import Tensor

from swarm_nca.images.raster import Side, half
from swarm_nca.world import World


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
