"""Coordinates of graph nodes: the attribute `pos`, as in networkx's layouts."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    import networkx as nx


def places_of(graph: nx.Graph[Hashable]) -> Tensor | None:
    """float32 [N, D], coordinates of the nodes in the graph's order; None if no node has any.

    Raises:
        ValueError: only some nodes have `pos`, coordinates are not finite numbers, or nodes have
            different numbers of coordinates; the message names the node.
    """
    given = graph.nodes(data="pos")
    if all(place is None for _, place in given):
        return None
    places: list[list[float]] = []
    for name, place in given:
        places.append(_coordinates(name, place))
        if len(places[-1]) != len(places[0]):
            raise ValueError(
                f"node {name!r} has {len(places[-1])} coordinates where others have "
                f"{len(places[0])}; give every 'pos' the same number"
            )
    return torch.tensor(places, dtype=torch.float32)


def _coordinates(name: Hashable, place: Any) -> list[float]:
    if place is None:
        raise ValueError(f"node {name!r} has no attribute 'pos'; set it on every node, or on none")
    try:
        coordinates = [float(part) for part in place]
    except (TypeError, ValueError):
        coordinates = []
    if not coordinates or not all(map(math.isfinite, coordinates)):
        raise ValueError(
            f"node {name!r}: 'pos' is a list of finite numbers, such as (3, 4), got {place!r}"
        )
    return coordinates
