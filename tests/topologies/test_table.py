"""Conversions between index table and graph."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from swarm_nca.rules import Mlp
from swarm_nca.topologies import OWN_SLOT, Grid, Topology, number_slots
from swarm_nca.world import World

RULE = Mlp(hidden=(1, 1)).requires_grad_(False)
GRIDS = [Grid(hood, torus) for hood in ("moore", "von_neumann") for torus in (False, True)]

masks = arrays.arrays(
    np.bool_, st.tuples(st.integers(3, 9), st.integers(3, 9)), elements=st.booleans()
)


def table_by_loops(mask: np.ndarray[Any, Any], grid: Grid) -> list[list[int]]:
    """The index table computed cell by cell."""
    height, width = mask.shape
    alive = [(y, x) for y in range(height) for x in range(width) if mask[y, x]]
    table = []
    for y, x in alive:
        row = []
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                place = (y + dy, x + dx)
                if grid.torus:
                    place = (place[0] % height, place[1] % width)
                far = grid.neighborhood == "von_neumann" and abs(dy) + abs(dx) == 2
                row.append(alive.index(place) if place in alive and not far else len(alive))
        table.append(row)
    return table


@given(mask=masks, grid=st.sampled_from(GRIDS))
def test_the_table_of_a_picture_equals_its_graph_and_loops(
    mask: np.ndarray[Any, Any], grid: Grid
) -> None:
    topology = World.from_images([mask], RULE, grid=grid).topology
    assert topology.neighbors.tolist() == table_by_loops(mask, grid)
    again = Topology.from_networkx(topology.to_networkx())
    assert torch.equal(again.neighbors, topology.neighbors)
    assert again.names == topology.names == tuple(zip(*map(list, mask.nonzero()), strict=True))


@given(st.lists(masks, min_size=2, max_size=4), st.sampled_from(GRIDS))
def test_pictures_in_one_table_are_not_connected(
    pictures: list[np.ndarray[Any, Any]], grid: Grid
) -> None:
    topology = World.from_images(pictures, RULE, grid=grid).topology
    graph = topology.to_networkx()
    assert torch.equal(Topology.from_networkx(graph).neighbors, topology.neighbors)
    assert all(u[0] == v[0] for u, v in graph.edges)
    start = 0
    for number, mask in enumerate(pictures):
        cells = int(mask.sum())
        part = topology.neighbors[start : start + cells]
        shifted = torch.where(part == len(topology), cells, part - start)
        assert shifted.tolist() == table_by_loops(mask, grid)
        assert {name[0] for name in topology.names[start : start + cells]} <= {number}
        start += cells


@st.composite
def slotted_graphs(draw: st.DrawFn) -> nx.DiGraph[Any]:
    """Directed graphs without repeated slots."""
    slots, nodes = draw(st.integers(1, 6)), draw(st.integers(0, 8))
    graph: nx.DiGraph[Any] = nx.DiGraph(slots=slots)
    graph.add_nodes_from(draw(st.permutations([f"n{i}" for i in range(nodes)])))
    for u in graph.nodes:
        heard = draw(st.lists(st.sampled_from(sorted(graph.nodes)), unique=True, max_size=slots))
        for v, slot in zip(heard, draw(st.permutations(range(slots))), strict=False):
            graph.add_edge(u, v, slot=slot)
    return graph


@given(slotted_graphs())
def test_graphs_survive_the_conversion_to_a_table(graph: nx.DiGraph[Any]) -> None:
    topology = Topology.from_networkx(graph)
    assert (len(topology), topology.slots) == (len(graph), graph.graph["slots"])
    back = topology.to_networkx()
    assert list(back.nodes) == list(graph.nodes)
    assert {(u, v): d["slot"] for u, v, d in back.edges(data=True)} == {
        (u, v): d["slot"] for u, v, d in graph.edges(data=True)
    }
    assert torch.equal(Topology.from_networkx(back).neighbors, topology.neighbors)


def test_an_edge_of_a_directed_graph_connects_one_direction() -> None:
    graph: nx.DiGraph[Any] = nx.DiGraph(slots=2)
    graph.add_nodes_from("ab")
    graph.add_edge("a", "b", slot=1)
    assert Topology.from_networkx(graph).neighbors.tolist() == [[2, 1], [2, 2]]


def test_an_edge_of_an_undirected_graph_connects_both_directions() -> None:
    graph: nx.Graph[Any] = nx.Graph()
    graph.add_edge("a", "b", slot=np.int64(2))
    table = Topology.from_networkx(graph, slots=3).neighbors
    assert table.tolist() == [[2, 2, 1], [2, 2, 0]]


def graph_of(*edges: tuple[str, str, dict[str, Any]]) -> nx.DiGraph[Any]:
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_edges_from(edges)
    return graph


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (
            graph_of(("hub", "a", {"slot": 3}), ("hub", "b", {"slot": 3})),
            "node 'hub' has two neighbours in slot 3: 'a' and 'b'",
        ),
        (graph_of(("hub", "a", {})), r"edge 'hub' → 'a' has no slot.*number_slots"),
        (nx.MultiDiGraph([("hub", "a", {"slot": 3})]), r"multigraph .* give nx\.DiGraph\(graph\)"),
        (graph_of(("hub", "a", {"slot": 9})), "node 'hub': slot 9 is not one of the 9 slots"),
        (graph_of(("hub", "a", {"slot": -1})), "node 'hub': slot -1 is not"),
        (graph_of(("hub", "a", {"slot": 1.5})), r"node 'hub': slot 1\.5 is not"),
        (graph_of(("hub", "a", {"slot": "north"})), "node 'hub': slot 'north' is not"),
    ],
)
def test_repeated_and_missing_slots_are_refused_with_the_node(
    graph: nx.DiGraph[Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Topology.from_networkx(graph)


def test_a_neighbour_in_two_slots_cannot_become_a_graph() -> None:
    twice = Topology(torch.tensor([[1, 1], [2, 2]]), ("a", "b"))
    with pytest.raises(ValueError, match="'a' hears 'b' in two slots"):
        twice.to_networkx()


@given(st.integers(1, 9), st.integers(0, 8), st.integers(0, 2**32 - 1))
def test_number_slots_numbers_neighbours_and_the_own_slot(
    nodes: int, degree: int, seed: int
) -> None:
    graph: nx.Graph[Any] = nx.gnp_random_graph(nodes, degree / 9, seed=seed)
    numbered = number_slots(graph)
    table = Topology.from_networkx(numbered).neighbors
    for u, row in zip(graph.nodes, table.tolist(), strict=True):
        assert row[OWN_SLOT] == u
        others = [v for slot, v in enumerate(row) if slot != OWN_SLOT and v != nodes]
        assert others == list(graph.adj[u])


def test_number_slots_keeps_nodes_and_does_not_change_the_graph() -> None:
    graph: nx.Graph[Any] = nx.Graph([("a", "b"), ("b", "b")])
    graph.nodes["a"]["pos"] = (1.0, 2.0)
    numbered = number_slots(graph, slots=2, own=None)
    assert numbered.nodes["a"] == {"pos": (1.0, 2.0)}
    assert dict(numbered.edges) == {("a", "b"): {"slot": 0}, ("b", "a"): {"slot": 0}}
    assert all("slot" not in data for _, _, data in graph.edges(data=True))


def test_too_many_neighbours_are_refused_with_the_node() -> None:
    star: nx.Graph[Any] = nx.star_graph(9)
    with pytest.raises(ValueError, match=r"node 0 has 9 neighbours, but there are only 8 slots"):
        number_slots(star)
    assert Topology.from_networkx(number_slots(star, slots=10)).slots == 10


def test_an_invalid_own_slot_is_refused_with_the_cure() -> None:
    path: nx.Graph[Any] = nx.path_graph(3)
    with pytest.raises(ValueError, match=r"own=4 is not one of the 3 slots 0 … 2; pass own=0"):
        number_slots(path, slots=3)
    assert Topology.from_networkx(number_slots(path, slots=3, own=0)).neighbors[:, 0].tolist() == [
        0,
        1,
        2,
    ]
