"""Edits: local updates equal new worlds, and cells that stay alive keep all fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.rules import Rule
from swarm_nca.testing import tiny_world
from swarm_nca.topologies import Grid, number_slots
from swarm_nca.world import World

Worlds = Callable[..., World]
Same = Callable[[World, World], None]
GRIDS = [Grid(hood, torus) for hood in ("moore", "von_neumann") for torus in (False, True)]
SIZES = st.lists(st.tuples(st.integers(3, 6), st.integers(3, 6)), min_size=1, max_size=3)


def states_by_site(world: World) -> dict[tuple[int, int], list[float]]:
    """The state of every cell by (world, site)."""
    names = zip(world.world_of.tolist(), world.site.tolist(), strict=True)
    return dict(zip(names, world.state.tolist(), strict=True))


@given(
    sizes=SIZES,
    seed=st.integers(0, 9999),
    grid=st.sampled_from(GRIDS),
    edits=st.lists(
        st.tuples(
            st.sampled_from(["draw", "erase"]),
            st.integers(0, 2),
            st.lists(st.tuples(st.integers(0, 35), st.sampled_from([0.04, 0.3, 1.0])), max_size=9),
        ),
        max_size=6,
    ),
)
def test_edits_equal_a_new_world_from_the_final_picture(
    worlds: Worlds, rule: Rule, sizes: Any, seed: int, grid: Grid, edits: Any
) -> None:
    world = worlds(sizes, seed, grid)
    pictures = [world.picture(i).numpy().copy() for i in range(len(world))]
    for kind, where, strokes in edits:
        where %= len(world)
        flat = pictures[where].reshape(-1)
        brush = {site % flat.size: np.float32(amount) for site, amount in strokes}
        sites, amounts = (
            torch.tensor(list(brush), dtype=torch.int64),
            torch.tensor([*brush.values()]),
        )
        before = states_by_site(world)
        world = getattr(world, kind)(sites, amounts, world=where)
        for site, amount in brush.items():
            old = flat[site]
            flat[site] = min(old + amount, np.float32(1)) if kind == "draw" else old * (1 - amount)
        after = states_by_site(world)
        for name, state in after.items():
            assert state == before.get(name, [0.0] * rule.channels)
    rebuilt = World.from_images(pictures, rule, grid=grid)
    for field in ("address", "neighbors", "stimulus"):
        assert torch.equal(getattr(world, field), getattr(rebuilt, field)), field
    for i, picture in enumerate(pictures):
        assert world.picture(i).tolist() == picture.tolist()


def test_strokes_accumulate_and_faint_grey_is_kept_and_sensed(rule: Rule) -> None:
    world = tiny_world("#..", rule)
    faint = world.draw(torch.tensor([1]), 0.06)
    assert (faint.cells, float(faint.stimulus[0, 5])) == (1, pytest.approx(0.06))
    assert faint.draw(torch.tensor([1]), 0.06).site.tolist() == [0, 1]
    assert float(faint.draw(torch.tensor([0]), 0.5).picture()[0, 0]) == 1.0


def test_erasing_shares_kills_a_cell_below_the_threshold(rule: Rule) -> None:
    world = tiny_world("##", rule)
    half = world.erase(torch.tensor([0]), 0.5)
    assert (half.cells, float(half.picture()[0, 0])) == (2, 0.5)
    assert half.erase(torch.tensor([0]), 0.9).site.tolist() == [1]
    assert world.erase(torch.tensor([0, 1])).cells == 0


def test_editing_one_world_does_not_change_the_others(worlds: Worlds, assert_same: Same) -> None:
    batch = worlds([(4, 4), (3, 5), (5, 3)], seed=3)
    edited = batch.draw(torch.arange(15), 0.5, world=1).erase(torch.tensor([2]), world=1)
    assert_same(edited.select([0, 2]), batch.select([0, 2]))
    for field in ("key", "step", "label"):
        assert torch.equal(getattr(edited, field), getattr(batch, field))


def test_editing_does_not_change_the_original_world(worlds: Worlds, assert_same: Same) -> None:
    batch = worlds([(4, 4), (3, 5)], seed=3)
    twin = worlds([(4, 4), (3, 5)], seed=3)
    batch.draw(torch.arange(9), 1.0)
    batch.erase(torch.arange(9))
    batch.repictured([np.ones((4, 4)), np.ones((3, 5))])
    batch.restarted("random", seed=8)
    batch.relabeled([1, 2])
    assert_same(batch, twin)


def test_sites_and_amounts_can_be_numbers_lists_or_arrays(rule: Rule, assert_same: Same) -> None:
    world = tiny_world("#..", rule)
    plain = world.draw(torch.tensor([2]), torch.tensor([0.5]))
    sites: list[Any] = [2, [2], np.array([2]), torch.tensor([2], dtype=torch.int32)]
    for site, grey in zip(sites, (0.5, [0.5], np.array([0.5]), np.float64(0.5)), strict=True):
        assert_same(world.draw(site, grey), plain)


def test_pixels_can_be_given_by_number_by_row_and_column_or_by_mask(
    rule: Rule, assert_same: Same
) -> None:
    batch = World.join([tiny_world("#..\n..#", rule), tiny_world("....\n.##.\n....", rule)])
    for world, (rows, columns) in enumerate([(2, 3), (3, 4)]):
        pairs = [(1, 2), (0, 1)]
        mask = np.zeros((rows, columns), bool)
        mask[1, 2] = mask[0, 1] = True
        numbers = [columns + 2, 1]
        drawn, rubbed = batch.draw(numbers, 0.5, world), batch.erase(numbers, 1.0, world)
        for sites in (pairs, np.array(pairs), torch.tensor(pairs), mask, torch.from_numpy(mask)):
            assert_same(batch.draw(sites, 0.5, world), drawn)
            assert_same(batch.erase(sites, 1.0, world), rubbed)
        assert_same(batch.draw(pairs, [0.2, 0.7], world), batch.draw(numbers, [0.2, 0.7], world))
        # Amounts of a mask are row by row.
        assert_same(batch.draw(mask, [0.7, 0.2], world), batch.draw(numbers, [0.2, 0.7], world))
        assert_same(batch.draw(np.zeros_like(mask), 0.5, world), batch)
        assert_same(batch.draw([], 0.5, world), batch)


def test_nodes_can_be_given_by_number_or_by_mask(rule: Rule, assert_same: Same) -> None:
    world = World.from_graph(number_slots(nx.path_graph(4)), rule, start="random", seed=2)
    assert_same(world.erase(np.array([False, True, False, True])), world.erase([1, 3]))
    for sites in ([[1, 3]], np.ones(3, bool), np.ones((2, 2), bool)):
        with pytest.raises(ValueError, match="mask"):
            world.erase(sites)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda w: w.draw([[3, 4]], 0.5), r"from \(0, 0\) to \(1, 2\), got \(3, 4\)"),
        (lambda w: w.draw([[0, 0], [0, 3]], 0.5), r"got \(0, 3\)"),
        (lambda w: w.draw([[0, -1]], 0.5), r"got \(0, -1\)"),
        (lambda w: w.draw([[0.5, 1]], 0.5), "sites are whole numbers"),
        (lambda w: w.draw([[0, 1], [0, 1]], 0.5), "each site may be given once"),
        (lambda w: w.draw([[1], [2]], 0.5), r"pairs \[n, 2\].*got the shape \[2, 1\]"),
        (lambda w: w.draw(np.zeros((1, 2, 2), int), 0.5), "or a boolean mask"),
        (lambda w: w.erase(np.ones((3, 2), bool)), r"mask .* shape \[2, 3\] .*got \[3, 2\]"),
        (lambda w: w.erase(np.ones(6, bool)), r"mask .* shape \[2, 3\] .*got \[6\]"),
        (lambda w: w.erase([1], 1.0, 1), "world must be a whole number, from 0 to 0, got 1"),
        (lambda w: w.erase([1], 1.0, -1), "world must be a whole number"),
        (lambda w: w.draw([1], 0.5j), "must be real"),
        (lambda w: w.draw(torch.tensor([6]), 0.5), r"from 0 to 5, got \[6\]"),
        (lambda w: w.erase(torch.tensor([-1])), "from 0 to 5"),
        (lambda w: w.draw([1.7], 0.5), r"sites are whole numbers, got \[1\.7"),
        (lambda w: w.draw(torch.tensor([1, 1]), 0.5), r"each site may be given once, got \[1, 1\]"),
        (lambda w: w.draw(torch.tensor([1]), float("nan")), "between -1 and 1, got nan"),
        (lambda w: w.draw(torch.tensor([1]), 255), "between -1 and 1, got 255"),
        (lambda w: w.erase(torch.tensor([1]), 1.5), r"between 0 and 1, got 1\.5"),
        (lambda w: w.erase(torch.tensor([1]), -0.5), "between 0 and 1"),
        (
            lambda w: w.draw(torch.tensor([1, 2]), torch.ones(3)),
            "one for each of the 2 sites; got 3",
        ),
    ],
)
def test_invalid_edits_are_refused(
    rule: Rule, edit: Callable[[World], World], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        edit(tiny_world("#.#\n.#.", rule))


def test_a_new_picture_keeps_cells_alive_before_and_after(rule: Rule) -> None:
    old, new = np.zeros((2, 3, 4)), np.zeros((2, 3, 4))
    old[:, :2], new[:, 1:] = 0.5, 1.0
    world = World.from_images(old, rule, labels=[0, 1], start="random", seed=1)
    swapped = world.repictured(new, [2, 3])
    assert swapped.label.tolist() == [2, 3]
    assert world.repictured(new).label.tolist() == [-1, -1]
    assert torch.equal(swapped.key, world.key)
    assert torch.equal(swapped.stimulus, World.from_images(new, rule).stimulus)
    before = states_by_site(world)
    for (number, site), state in states_by_site(swapped).items():
        assert state == (before[number, site] if site < 8 else [0.0] * rule.channels)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.ones((1, 3, 4)), "2 worlds need as many pictures, got 1"),
        (np.ones((2, 4, 3)), "its world's size, 3 × 4; got 4 × 3"),
        (np.full((2, 3, 4), 2.0), "grey must lie in"),
    ],
)
def test_new_pictures_of_other_sizes_are_refused(rule: Rule, images: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        World.from_images(np.ones((2, 3, 4)), rule).repictured(images)


def test_erased_nodes_are_removed_from_the_neighbors_of_others(rule: Rule) -> None:
    world = World.from_graph(number_slots(nx.path_graph(4)), rule, start="random")
    without = world.erase(torch.tensor([1]))
    assert without.topology.names == (0, 2, 3)
    assert torch.equal(without.state, world.state[[0, 2, 3]])
    heard = {u: set(without.topology.to_networkx().adj[u]) for u in without.topology.names}
    assert heard == {0: {0}, 2: {2, 3}, 3: {2, 3}}


def test_erasing_a_share_of_zero_removes_nothing(rule: Rule, assert_same: Same) -> None:
    graph = World.from_graph(number_slots(nx.path_graph(4)), rule, start="random")
    assert_same(graph.erase(torch.tensor([1, 2]), 0.0), graph)
    some = graph.erase(torch.tensor([0, 2, 3]), torch.tensor([0.0, 0.1, 0.0]))
    assert some.topology.names == (0, 1, 3)
    picture = tiny_world("#3.", rule)
    assert_same(picture.erase(torch.tensor([0, 1, 2]), 0.0), picture)


def test_drawing_and_new_pictures_are_refused_on_graphs(rule: Rule) -> None:
    world = World.from_graph(number_slots(nx.path_graph(4)), rule)
    for ask in (
        lambda: world.picture(),
        lambda: world.draw(torch.tensor([1]), 0.5),
        lambda: world.repictured(np.ones((1, 2, 2))),
    ):
        with pytest.raises(ValueError, match="is on a graph"):
            ask()
