"""Who hears whom, in which slot: an index table inside, a networkx graph outside.

The table is what the engine gathers by; the graph is what people reason about. Each is made from
the other without loss, and a test holds the two to that. An edge u → v means "u hears v".
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

#: The slot in which a cell of a grid hears itself; graphs too, unless their edges say otherwise.
OWN_SLOT = 4


#: Beyond so many slots a typing slip is more likely than a wish.
MOST_SLOTS = 1 << 16


@dataclass(frozen=True, eq=False)
class Topology:
    """N nodes with K neighbour slots each.

    Attributes:
        neighbors: int64 [N, K]; the row heard in each slot, or N for nobody.
        names: the N nodes' names in the graph, in row order.
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
        """The same topology as a graph: an edge u → v for "u hears v", its slot in `slot`.

        Raises:
            ValueError: one cell hears another in two slots at once, which an edge cannot say (a
                torus less than three wide).
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
                    "cannot say; a torus must be at least 3 × 3"
                )
            graph.add_edge(self.names[u], self.names[v], slot=slot)
        return graph

    @classmethod
    def from_networkx(cls, graph: nx.Graph[Hashable], slots: int | None = None) -> Topology:
        """A topology from any graph whose edges carry `slot`, rows in the graph's node order.

        In an undirected graph both ends hear each other in the same slot; use a directed one where
        the slots differ. `number_slots` gives slots to a graph that has none.

        Args:
            graph: edges u → v with an attribute `slot` in [0, slots).
            slots: K; the graph's own attribute `slots` when None, else 9.

        Raises:
            ValueError: a multigraph, an edge without a slot, a slot out of range, or two neighbours
                in one slot; the message names the node.
        """
        if graph.is_multigraph():
            raise ValueError(
                "in a multigraph two may hear each other more than once, and no slot says which "
                "edge is meant; give nx.DiGraph(graph) or nx.Graph(graph), one edge for each pair"
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
    """The same nodes and connections as a directed graph in which every edge carries a slot.

    Each node hears its neighbours in the graph's order, in slots 0, 1, …, and itself in `own`
    (when None, not at all).

    Raises:
        ValueError: a node has more neighbours than there are slots for them, or `own` is no slot.
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
            f"the edge {u!r} → {v!r} carries no slot; set graph.edges[u, v]['slot'], or let "
            "swarm_nca.topologies.number_slots(graph) number them"
        )
    if not isinstance(slot, Integral) or int(slot) not in range(count):
        raise ValueError(
            f"node {u!r}: slot {slot!r} is not one of the {count} slots 0 … {count - 1}"
        )
    return int(slot)
