"""The places of one world: names, graph, and Mesa's network.

They include dead places: a dead pixel is a cell of the network without an agent. Drawing and
erasing therefore never rebuild the network.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Hashable, Iterable
from contextlib import suppress
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any

import torch
from mesa.discrete_space import Network as MesaNetwork
from torch import Tensor

from swarm_nca.arguments import shown
from swarm_nca.spaces import Space
from swarm_nca.topologies import Topology

if TYPE_CHECKING:
    import networkx as nx


class Places:
    """The places of a space with one world.

    Args:
        space: a picture or a graph.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._count = int(space.sizes.sum())
        self._shape = space.extent(0) if space.pictured else None

    def name(self, site: int) -> Hashable:
        """(row, column) of a pixel, or the name of a node."""
        return divmod(site, self._shape[1]) if self._shape else self._names[site]

    def site(self, name: Hashable) -> int:
        """The site of the place with this name.

        Raises:
            ValueError: an unknown place.
        """
        if not self._shape:
            if name not in self._numbers:
                raise ValueError(f"the graph has no node {shown(name)}")
            return self._numbers[name]
        height, width = self._shape
        row = column = -1
        if isinstance(name, Iterable):
            with suppress(TypeError, ValueError):
                row, column = map(operator.index, name)
        if not (0 <= row < height and 0 <= column < width):
            raise ValueError(
                f"no pixel {shown(name)}: a pixel is (row, column), from (0, 0) to "
                f"{(height - 1, width - 1)}"
            )
        return row * width + column

    def same_as(self, other: Space) -> bool:
        """Whether a space has the same places with the same neighbours."""
        return self._space.same_places(other)

    @cached_property
    def graph(self) -> nx.DiGraph[Hashable]:
        """All places as a graph: edges u → v ("u hears v") with an attribute `slot`."""
        neighbors, _ = self._space.look(self._addresses)
        return Topology(neighbors, self._names).to_networkx()

    def network(self, random: Random) -> MesaNetwork:
        """The graph as a Mesa space; the connections of a cell exclude the cell itself."""
        options: dict[str, Any] = {}
        # Mesa 3.5 and later would otherwise compute a spring layout, which takes minutes.
        if "layout" in inspect.signature(MesaNetwork).parameters:
            options["layout"] = dict(zip(self._names, self._positions, strict=True))
        space = MesaNetwork(self.graph, random=random, **options)
        for cell in space.all_cells:
            cell.connections.pop(cell.coordinate, None)
        return space

    @cached_property
    def _names(self) -> tuple[Hashable, ...]:
        return self._space.names()

    @cached_property
    def _numbers(self) -> dict[Hashable, int]:
        return {name: site for site, name in enumerate(self._names)}

    @property
    def _addresses(self) -> Tensor:
        return torch.arange(self._count, device=self._space.sizes.device)

    @property
    def _positions(self) -> list[list[float]]:
        positions: list[list[float]] = self._space.position(self._addresses).tolist()
        return positions
