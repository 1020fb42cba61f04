"""Coordinates of graph nodes."""

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


def test_coordinates_follow_the_order_of_the_graph():
    assert places_of(path_with((0, 1), [2, 3], np.array([4.5, 5]))).tolist() == [
        [0, 1], [2, 3], [4.5, 5]
    ]  # fmt: skip
    assert places_of(nx.path_graph(3)) is None
    assert places_of(path_with([7.0])).tolist() == [[7.0]]


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (((0, 1), None), "node 1 has no attribute 'pos'; set it on every node, or on none"),
        ((None, (0, 1)), "node 0 has no attribute 'pos'"),
        ((3.0, 4.0), r"node 0: 'pos' is a list of finite numbers, such as \(3, 4\), got 3\.0"),
        (((0, 1), (0, "b")), "node 1: 'pos' is a list of finite numbers"),
        (((0, math.nan),), "node 0: 'pos' is a list of finite numbers"),
        (((),), "node 0: 'pos' is a list of finite numbers"),
        (((0, 1), (0, 1, 2)), "node 1 has 3 coordinates where others have 2"),
    ],
)
def test_invalid_coordinates_are_refused_with_the_node(places, message):
    with pytest.raises(ValueError, match=message):
        places_of(path_with(*places))
