"""Scenarios on lattices and graphs other than a square picture."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest

from swarm_nca.config import LocatedError
from swarm_nca.scenario import load, run

RULE = "{kind: mlp, slots: %d, stimulus_size: %d, hidden: [6]}"


def scenario(folder: Path, slots: int, size: int, *lines: str) -> Path:
    path = folder / "scenario.yaml"
    path.write_text("\n".join([f"rule: {RULE % (slots, size)}", "steps: 4", *lines]) + "\n")
    return path


def test_a_cubic_lattice_runs_and_leaves_pictures(tmp_path: Path) -> None:
    file = scenario(tmp_path, 27, 0, "topology: {kind: cubic, shape: [2, 3, 4]}", "start: random")
    result = run(file, tmp_path / "run")
    assert result.frames[-1].world.cells == 24
    assert (tmp_path / "run" / "summary.png").exists()


def test_a_graph_file_beside_the_scenario_gives_nodes_and_stimulus(tmp_path: Path) -> None:
    graph = nx.watts_strogatz_graph(20, 4, 0.2, seed=1)
    nx.set_node_attributes(graph, 0.5, "grey")
    nx.write_graphml(graph, tmp_path / "net.graphml")
    loaded = load(scenario(tmp_path, 15, 1, "topology: {kind: graph, file: net.graphml}"))
    assert (loaded.start.cells, loaded.start.stimulus.mean().item()) == (20, 0.5)
    assert run(loaded).metrics is not None


def test_a_picture_can_become_a_small_world(tmp_path: Path) -> None:
    lines = "images: {glyph: 7}", "topology: {neighborhood: hexagonal, rewire: 0.2}"
    small = load(scenario(tmp_path, 9, 9, *lines)).start
    plain = load(tmp_path / "scenario.yaml", overrides=["topology.rewire=0"]).start
    links = (plain.neighbors != plain.cells).sum()
    changed = (small.neighbors != plain.neighbors).sum()
    assert 0.1 < changed / (links - plain.cells) < 0.3


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "missing key 'images'"),
        (("topology: {kind: cubic}",), "kind: cubic needs shape"),
        (("topology: {shape: [2, 2, 2]}", "images: {glyph: 7}"), "shape is for kind: cubic"),
        (
            ("topology: {kind: cubic, shape: [2, 2, 2]}", "images: {glyph: 7}"),
            "images is for pictures: leave it out, the topology is cubic",
        ),
        (("topology: {kind: graph, file: gone.graphml}",), "gone.graphml: No such file"),
        (("topology: {kind: cubic, shape: [2, 2, 2]}",), "27 slots, but this rule has 9"),
    ],
)
def test_mistakes_are_told_with_the_cure(
    tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(LocatedError, match=message):
        load(scenario(tmp_path, 9, 9, *lines))
