"""Portraits: every cell has its colour and its place, at any scale."""

from __future__ import annotations

import io

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from swarm_nca.render import (
    SHOWN_ABOVE,
    cells_rgb,
    decided,
    decisions_rgb,
    enlarged,
    extent,
    grey_rgb,
    portrait,
    render_png,
    sheet,
    tally,
)
from swarm_nca.rules import Classes, Mlp
from swarm_nca.world import World

RULE = Mlp(Classes.named("a", "b", "c"), free_channels=2)


def random_world(seed: int, *shapes: tuple[int, int]) -> World:
    """Worlds of random pictures and states, about half their pixels alive."""
    generator = np.random.default_rng(seed)
    pictures = [generator.random(shape, np.float32) * 0.2 for shape in shapes]
    world = World.from_images(pictures, RULE)
    state = generator.normal(scale=0.02, size=world.state.shape).astype(np.float32)
    return world.with_state(torch.from_numpy(state))


def expected_pixel(world: World, index: int, row: int, column: int) -> tuple[int, ...]:
    """The expected colour of a pixel, found by a search over all cells of the batch."""
    for cell in range(world.cells):
        if int(world.world_of[cell]) == index and world.position[cell].tolist() == [row, column]:
            logits = world.state[cell, -3:].tolist()
            best = max(range(3), key=lambda label: logits[label])
            return RULE.classes.colors[best] if logits[best] > SHOWN_ABOVE else (0, 0, 0)
    return (255, 255, 255)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    shapes=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=3),
    scale=st.integers(1, 4),
)
def test_every_pixel_shows_its_cell_s_decision(
    seed: int, shapes: list[tuple[int, int]], scale: int
) -> None:
    world = random_world(seed, *shapes)
    for index, (height, width) in enumerate(shapes):
        rgb = decisions_rgb(world, index, scale=scale)
        assert rgb.shape == (height * scale, width * scale, 3)
        assert rgb.dtype == np.uint8
        for row in range(height):
            for column in range(width):
                square = rgb[row * scale : (row + 1) * scale, column * scale : (column + 1) * scale]
                want = expected_pixel(world, index, row, column)
                assert (square == want).all()


def test_a_cell_exactly_at_the_threshold_is_undecided() -> None:
    world = World.from_images([np.ones((1, 2), np.float32)], RULE)
    state = torch.zeros(2, 5, dtype=torch.float64)
    state[0, 3], state[1, 3] = 0.5, 0.5 + 1e-9
    assert decided(world.with_state(state), shown_above=0.5).tolist() == [-1, 1]


def test_a_nan_state_is_undecided() -> None:
    world = World.from_images([np.ones((1, 1), np.float32)], RULE)
    assert decided(world.with_state(torch.full((1, 5), torch.nan))).tolist() == [-1]


def test_tally_counts_the_cells_of_one_world_only() -> None:
    world = random_world(5, (4, 5), (3, 7))
    for index, alone in enumerate(world.split()):
        assert tally(world, index).tolist() == tally(alone).tolist()
        shown = decided(alone).tolist()
        assert tally(world, index).tolist() == [shown.count(label) for label in (0, 1, 2, -1)]


def test_full_grey_is_drawn_dark() -> None:
    world = World.from_images([np.array([[0.0, 1.0, 0.2]], np.float32)], RULE)
    assert grey_rgb(world)[0, :, 0].tolist() == [255, 0, 204]


def test_pixels_too_faint_to_be_alive_are_white() -> None:
    world = World.from_images([np.array([[0.05, 1.0]], np.float32)], RULE)
    assert decisions_rgb(world)[0].tolist() == [[255, 255, 255], [0, 0, 0]]


def test_cells_have_the_given_colours_and_other_pixels_the_background() -> None:
    world = World.from_images([np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)], RULE)
    rgb = cells_rgb(world, np.array([[1, 2, 3], [4, 5, 6]], np.uint8), behind=9)
    assert rgb.tolist() == [[[9, 9, 9], [1, 2, 3]], [[4, 5, 6], [9, 9, 9]]]


def test_a_world_without_cells_is_blank() -> None:
    world = World.from_images([np.zeros((3, 3), np.float32)], RULE)
    assert (decisions_rgb(world, scale=2) == 255).all()
    assert tally(world).tolist() == [0, 0, 0, 0]


def test_enlarging_equals_a_kronecker_product() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (3, 5, 3)).astype(np.uint8)
    assert (enlarged(rgb, 4) == np.kron(rgb, np.ones((4, 4, 1), np.uint8))).all()


def test_a_sheet_centres_its_tiles_row_by_row() -> None:
    black = np.zeros((1, 1, 3), np.uint8)
    paper = sheet([np.zeros((3, 3, 3), np.uint8), black, black], columns=2, gap=1)
    dark = paper[:, :, 0] == 0
    assert paper.shape == (7, 7, 3)
    assert dark[:3, :3].all()
    dark[:3, :3] = False
    assert np.argwhere(dark).tolist() == [[1, 5], [5, 1]]


@pytest.mark.parametrize("worlds", [1, 2, 5, 70])
def test_a_portrait_holds_grey_and_decisions_of_each_world(worlds: int) -> None:
    world = random_world(1, *[(4, 6)] * worlds)
    rgb = portrait(world, scale=2)
    for index in (0, min(worlds, 64) - 1):
        for tile in (grey_rgb(world, index, scale=2), decisions_rgb(world, index, scale=2)):
            places = np.lib.stride_tricks.sliding_window_view(rgb, tile.shape)[:, :, 0]
            assert (places == tile).all(axis=(2, 3, 4)).any()


def test_a_notebook_shows_the_portrait_as_png() -> None:
    world = random_world(2, (5, 5))
    shown = np.asarray(Image.open(io.BytesIO(world._repr_png_())))
    assert (shown == portrait(world)).all()
    assert render_png(world).startswith(b"\x89PNG")


def ring(nodes: int, placed: bool) -> nx.DiGraph:
    graph = nx.DiGraph()
    for node in range(nodes):
        angle = 2 * np.pi * node / nodes
        graph.add_node(node, **({"pos": (np.cos(angle), np.sin(angle))} if placed else {}))
    for node in range(nodes):
        graph.add_edge(node, (node + 1) % nodes, slot=0)
    return graph


@pytest.mark.parametrize("placed", [True, False])
def test_nodes_of_a_graph_are_dots_with_fixed_places(placed: bool) -> None:
    world = World.from_graph(ring(9, placed), RULE)
    state = torch.zeros(9, 5)
    state[:, 2] = 1.0
    world = world.with_state(state)
    red = np.array(RULE.classes.colors[0])
    before = (decisions_rgb(world, scale=8) == red).all(axis=2)
    after = (decisions_rgb(world.erase(torch.tensor([0, 4])), scale=8) == red).all(axis=2)
    assert before.shape == (8 * extent(world)[0],) * 2
    assert 0 < after.sum() < before.sum()
    assert not (after & ~before).any()
    assert (grey_rgb(world, scale=8) == 255).any()


def test_the_first_axis_of_a_graph_runs_across_and_the_second_up() -> None:
    graph = nx.DiGraph()
    graph.add_node("low", pos=(0.0, 0.0))
    graph.add_node("high", pos=(3.0, 3.0))
    graph.add_edge("low", "high", slot=0)
    world = World.from_graph(graph, RULE)
    colors = np.array([[200, 0, 0], [0, 200, 0]], np.uint8)
    rgb = cells_rgb(world, colors, scale=10)
    low = np.argwhere((rgb == colors[0]).all(axis=2)).mean(axis=0)
    high = np.argwhere((rgb == colors[1]).all(axis=2)).mean(axis=0)
    assert low[0] > high[0]
    assert low[1] < high[1]
