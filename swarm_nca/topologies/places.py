"""Where the nodes of a graph are: the attribute `pos`, as networkx's layouts give it."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    import networkx as nx


def places_of(graph: nx.Graph[Hashable]) -> Tensor | None:
    """float32 [N, D], the nodes' coordinates in the graph's order; None where no node has any.

    Raises:
        ValueError: a node without `pos` among others that have one, coordinates that are no finite
            numbers, or more of them than elsewhere; the message names the node.
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
                f"{len(places[0])}; give every 'pos' as many"
            )
    return torch.tensor(places, dtype=torch.float32)


def _coordinates(name: Hashable, place: Any) -> list[float]:
    if place is None:
        raise ValueError(
            f"node {name!r} has no attribute 'pos'; give one to every node, or to none"
        )
    try:
        coordinates = [float(part) for part in place]
    except (TypeError, ValueError):
        coordinates = []
    if not coordinates or not all(map(math.isfinite, coordinates)):
        raise ValueError(
            f"node {name!r}: 'pos' is a list of finite numbers, such as (3, 4), got {place!r}"
        )
    return coordinates
