"""Worlds from pictures and graphs: independent of the batch, checked, and copied."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.links import Links
from swarm_nca.rules import Classes, Rule
from swarm_nca.testing import tiny_world
from swarm_nca.topologies import Grid, Topology, number_slots
from swarm_nca.world import World

BusyRule = Callable[..., Rule]
GRIDS = [Grid(hood, torus) for hood in ("moore", "von_neumann") for torus in (False, True)]
SIZES = st.lists(st.tuples(st.integers(3, 6), st.integers(3, 6)), min_size=1, max_size=4)


@given(sizes=SIZES, seed=st.integers(0, 9999), grid=st.sampled_from(GRIDS))
def test_a_batch_of_pictures_equals_separate_worlds(
    worlds: Callable[..., World], rule: Rule, sizes: Any, seed: int, grid: Grid
) -> None:
    batch = worlds(sizes, seed, grid)
    for number, size in enumerate(sizes):
        alone = World.from_images(
            [batch.picture(number)],
            rule,
            keys=batch.key[number : number + 1],
            labels=[int(batch.label[number])],
            grid=grid,
            start="random",
            seed=seed,
        )
        one = batch[number]
        assert tuple(one.picture().shape) == size
        for field in ("key", "label", "address", "site", "neighbors", "stimulus", "position"):
            assert torch.equal(getattr(one, field), getattr(alone, field)), field
        assert torch.equal(one.state, alone.state), "a random start does not depend on the batch"
        assert one.topology.names == alone.topology.names


def test_stimulus_is_the_patch_and_neighbors_are_living_cells(rule: Rule) -> None:
    world = tiny_world(
        """
        .1#
        5..
        """,
        rule,
        label=2,
        key=40,
    )
    assert (len(world), world.cells, world.counts.tolist()) == (1, 2, [2])
    assert world.position.tolist() == [[0, 2], [1, 0]]
    assert world.site.tolist() == world.address.tolist() == [2, 3]
    assert (world.label.tolist(), world.key.tolist(), world.step.tolist()) == ([2], [40], [0])
    assert world.stimulus[1].tolist() == pytest.approx([0, 0, 0.1, 0, 0.5, 0, 0, 0, 0])
    assert world.neighbors.tolist() == [[2, 2, 2, 2, 0, 2, 2, 2, 2], [2, 2, 2, 2, 1, 2, 2, 2, 2]]
    assert bool((world.state == 0).all())


@pytest.mark.parametrize(
    "images",
    [
        np.full((2, 3, 4), 0.5, np.float64),
        np.full((2, 3, 8), 0.5, np.float32)[:, ::-1, ::2],
        torch.full((2, 3, 4), 0.5),
        [np.full((3, 4), 0.5), torch.full((3, 4), 0.5, dtype=torch.float64)],
        [[[0.5] * 4] * 3] * 2,
    ],
    ids=["double", "mirrored", "tensor", "mixed", "lists"],
)
def test_pictures_can_be_arrays_of_several_types(rule: Rule, images: Any) -> None:
    world = World.from_images(images, rule)
    assert (len(world), world.cells, world.stimulus.dtype) == (2, 24, torch.float32)


@pytest.mark.parametrize("as_tensor", [False, True], ids=["numpy", "torch"])
def test_writing_to_the_source_arrays_does_not_change_a_world(rule: Rule, as_tensor: bool) -> None:
    images: Any = np.full((1, 2, 2), 0.5, np.float32)
    labels: Any = np.array([1])
    if as_tensor:
        images, labels = torch.tensor(images), torch.tensor(labels)
    world = World.from_images(images, rule, labels=labels, keys=labels)
    images[:], labels[:] = 0.0, 3
    assert world.picture().tolist() == [[0.5, 0.5]] * 2
    assert (world.label.tolist(), world.key.tolist()) == ([1], [1])


def test_read_only_arrays_are_accepted_without_a_warning(
    rule: Rule, recwarn: pytest.WarningsRecorder
) -> None:
    images = np.ones((1, 2, 2), np.float32)
    images.flags.writeable = False
    assert World.from_images(images, rule).cells == 4
    assert not recwarn.list


def test_dtype_threshold_and_classes_come_from_the_rule(busy_rule: BusyRule) -> None:
    rule = busy_rule(torch.float64, classes=Classes.named("x", "y"), alive_above=0.6)
    world = World.from_images([[[0.5, 0.6, 0.7]]], rule)
    assert world.site.tolist() == [2]
    assert (world.state.dtype, world.stimulus.dtype) == (torch.float64, torch.float64)
    assert (world.classes, tuple(world.logits.shape)) == (rule.classes, (1, 2))


PICTURE = [[0.0, 0.5], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([[[0.0, 1.5]]], r"grey must lie in \[0, 1\], got 0\.0 to 1\.5; divide 8-bit pictures"),
        ([[[-0.1, 1.0]]], "grey must lie in"),
        ([[[math.nan, 1.0]]], "grey must lie in"),
        (np.full((1, 2, 2), 255, np.uint8), "divide 8-bit pictures by 255"),
        (PICTURE, r"\[H, W\] each, or one array \[B, H, W\]; got one of shape \[2\]"),
        (np.zeros((2, 3, 4, 1)), r"got one of shape \[3, 4, 1\]"),
    ],
)
def test_invalid_pictures_are_refused(rule: Rule, images: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        World.from_images(images, rule)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"labels": [4]}, "between 0 and 3 .*got 4"),
        ({"labels": [-2]}, "got -2"),
        ({"labels": [1, 2]}, "1 worlds need as many labels, got 2"),
        ({"labels": [None]}, r"labels are whole numbers.*−1 for an unknown.*got \[None\]"),
        ({"labels": 3}, r"labels are whole numbers, one for each world.*got 3"),
        ({"labels": [1.5]}, r"labels are whole numbers, got \[1\.5\]"),
        ({"keys": []}, "1 worlds need as many keys, got 0"),
        ({"keys": [-1]}, "keys lie between"),
        ({"keys": [2**32]}, "keys lie between"),
        ({"start": "ones"}, "start must be one of zeros, random, got 'ones'"),
        ({"start": "random", "seed": -1}, "seed must be a whole number"),
    ],
)
def test_invalid_labels_keys_and_starts_are_refused(
    rule: Rule, others: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        World.from_images([PICTURE], rule, **others)


def test_a_rule_for_graphs_is_refused_with_the_cure(busy_rule: BusyRule) -> None:
    with pytest.raises(ValueError, match=r"this one has 5 and 9; .*World\.from_graph"):
        World.from_images([PICTURE], busy_rule(slots=5))


def test_a_random_start_is_normal_and_depends_on_seed_and_key(rule: Rule) -> None:
    def started(seed: int, key: int) -> torch.Tensor:
        images = np.ones((1, 30, 30))
        return World.from_images(images, rule, keys=[key], start="random", seed=seed).state

    first = started(1, 1)
    assert torch.equal(first, started(1, 1))
    assert not torch.equal(first, started(2, 1))
    assert not torch.equal(first, started(1, 2))
    assert abs(float(first.mean())) < 0.06
    assert float(first.std()) == pytest.approx(1.0, abs=0.05)


@pytest.fixture
def graph() -> nx.DiGraph[Any]:
    numbered = number_slots(nx.Graph([("c", "a"), ("a", "b")]), slots=5)
    for i, name in enumerate(numbered.nodes):
        numbered.nodes[name]["pos"] = (i, 2 * i)
    return numbered


def test_cells_are_nodes_in_the_order_of_the_graph(
    busy_rule: BusyRule, graph: nx.DiGraph[Any]
) -> None:
    rule = busy_rule(torch.float64, slots=5, stimulus_size=2)
    sensed = np.arange(6.0).reshape(3, 2)
    world = World.from_graph(graph, rule, stimulus=sensed, label=7, key=9, links=Links(0.5))
    assert world.topology.names == ("c", "a", "b")
    assert torch.equal(world.neighbors, Topology.from_networkx(graph).neighbors)
    assert world.stimulus.tolist() == sensed.tolist()
    assert world.position.tolist() == [[0, 0], [1, 2], [2, 4]]
    assert (world.label.tolist(), world.key.tolist()) == ([7], [9])
    assert world.state.dtype == world.stimulus.dtype == torch.float64
    sensed[:] = 0.0
    assert float(world.stimulus[2, 1]) == 5.0


def test_a_graph_without_stimulus_has_zeros(busy_rule: BusyRule, graph: nx.DiGraph[Any]) -> None:
    rule = busy_rule(slots=5, stimulus_size=2)
    world = World.from_graph(Topology.from_networkx(graph), rule)
    assert not bool(world.stimulus.any())
    assert world.position.tolist() == [[0], [1], [2]]


@pytest.mark.parametrize(
    ("settings", "stimulus", "message"),
    [
        ({"slots": 3}, None, r"has 5 slots, .*this rule has 3: .*number_slots\(graph, slots=3\)"),
        ({"slots": 5}, np.zeros((2, 9)), r"shape \(3, 9\), got \(2, 9\)"),
        ({"slots": 5}, np.full((3, 9), np.nan), "not finite"),
    ],
)
def test_unfit_graphs_are_refused(
    busy_rule: BusyRule, graph: nx.DiGraph[Any], settings: Any, stimulus: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        World.from_graph(Topology.from_networkx(graph), busy_rule(**settings), stimulus=stimulus)


def test_slots_that_only_the_rule_has_are_silent(
    busy_rule: BusyRule, graph: nx.DiGraph[Any]
) -> None:
    few, many = (World.from_graph(graph, busy_rule(slots=slots)) for slots in (5, 7))
    assert torch.equal(many.neighbors[:, :5], few.neighbors)
    assert bool((many.neighbors[:, 5:] == many.cells).all())
