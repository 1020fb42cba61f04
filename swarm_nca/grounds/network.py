"""Graphs as ground: every node is a place, and what it senses is given with it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from swarm_nca.grounds.ground import spread, starts
from swarm_nca.topologies import Topology


@dataclass(frozen=True, eq=False)
class Network:
    """B graphs, laid one after another.

    Attributes:
        neighbors: int64 [P, K], heard addresses, P for nobody.
        stimulus: [P, S].
        alive_at: bool [P].
        sizes: int64 [B], nodes of each graph.
        node_names: the P nodes' names within their graphs.
        coordinates: [P, D].
    """

    neighbors: Tensor
    stimulus: Tensor
    alive_at: Tensor
    sizes: Tensor
    node_names: tuple[Hashable, ...]
    coordinates: Tensor

    @classmethod
    def over(cls, topology: Topology, stimulus: Tensor, coordinates: Tensor) -> Network:
        """One graph, all its nodes alive."""
        nodes = len(topology)
        return cls(
            neighbors=topology.neighbors,
            stimulus=stimulus,
            alive_at=torch.ones(nodes, dtype=torch.bool),
            sizes=torch.tensor([nodes]),
            node_names=topology.names,
            coordinates=coordinates,
        )

    @cached_property
    def _starts(self) -> Tensor:
        return starts(self.sizes)

    def alive(self) -> Tensor:
        """int64 [N], the living nodes' addresses, ascending."""
        return self.alive_at.nonzero().view(-1)

    def look(self, address: Tensor) -> tuple[Tensor, Tensor]:
        """Heard addresses int64 [n, K] (P for nobody) and the nodes' stimulus [n, S]."""
        return self.neighbors[address], self.stimulus[address]

    def position(self, address: Tensor) -> Tensor:
        """[n, D], the nodes' coordinates."""
        return self.coordinates[address]

    def names(self) -> tuple[Hashable, ...]:
        """The nodes' names within their graphs."""
        return self.node_names

    def without(self, address: Tensor) -> Network:
        """The same graphs with some nodes dead."""
        return replace(self, alive_at=self.alive_at.index_fill(0, address, False))

    def take(self, worlds: Tensor) -> Network:
        """The graphs of some worlds, in that order."""
        index, sizes = spread(worlds, self.sizes), self.sizes[worlds]
        shift = (starts(sizes)[:-1] - self._starts[worlds]).repeat_interleave(sizes)
        heard = self.neighbors[index]
        nobody = heard == len(self.neighbors)
        return replace(
            self,
            neighbors=torch.where(nobody, len(index), heard + shift[:, None]),
            stimulus=self.stimulus[index],
            alive_at=self.alive_at[index],
            sizes=sizes,
            node_names=tuple(self.node_names[i] for i in index.tolist()),
            coordinates=self.coordinates[index],
        )

    def joined(self, others: Sequence[Network]) -> Network:
        """These graphs, then the others'."""
        every = (self, *others)
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
            neighbors=join_tables([one.neighbors for one in every]),
            stimulus=torch.cat([one.stimulus for one in every]),
            alive_at=torch.cat([one.alive_at for one in every]),
            sizes=torch.cat([one.sizes for one in every]),
            node_names=tuple(name for one in every for name in one.node_names),
            coordinates=torch.cat([one.coordinates for one in every]),
        )

    def to(self, device: torch.device, dtype: torch.dtype) -> Network:
        """The same on a device, stimulus in a dtype."""
        return replace(
            self,
            neighbors=self.neighbors.to(device),
            stimulus=self.stimulus.to(device=device, dtype=dtype),
            alive_at=self.alive_at.to(device),
            sizes=self.sizes.to(device),
            coordinates=self.coordinates.to(device),
        )


def join_tables(tables: Sequence[Tensor]) -> Tensor:
    """Index tables [nᵢ, K] as one over their disjoint union, nobody staying nobody."""
    total = sum(len(table) for table in tables)
    shifted, start = [], 0
    for table in tables:
        shifted.append(torch.where(table == len(table), total, table + start))
        start += len(table)
    return torch.cat(shifted)
