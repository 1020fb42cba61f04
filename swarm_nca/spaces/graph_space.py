"""The graph space: every node is a place with a given stimulus."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from swarm_nca.spaces.space import Space, spread, starts
from swarm_nca.topologies import Topology

#: The tensors of a graph space.
_TENSORS = ("neighbors", "stimulus", "alive_at", "counts", "coordinates")


@dataclass(frozen=True, eq=False)
class GraphSpace(Space):
    """B graphs, one after another.

    Attributes:
        neighbors: int64 [P, K], the address of the neighbour in each slot; P if there is none.
        stimulus: [P, S].
        alive_at: bool [P].
        counts: int64 [B], nodes of each graph.
        node_names: names of the P nodes in their graphs.
        coordinates: [P, D].
    """

    kind: ClassVar[str] = "network"

    neighbors: Tensor
    stimulus: Tensor
    alive_at: Tensor
    counts: Tensor
    node_names: tuple[Hashable, ...]
    coordinates: Tensor

    @classmethod
    def over(cls, topology: Topology, stimulus: Tensor, coordinates: Tensor) -> GraphSpace:
        """One graph with all nodes alive."""
        nodes = len(topology)
        return cls(
            neighbors=topology.neighbors,
            stimulus=stimulus,
            alive_at=torch.ones(nodes, dtype=torch.bool),
            counts=torch.tensor([nodes]),
            node_names=topology.names,
            coordinates=coordinates,
        )

    @property
    def sizes(self) -> Tensor:
        """int64 [B], nodes of each graph."""
        return self.counts

    @cached_property
    def _starts(self) -> Tensor:
        return starts(self.counts)

    def extent(self, world: int) -> tuple[int, int]:
        """The sides, in cells, of the square on which one graph is drawn."""
        # Twice the width of a full lattice with as many nodes, for gaps between the dots.
        side = 2 * math.ceil(math.sqrt(int(self.counts[world]))) + 1
        return side, side

    def same_places(self, other: Space) -> bool:
        """Whether another space has the same nodes with the same neighbours in the same slots."""
        given = other.packed().get("neighbors")
        return (
            given is not None
            and other.names() == self.node_names
            and torch.equal(given, self.neighbors)
        )

    def packed(self) -> dict[str, Tensor]:
        """Index table, stimulus, alive mask, sizes and coordinates."""
        return {name: getattr(self, name) for name in _TENSORS}

    def unpacked(self, tensors: Mapping[str, Tensor]) -> GraphSpace:
        """The same nodes with other tensors."""
        changed: dict[str, Any] = {name: tensors[name] for name in _TENSORS}
        return replace(self, **changed)

    def alive(self) -> Tensor:
        """int64 [N], the addresses of living nodes, ascending."""
        return self.alive_at.nonzero().view(-1)

    def look(self, address: Tensor) -> tuple[Tensor, Tensor]:
        """Addresses of neighbours int64 [n, K] (P if there is none), and stimulus [n, S]."""
        return self.neighbors[address], self.stimulus[address]

    def position(self, address: Tensor) -> Tensor:
        """[n, D], the coordinates of nodes."""
        return self.coordinates[address]

    def names(self) -> tuple[Hashable, ...]:
        """The names of the nodes in their graphs."""
        return self.node_names

    def without(self, address: Tensor) -> GraphSpace:
        """The same graphs with some nodes dead."""
        return replace(self, alive_at=self.alive_at.index_fill(0, address, False))

    def take(self, worlds: Tensor) -> GraphSpace:
        """The graphs of some worlds, in that order."""
        index, sizes = spread(worlds, self.sizes), self.sizes[worlds]
        shift = (starts(sizes)[:-1] - self._starts[worlds]).repeat_interleave(sizes)
        neighbors = self.neighbors[index]
        absent = neighbors == len(self.neighbors)
        return replace(
            self,
            neighbors=torch.where(absent, len(index), neighbors + shift[:, None]),
            stimulus=self.stimulus[index],
            alive_at=self.alive_at[index],
            counts=sizes,
            node_names=tuple(self.node_names[i] for i in index.tolist()),
            coordinates=self.coordinates[index],
        )

    def joined(self, others: Sequence[GraphSpace]) -> GraphSpace:
        """These graphs, followed by those of `others`."""
        spaces = (self, *others)
        for other in others:
            if other.neighbors.shape[1] != self.neighbors.shape[1]:
                raise ValueError(
                    f"graphs with {self.neighbors.shape[1]} slots cannot share a batch with graphs "
                    f"with {other.neighbors.shape[1]}"
                )
            if other.coordinates.shape[1] != self.coordinates.shape[1]:
                raise ValueError("graphs of one batch need positions of the same dimension")
        return replace(
            self,
            neighbors=join_tables([space.neighbors for space in spaces]),
            stimulus=torch.cat([space.stimulus for space in spaces]),
            alive_at=torch.cat([space.alive_at for space in spaces]),
            counts=torch.cat([space.counts for space in spaces]),
            node_names=tuple(name for space in spaces for name in space.node_names),
            coordinates=torch.cat([space.coordinates for space in spaces]),
        )

    def to(self, device: torch.device, dtype: torch.dtype) -> GraphSpace:
        """The same space on a device, with the stimulus in a dtype."""
        return replace(
            self,
            neighbors=self.neighbors.to(device),
            stimulus=self.stimulus.to(device=device, dtype=dtype),
            alive_at=self.alive_at.to(device),
            counts=self.counts.to(device),
            coordinates=self.coordinates.to(device),
        )


def join_tables(tables: Sequence[Tensor]) -> Tensor:
    """The index table [Σ nᵢ, K] of the disjoint union of tables [nᵢ, K]; absent stays absent."""
    total = sum(len(table) for table in tables)
    shifted, start = [], 0
    for table in tables:
        shifted.append(torch.where(table == len(table), total, table + start))
        start += len(table)
    return torch.cat(shifted)
