"""The heart of it: agents on their own, in any order, and the batch live the same life.

One engine walks the edges of the networkx graph and asks the rule for one agent at a time; the
other gathers through an index table. Held against each other on every ground, with asynchronous
firing, noise and lost messages.
"""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm_nca.images import strokes
from swarm_nca.links import Links
from swarm_nca.rules import Classes, Mlp, Rule
from swarm_nca.swarm import Swarm
from swarm_nca.testing import assert_same_trajectory
from swarm_nca.topologies import Grid, number_slots
from swarm_nca.world import World


def busy_rule(dtype: torch.dtype = torch.float64, **others: Any) -> Rule:
    """An untrained rule whose output layer has weights, so that cells do something."""
    generator = torch.Generator().manual_seed(11)
    rule = Mlp(generator=generator, **others)
    torch.nn.init.normal_(rule.output, std=0.02, generator=generator)
    return rule.to(dtype).requires_grad_(False)


def lived(world: World, seed: int) -> World:
    """A moment of that world in which it has a past and states of about a third."""
    return world.with_state(world.restarted("random", seed).state / 3.0, steps=seed % 7)


GROUNDS = {
    "digit": Grid(),
    "digit-torus": Grid(torus=True),
    "digit-von-neumann": Grid("von_neumann"),
    "digit-von-neumann-torus": Grid("von_neumann", torus=True),
}


@pytest.mark.parametrize("links", [Links(), Links(drop=0.3)], ids=str)
@pytest.mark.parametrize("grid", GROUNDS.values(), ids=GROUNDS)
def test_thirty_noisy_steps_on_a_digit(grid: Grid, links: Links) -> None:
    rule = busy_rule()
    grey = strokes(1, seed=3, size=14).grey
    world = World.from_images(np.asarray(grey), rule, keys=[12], grid=grid, links=links)
    assert_same_trajectory(lived(world, 5), rule, steps=30, seed=8)


@pytest.mark.parametrize("links", [Links(), Links(drop=0.3)], ids=str)
def test_thirty_noisy_steps_on_a_random_graph(links: Links) -> None:
    rule = busy_rule(
        classes=Classes.named("left", "right"), slots=6, stimulus_size=2, fire_rate=0.4
    )
    random = np.random.default_rng(1)
    graph = number_slots(nx.random_regular_graph(5, 40, seed=2), slots=6)
    sensed = random.normal(size=(40, 2))
    world = World.from_graph(graph, rule, stimulus=sensed, key=9, links=links)
    assert_same_trajectory(lived(world, 4), rule, steps=30, seed=3)


RATES = {"sleepy": (0.1, None), "all-at-once": (1.0, 0.0), "noisy": (None, 0.3)}


@pytest.mark.parametrize(("fire_rate", "noise"), RATES.values(), ids=RATES)
def test_thirty_steps_at_rates_of_the_world_s_own(
    fire_rate: float | None, noise: float | None
) -> None:
    rule = busy_rule()
    grey = np.asarray(strokes(1, seed=6, size=14).grey)
    world = World.from_images(grey, rule, fire_rate=fire_rate, noise=noise, links=Links(0.1))
    assert_same_trajectory(lived(world, 5), rule, steps=30, seed=8)


def test_twenty_steps_in_single_precision() -> None:
    rule = busy_rule(torch.float32)
    world = World.from_images(np.asarray(strokes(1, seed=4, size=14).grey), rule)
    assert_same_trajectory(world, rule, steps=20, seed=1)


def test_the_compared_lives_are_busy_ones() -> None:
    rule = busy_rule()
    world = lived(World.from_images(np.asarray(strokes(1, seed=3, size=14).grey), rule), 5)
    swarm = Swarm(world, rule, seed=8)
    for _ in range(30):
        swarm.step()
    changed = np.abs(swarm.states - world.state.numpy()).max(axis=1)
    assert (changed > 0.1).all()
    assert 0.2 < np.abs(swarm.states).mean() < 10.0


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(3, 6),
    width=st.integers(3, 6),
    share=st.floats(0.0, 1.0),
    grid=st.sampled_from(list(GROUNDS.values())),
    drop=st.sampled_from([0.0, 0.5, 1.0]),
    fire_rate=st.none() | st.floats(0.0, 1.0),
    noise=st.none() | st.floats(0.0, 2.0),
    seed=st.integers(0, 2**64 - 1),
    key=st.integers(0, 2**32 - 1),
)
def test_any_picture(
    height: int,
    width: int,
    share: float,
    grid: Grid,
    drop: float,
    fire_rate: float | None,
    noise: float | None,
    seed: int,
    key: int,
) -> None:
    rule = busy_rule(hidden=(8, 8))
    random = np.random.default_rng(seed)
    grey = random.random((height, width)) * (random.random((height, width)) < share)
    world = World.from_images(
        [grey],
        rule,
        keys=[key],
        grid=grid,
        links=Links(drop),
        fire_rate=fire_rate,
        noise=noise,
    )
    assert_same_trajectory(lived(world, key % 5), rule, steps=3, seed=seed)


@settings(max_examples=25, deadline=None)
@given(
    nodes=st.integers(1, 12),
    edges=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(0, 4))),
    seed=st.integers(0, 2**64 - 1),
    gone=st.sets(st.integers(0, 11)),
)
def test_any_graph(
    nodes: int, edges: list[tuple[int, int, int]], seed: int, gone: set[int]
) -> None:
    rule = busy_rule(hidden=(8, 8), slots=5, stimulus_size=1)
    graph: nx.DiGraph[Any] = nx.DiGraph(slots=5)
    graph.add_nodes_from(f"n{i}" for i in range(nodes))
    taken = set()
    for u, v, slot in edges:
        new = (u, slot) not in taken and not graph.has_edge(f"n{u}", f"n{v}")
        if u < nodes and v < nodes and new:
            graph.add_edge(f"n{u}", f"n{v}", slot=slot)
            taken.add((u, slot))
    world = World.from_graph(graph, rule, links=Links(drop=0.2))
    dead = torch.tensor(sorted(i for i in gone if i < nodes), dtype=torch.int64)
    assert_same_trajectory(lived(world, 2).erase(dead), rule, steps=3, seed=seed)
