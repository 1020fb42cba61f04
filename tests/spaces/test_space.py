"""Spaces of several worlds: selected and joined in one address space."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.rules import Habitat
from swarm_nca.spaces import GraphSpace, PixelSpace, join_tables, spread, starts
from swarm_nca.topologies import Grid, Topology

COUNTS = st.lists(st.integers(0, 5), min_size=1, max_size=6)


@given(COUNTS, st.data())
def test_spread_selects_whole_worlds_in_any_order(counts: list[int], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=6))
    flat = [(world, i) for world, count in enumerate(counts) for i in range(count)]
    expected = [(world, i) for world in chosen for i in range(counts[world])]
    index = spread(torch.tensor(chosen, dtype=torch.int64), torch.tensor(counts))
    assert [flat[i] for i in index.tolist()] == expected


@given(COUNTS)
def test_starts_are_first_addresses_and_the_end(counts: list[int]) -> None:
    begin = [sum(counts[:i]) for i in range(len(counts) + 1)]
    assert starts(torch.tensor(counts)).tolist() == begin


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.integers(0, 99))
def test_joined_tables_keep_all_neighbours(sizes: list[int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    tables = [torch.randint(n + 1, (n, 3), generator=generator) for n in sizes]
    rows = iter(join_tables(tables).tolist())
    for n, table, begin in zip(sizes, tables, starts(torch.tensor(sizes)).tolist(), strict=False):
        for own in table.tolist():
            assert next(rows) == [sum(sizes) if v == n else v + begin for v in own]


@pytest.fixture
def canvas() -> PixelSpace:
    """A 2 × 3 and a 3 × 1 picture, some pixels faint."""
    grey = torch.tensor([0.0, 0.05, 0.2, 0.3, 0.1, 0.9, 0.4, 0.0, 0.5])
    return PixelSpace(grey, torch.tensor([2, 3]), torch.tensor([3, 1]), Grid(), Habitat(0.1))


def test_pixels_above_the_threshold_are_alive_and_have_positions(
    canvas: PixelSpace,
) -> None:
    alive = canvas.alive()
    assert alive.tolist() == [2, 3, 5, 6, 8]
    assert canvas.position(alive).tolist() == [[0, 2], [1, 0], [1, 2], [0, 0], [2, 0]]
    assert canvas.world_at(alive).tolist() == [0, 0, 0, 1, 1]
    assert canvas.names()[4:8] == ((1, 1), (1, 2), (0, 0), (1, 0))
    assert canvas.picture(1).tolist() == canvas.grey[6:].view(3, 1).tolist()


def test_a_pixel_at_the_threshold_is_dead_in_every_dtype(canvas: PixelSpace) -> None:
    # 0.1 in float32 is slightly above 0.1; in float64 it must not be alive.
    double = canvas.to(torch.device("cpu"), torch.float64)
    assert float(double.grey[4]) > 0.1
    assert double.alive().tolist() == canvas.alive().tolist()
    assert double.to(torch.device("cpu"), torch.float32).alive().tolist() == canvas.alive().tolist()


def test_the_stimulus_includes_faint_dead_pixels_and_zeros_outside(
    canvas: PixelSpace,
) -> None:
    heard, stimulus = canvas.look(torch.tensor([2, 6]))
    assert stimulus.tolist() == pytest.approx(
        torch.tensor([[0, 0, 0, 0.05, 0.2, 0, 0.1, 0.9, 0], [0, 0, 0, 0, 0.4, 0, 0, 0, 0]])
    )
    assert heard.tolist() == [[9, 9, 9, 1, 2, 9, 4, 5, 9], [9, 9, 9, 9, 6, 9, 9, 7, 9]]


def test_on_a_von_neumann_grid_corners_are_stimulus_but_not_neighbours() -> None:
    canvas = PixelSpace(
        torch.full((9,), 0.5),
        torch.tensor([3]),
        torch.tensor([3]),
        Grid("von_neumann"),
        Habitat(0.1),
    )
    heard, stimulus = canvas.look(torch.tensor([4]))
    assert stimulus.tolist() == [[0.5] * 9]
    assert heard.tolist() == [[9, 1, 9, 3, 4, 5, 9, 7, 9]]


def test_painting_returns_a_new_space(canvas: PixelSpace) -> None:
    before = canvas.grey.clone()
    painted = canvas.painted(torch.tensor([7]), torch.tensor([1.0]))
    assert painted.alive().tolist() == [2, 3, 5, 6, 7, 8]
    assert torch.equal(canvas.grey, before)


@pytest.mark.parametrize(("height", "width"), [(2, 5), (5, 2), (2, 1)])
def test_a_torus_less_than_three_wide_is_refused_with_its_size(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"at least 3 × 3.*{height} rows, {width} columns"):
        PixelSpace(
            torch.zeros(height * width),
            torch.tensor([height]),
            torch.tensor([width]),
            Grid(torus=True),
            Habitat(0.1),
        )


def test_pixel_spaces_of_other_grids_or_thresholds_are_not_joined(canvas: PixelSpace) -> None:
    one = torch.tensor([3])
    for grid, threshold in ((Grid("von_neumann"), 0.1), (Grid(), 0.2)):
        other = PixelSpace(torch.zeros(9), one, one, grid, Habitat(threshold))
        with pytest.raises(ValueError, match="cannot share a batch"):
            canvas.joined([other])


def network(slots: int = 2, nodes: int = 3, dimensions: int = 1) -> GraphSpace:
    """A chain: each node but the first has a neighbour in slot 0."""
    table = torch.full((nodes, slots), nodes)
    table[1:, 0] = (torch.arange(1, nodes) + 1) % nodes
    topology = Topology(table, tuple(f"n{i}" for i in range(nodes)))
    coordinates = torch.arange(float(nodes * dimensions)).view(nodes, dimensions)
    return GraphSpace.over(topology, torch.rand(nodes, 2), coordinates)


def test_graphs_are_selected_and_joined_with_all_tensors() -> None:
    first, second = network(nodes=3), network(nodes=4)
    both = first.joined([second])
    swapped = both.take(torch.tensor([1, 0, 1]))
    assert swapped.sizes.tolist() == [4, 3, 4]
    assert swapped.names() == second.names() + first.names() + second.names()
    expected = join_tables([second.neighbors, first.neighbors, second.neighbors])
    assert torch.equal(swapped.neighbors, expected)
    assert torch.equal(swapped.stimulus[4:7], first.stimulus)
    assert torch.equal(swapped.coordinates[:4], second.coordinates)


def test_graphs_of_other_slots_or_dimensions_are_not_joined() -> None:
    with pytest.raises(ValueError, match="2 slots cannot share a batch with graphs with 3"):
        network().joined([network(slots=3)])
    with pytest.raises(ValueError, match="same dimension"):
        network().joined([network(dimensions=2)])


def test_without_returns_a_new_space_with_dead_nodes() -> None:
    whole = network()
    without = whole.without(torch.tensor([1]))
    assert (whole.alive().tolist(), without.alive().tolist()) == ([0, 1, 2], [0, 2])
