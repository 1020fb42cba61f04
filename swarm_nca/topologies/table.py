"""Topologies as index tables, converted from and to networkx graphs.

The engine gathers by the table; users work with the graph. Both conversions are lossless, and a
test checks this. An edge u → v means "u hears v": the message of v arrives at u.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from swarm_nca.arguments import whole

if TYPE_CHECKING:
    import networkx as nx

#: The slot of a cell's own message on grids; also the default on graphs.
OWN_SLOT = 4


#: The largest number of slots; larger ones are probably typing errors.
MOST_SLOTS = 1 << 16


@dataclass(frozen=True, eq=False)
class Topology:
    """N nodes with K neighbour slots each.

    Attributes:
        neighbors: int64 [N, K]; the row whose message arrives in each slot, or N if there is none.
        names: names of the N nodes in the graph, in row order.
    """

    neighbors: Tensor
    names: tuple[Hashable, ...]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def slots(self) -> int:
        """K, the number of neighbour slots."""
        return int(self.neighbors.shape[1])

    def to_networkx(self) -> nx.DiGraph[Hashable]:
        """The same topology as a graph: edges u → v ("u hears v") with an attribute `slot`.

        Raises:
            ValueError: a cell hears another in two slots, which one edge cannot express (on a torus
                less than three wide).
        """
        import networkx as nx

        graph: nx.DiGraph[Hashable] = nx.DiGraph(slots=self.slots)
        graph.add_nodes_from(self.names)
        rows, slots = (self.neighbors < len(self)).nonzero(as_tuple=True)
        heard = self.neighbors[rows, slots]
        for u, v, slot in zip(rows.tolist(), heard.tolist(), slots.tolist(), strict=True):
            if graph.has_edge(self.names[u], self.names[v]):
                raise ValueError(
                    f"{self.names[u]!r} hears {self.names[v]!r} in two slots, which one edge "
                    "cannot express; a torus must be at least 3 × 3"
                )
            graph.add_edge(self.names[u], self.names[v], slot=slot)
        return graph

    @classmethod
    def from_networkx(cls, graph: nx.Graph[Hashable], slots: int | None = None) -> Topology:
        """A topology from a graph whose edges have `slot`; rows are in the graph's node order.

        In an undirected graph both ends hear each other in the same slot; use a directed graph if
        the slots differ. `number_slots` adds slots to a graph without them.

        Args:
            graph: edges u → v with an attribute `slot` in [0, slots).
            slots: K; when None the graph's attribute `slots`, or 9 if it has none.

        Raises:
            ValueError: a multigraph, an edge without a slot, a slot out of range, or two neighbours
                in one slot; the message names the node.
        """
        if graph.is_multigraph():
            raise ValueError(
                "a multigraph can have several edges between two nodes; give nx.DiGraph(graph) or "
                "nx.Graph(graph), with one edge for each pair"
            )
        given = graph.graph.get("slots", 9) if slots is None else slots
        count = whole("slots", given, 0, MOST_SLOTS)
        names = tuple(graph.nodes)
        row = {name: i for i, name in enumerate(names)}
        table = torch.full((len(names), count), len(names), dtype=torch.int64)
        rows: list[list[int]] = table.tolist()
        for u in names:
            for v, data in graph.adj[u].items():
                slot = _slot(u, v, data, count)
                if rows[row[u]][slot] != len(names):
                    other = names[rows[row[u]][slot]]
                    raise ValueError(
                        f"node {u!r} has two neighbours in slot {slot}: {other!r} and {v!r}; give "
                        "each edge of a node its own slot"
                    )
                rows[row[u]][slot] = row[v]
        return cls(torch.tensor(rows, dtype=torch.int64).reshape(len(names), count), names)


def number_slots(
    graph: nx.Graph[Hashable], slots: int = 9, own: int | None = OWN_SLOT
) -> nx.DiGraph[Hashable]:
    """A directed graph with the same nodes and connections and a slot on every edge.

    The neighbours of a node take slots 0, 1, … in the graph's order; the node itself takes slot
    `own`, or none if `own` is None.

    Raises:
        ValueError: a node has more neighbours than free slots, or `own` is not a slot.
    """
    import networkx as nx

    slots = whole("slots", slots, 1, MOST_SLOTS)
    own = None if own is None else whole("own", own)
    if own is not None and not 0 <= own < slots:
        raise ValueError(
            f"own={own} is not one of the {slots} slots 0 … {slots - 1}; pass own=0, or own=None "
            "for nodes that do not hear themselves"
        )
    free = [slot for slot in range(slots) if slot != own]
    numbered: nx.DiGraph[Hashable] = nx.DiGraph(slots=slots)
    numbered.add_nodes_from(graph.nodes(data=True))
    for u in graph.nodes:
        others: Sequence[Hashable] = [v for v in graph.adj[u] if v != u]
        if len(others) > len(free):
            raise ValueError(
                f"node {u!r} has {len(others)} neighbours, but there are only {len(free)} slots "
                "for them; raise slots= (and train a rule with as many)"
            )
        if own is not None:
            numbered.add_edge(u, u, slot=own)
        for slot, v in zip(free, others, strict=False):
            numbered.add_edge(u, v, slot=slot)
    return numbered


def _slot(u: Hashable, v: Hashable, data: object, count: int) -> int:
    slot = data.get("slot") if isinstance(data, dict) else None
    if slot is None:
        raise ValueError(
            f"the edge {u!r} → {v!r} has no slot; set graph.edges[u, v]['slot'], or number them "
            "with swarm_nca.topologies.number_slots(graph)"
        )
    if not isinstance(slot, Integral) or int(slot) not in range(count):
        raise ValueError(
            f"node {u!r}: slot {slot!r} is not one of the {count} slots 0 … {count - 1}"
        )
    return int(slot)
