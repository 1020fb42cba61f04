"""Graphs from GraphML files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import pytest
import torch

from swarm_nca.topologies import Topology, number_slots, read_graph, stimulus_of


def written(graph: nx.Graph[Any], folder: Path) -> Path:
    nx.write_graphml(graph, folder / "graph.graphml")
    return folder / "graph.graphml"


def test_numbered_slots_and_positions_are_read(tmp_path: Path) -> None:
    graph = number_slots(nx.cycle_graph(["a", "b", "c", "d"]), slots=5)
    for number, name in enumerate(graph):
        graph.nodes[name].update(x=float(number), y=2.0)
    read = read_graph(written(graph, tmp_path), 5)
    want, got = (Topology.from_networkx(one, 5) for one in (graph, read))
    assert got.names == want.names
    assert torch.equal(got.neighbors, want.neighbors)
    assert [place for _, place in read.nodes(data="pos")] == [(n, 2.0) for n in range(4)]


def test_slots_are_numbered_where_the_file_has_none(tmp_path: Path) -> None:
    read = read_graph(written(nx.star_graph(3), tmp_path), 9)
    heard = Topology.from_networkx(read, 9).neighbors
    assert heard[0].tolist() == [1, 2, 3, 4, 0, 4, 4, 4, 4]
    assert heard[2].tolist() == [0, 4, 4, 4, 2, 4, 4, 4, 4]


def test_the_grey_of_nodes_is_their_stimulus(tmp_path: Path) -> None:
    graph = nx.path_graph(3)
    assert stimulus_of(graph, 9) is None
    nx.set_node_attributes(graph, {0: 0.5, 1: 1.0, 2: 0.25}, "grey")
    sensed = stimulus_of(read_graph(written(graph, tmp_path), 9), 2)
    assert sensed is not None
    assert sensed.tolist() == [[0.5, 0.5], [1.0, 1.0], [0.25, 0.25]]
    graph.nodes[1]["grey"] = 3.0
    with pytest.raises(ValueError, match=r"node '1': grey is a number from 0 to 1, got 3.0"):
        stimulus_of(read_graph(written(graph, tmp_path), 9), 2)


def test_broken_files_are_refused_by_name(tmp_path: Path) -> None:
    half = nx.path_graph(3)
    half.edges[0, 1]["slot"] = 0
    for graph, message in (
        (half, "some edges have a slot and some have none"),
        (nx.Graph(), "has no nodes"),
        (nx.star_graph(12), "only 8 slots"),
        (nx.MultiDiGraph([(0, 1), (0, 1)]), "two edges join the same nodes"),
    ):
        with pytest.raises(ValueError, match=message):
            read_graph(written(graph, tmp_path), 9)
    for text in ("", "<graphml>", "<graphml></graphml>", "hello", "<a><b></a>"):
        (tmp_path / "broken.graphml").write_text(text)
        with pytest.raises(ValueError, match=r"broken.graphml: (not a readable|this graph has no)"):
            read_graph(tmp_path / "broken.graphml", 9)
    with pytest.raises(ValueError, match=r"missing.graphml: No such file"):
        read_graph(tmp_path / "missing.graphml", 9)
