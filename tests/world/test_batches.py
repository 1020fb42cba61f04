"""Selecting and joining worlds does not change them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm_nca.links import Links
from swarm_nca.rules import Classes, Rule
from swarm_nca.topologies import Grid, number_slots
from swarm_nca.world import World

Worlds = Callable[..., World]
Same = Callable[[World, World], None]
SIZES = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=5)
SEEDS = st.integers(0, 9999)


@settings(max_examples=40)
@given(sizes=SIZES, seed=SEEDS)
def test_joining_split_worlds_gives_the_batch(
    worlds: Worlds, assert_same: Same, sizes: Any, seed: int
) -> None:
    batch = worlds(sizes, seed)
    assert_same(World.join(batch.split()), batch)
    assert_same(batch.select(range(len(batch))), batch)


@settings(max_examples=40)
@given(sizes=SIZES, seed=SEEDS, data=st.data())
def test_a_selection_equals_the_join_of_the_selected_worlds(
    worlds: Worlds, assert_same: Same, sizes: Any, seed: int, data: st.DataObject
) -> None:
    batch = worlds(sizes, seed)
    number = st.integers(-len(batch), len(batch) - 1)
    chosen = data.draw(st.lists(number, min_size=1, max_size=6))
    selected = batch.select(chosen)
    assert_same(selected, World.join([batch[i] for i in chosen]))
    keys = [int(batch.key[i]) for i in dict.fromkeys(i % len(batch) for i in chosen)]
    assert_same(batch.by_key(keys), World.join([batch.by_key(key) for key in keys]))
    assert batch.by_key(keys).key.tolist() == keys


@settings(max_examples=40)
@given(sizes=SIZES, seed=SEEDS, data=st.data())
def test_two_selections_equal_one_combined_selection(
    worlds: Worlds, assert_same: Same, sizes: Any, seed: int, data: st.DataObject
) -> None:
    batch = worlds(sizes, seed)
    first = data.draw(st.lists(st.integers(0, len(batch) - 1), min_size=1, max_size=5))
    second = data.draw(st.lists(st.integers(0, len(first) - 1), max_size=5))
    assert_same(batch.select(first).select(second), batch.select([first[i] for i in second]))


def test_a_mask_selects_the_marked_worlds(worlds: Worlds, assert_same: Same) -> None:
    batch = worlds([(3, 3), (2, 4), (4, 2)])
    assert_same(batch.select(torch.tensor([True, False, True])), batch.select([0, 2]))


def test_worlds_can_be_iterated_and_indexed_from_the_end(worlds: Worlds, assert_same: Same) -> None:
    batch = worlds([(3, 3), (2, 4)])
    for one, other in zip(batch, batch.split(), strict=True):
        assert_same(one, other)
    assert_same(batch[-1], batch[1])
    assert_same(batch[1:], batch[1])
    assert_same(batch[::-1], batch.select([1, 0]))


@pytest.mark.parametrize("wrong", [2, -3, [0, 5], [0.5], torch.tensor([True])], ids=str)
def test_unknown_worlds_are_refused(worlds: Worlds, wrong: Any) -> None:
    with pytest.raises(IndexError, match="worlds"):
        worlds([(3, 3), (2, 4)]).select(wrong)


def test_unknown_and_repeated_keys_are_refused(rule: Rule) -> None:
    batch = World.from_images(np.ones((3, 2, 2)), rule, keys=[5, 6, 6])
    for key in (5, [5], (5,), np.int64(5), torch.tensor(5), batch.key[:1]):
        assert batch.by_key(key).key.tolist() == [5]
    for key, count in ((7, 0), (6, 2)):
        with pytest.raises(KeyError, match=f"{count} worlds have the key {key}"):
            batch.by_key(key)


def test_an_empty_selection_can_be_joined(worlds: Worlds, assert_same: Same) -> None:
    batch = worlds([(3, 3), (2, 4)])
    nothing = batch.select([])
    assert (len(nothing), nothing.cells, nothing.split()) == (0, 0, [])
    assert_same(World.join([nothing, batch, nothing]), batch)


def test_graphs_can_be_selected_and_joined(
    busy_rule: Callable[..., Rule], assert_same: Same
) -> None:
    rule = busy_rule(slots=5, stimulus_size=2)
    graphs = [number_slots(nx.cycle_graph(n), slots=5) for n in (3, 5, 4)]
    alone = [
        World.from_graph(g, rule, key=k, stimulus=np.full((len(g), 2), k), start="random")
        for k, g in enumerate(graphs)
    ]
    batch = World.join(alone).erase(torch.tensor([2]), world=1)
    assert batch.counts.tolist() == [3, 4, 4]
    alone[1] = alone[1].erase(torch.tensor([2]))
    for one, other in zip(batch.split(), alone, strict=True):
        assert_same(one, other)
    assert_same(batch.select([2, 0]), World.join([alone[2], alone[0]]))


def test_unequal_shared_fields_are_not_joined(rule: Rule, busy_rule: Callable[..., Rule]) -> None:
    def made(rule: Rule = rule, **others: Any) -> World:
        return World.from_images(np.ones((1, 3, 3)), rule, **others)

    graph = World.from_graph(number_slots(nx.path_graph(2)), rule)
    classes = busy_rule(classes=Classes.named(*"wxyz"), free_channels=2)
    for other, message in (
        (graph, "pictures and worlds on graphs"),
        (made(classes), "differ in readout"),
        (made(links=Links(0.5)), "differ in links"),
        (made(fire_rate=0.5), "differ in fire_rate"),
        (
            made(noise=0.0),
            "share their links, fire_rate, noise, readout, guests, but these differ in noise",
        ),
        (made(grid=Grid("von_neumann")), "cannot share a batch"),
    ):
        with pytest.raises(ValueError, match=message):
            World.join([made(), other])
    with pytest.raises(ValueError, match="at least one"):
        World.join([])


def test_to_converts_all_floats_to_another_dtype(worlds: Worlds, assert_same: Same) -> None:
    batch = worlds([(3, 3), (4, 5)])
    double = batch.to(dtype=torch.float64)
    for f in fields(World):
        value = getattr(double, f.name)
        if isinstance(value, torch.Tensor):
            old = getattr(batch, f.name).dtype
            assert value.dtype == (torch.float64 if old == torch.float32 else old)
    assert double.canvas.grey.dtype == torch.float64
    assert_same(double.to(dtype=torch.float32), batch)
    assert_same(batch.to("cpu"), batch)


def test_a_pixel_at_the_threshold_stays_dead_in_another_dtype(
    rule: Rule, assert_same: Same
) -> None:
    world = World.from_images([[[0.1, 0.5]], [[0.5, 0.1]]], rule).to(dtype=torch.float64)
    assert world.site.tolist() == [1, 0]
    assert_same(World.join(world.split()), world)
