"""Where a graph's nodes are: all of them somewhere, or nobody told."""

import math

import networkx as nx
import numpy as np
import pytest

from swarm_nca.topologies.places import places_of


def path_with(*places) -> nx.Graph:
    graph = nx.path_graph(len(places))
    nx.set_node_attributes(
        graph, {node: place for node, place in enumerate(places) if place is not None}, "pos"
    )
    return graph


def test_places_are_told_in_the_graphs_order():
    assert places_of(path_with((0, 1), [2, 3], np.array([4.5, 5]))).tolist() == [
        [0, 1], [2, 3], [4.5, 5]
    ]  # fmt: skip
    assert places_of(nx.path_graph(3)) is None
    assert places_of(path_with([7.0])).tolist() == [[7.0]]


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (((0, 1), None), "node 1 has no attribute 'pos'; give one to every node, or to none"),
        ((None, (0, 1)), "node 0 has no attribute 'pos'"),
        ((3.0, 4.0), r"node 0: 'pos' is a list of finite numbers, such as \(3, 4\), got 3\.0"),
        (((0, 1), (0, "b")), "node 1: 'pos' is a list of finite numbers"),
        (((0, math.nan),), "node 0: 'pos' is a list of finite numbers"),
        (((),), "node 0: 'pos' is a list of finite numbers"),
        (((0, 1), (0, 1, 2)), "node 1 has 3 coordinates where others have 2"),
    ],
)
def test_a_node_that_is_nowhere_is_named(places, message):
    with pytest.raises(ValueError, match=message):
        places_of(path_with(*places))
