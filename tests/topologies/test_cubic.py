"""Cubic lattices against plain loops."""

from __future__ import annotations

import itertools

import pytest

from swarm_nca.rules import Mlp
from swarm_nca.testing import assert_same_trajectory
from swarm_nca.topologies import cubic
from swarm_nca.world import World


@pytest.mark.parametrize("torus", [False, True])
def test_a_cell_hears_its_26_neighbours_in_slots_that_name_the_direction(torus: bool) -> None:
    shape = (3, 4, 5)
    graph = cubic(shape, torus)
    assert len(graph) == 60
    for node in graph:
        heard = {data["slot"]: other for _, other, data in graph.edges(node, data=True)}
        expected = {}
        for number, steps in enumerate(itertools.product((-1, 0, 1), repeat=3)):
            other = [at + step for at, step in zip(node, steps, strict=True)]
            if torus:
                other = [at % side for at, side in zip(other, shape, strict=True)]
            if all(0 <= at < side for at, side in zip(other, shape, strict=True)):
                expected[number] = tuple(other)
        assert heard == expected
        assert heard[13] == node


def test_agents_equal_the_batch_on_a_cubic_lattice() -> None:
    rule = Mlp(slots=27, stimulus_size=0, hidden=(6,), noise=0.1).double().requires_grad_(False)
    world = World.from_graph(cubic((2, 3, 3)), rule).restarted("random", 1)
    assert_same_trajectory(world, rule, steps=10, seed=3)


@pytest.mark.parametrize(
    ("shape", "torus", "message"),
    [
        ((0, 3, 3), False, "shape must be a whole number, from 1"),
        ((3, 2, 3), True, r"at least 3.*got \[3, 2, 3\]"),
        ((100, 100, 11), False, "at most 100,000 cells, got 110,000"),
    ],
)
def test_impossible_shapes_are_refused(
    shape: tuple[int, int, int], torus: bool, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        cubic(shape, torus)
