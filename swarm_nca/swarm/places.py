"""The places of one world: names, graph, and Mesa's space.

They include dead places: a dead pixel is a cell of Mesa's space without an agent. Drawing and
erasing therefore never rebuild the space.
"""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterable
from contextlib import suppress
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from swarm_nca.arguments import shown
from swarm_nca.spaces import Space
from swarm_nca.swarm.mesa_space import MesaSpace, mesa_space
from swarm_nca.topologies import Topology

if TYPE_CHECKING:
    import networkx as nx


class Places:
    """The places of a space with one world.

    Args:
        space: a picture or a graph.

    Attributes:
        count: how many there are, alive or not.
        pictured: whether they are the pixels of a picture.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self.count = int(space.sizes.sum())
        self.pictured = space.pictured
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

    def mesa_space(self, random: Random) -> MesaSpace:
        """All places as a Mesa space without agents; see `swarm_nca.swarm.mesa_space`."""
        return mesa_space(self._space, random)

    def coordinate(self, site: int) -> tuple[int, int] | int:
        """A place's coordinate in Mesa's space: a pixel's (right, up), or the number of a node."""
        if not self._shape:
            return site
        row, column = divmod(site, self._shape[1])
        return column, self._shape[0] - 1 - row

    @cached_property
    def _names(self) -> tuple[Hashable, ...]:
        return self._space.names()

    @cached_property
    def _numbers(self) -> dict[Hashable, int]:
        return {name: site for site, name in enumerate(self._names)}

    @property
    def _addresses(self) -> Tensor:
        return torch.arange(self.count, device=self._space.sizes.device)
