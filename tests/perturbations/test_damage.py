"""Damage equals the definition of its shapes, pixel by pixel."""

import math

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.perturbations import Damage
from swarm_nca.rules import Mlp
from swarm_nca.topologies import number_slots
from swarm_nca.world import World

RULE = Mlp(generator=torch.Generator().manual_seed(1)).requires_grad_(False)
SHAPE = st.tuples(st.integers(3, 9), st.integers(3, 9))


def random_world(height: int, width: int) -> World:
    grey = np.random.default_rng(height * 10 + width).random((1, height, width))
    return World.from_images(grey, RULE, start="random")


def sites_where(world: World, inside) -> torch.Tensor:
    return torch.tensor([inside(row, column) for row, column in world.position.tolist()])


@given(SHAPE, st.floats(-1, 10), st.floats(-1, 10), st.floats(0.5, 6))
def test_a_disc_zeroes_states_within_its_radius_only(shape, row, column, radius):
    world = random_world(*shape)
    inside = sites_where(world, lambda r, c: (r - row) ** 2 + (c - column) ** 2 <= radius**2)
    covers = any(
        (r - row) ** 2 + (c - column) ** 2 <= radius**2
        for r in range(shape[0])
        for c in range(shape[1])
    )
    damage = Damage(shape="disc", center=(row, column), radius=radius)
    if not covers:
        with pytest.raises(ValueError, match="covers nothing"):
            damage(world)
        return
    after = damage(world)
    assert torch.equal(after.state, world.state.masked_fill(inside[:, None], 0))
    assert torch.equal(after.site, world.site)


@given(SHAPE, st.sampled_from(["left", "right", "top", "bottom"]))
def test_a_half_excludes_the_middle_row_or_column(shape, side):
    height, width = shape
    world = random_world(height, width)
    in_half = {
        "left": lambda r, c: c < width // 2,
        "right": lambda r, c: c >= math.ceil(width / 2),
        "top": lambda r, c: r < height // 2,
        "bottom": lambda r, c: r >= math.ceil(height / 2),
    }[side]
    inside = sites_where(world, in_half)
    after = Damage(shape="half", side=side)(world)
    assert torch.equal(after.state, world.state.masked_fill(inside[:, None], 0))


@given(SHAPE, st.integers(0, 2), st.integers(0, 2), st.integers(1, 5), st.integers(1, 5))
def test_erased_pixels_are_white_without_cells(shape, row, column, rows, columns):
    world = random_world(*shape)
    after = Damage(shape="rectangle", corner=(row, column), size=(rows, columns), target="pixels")(
        world
    )
    grey = world.picture().clone()
    grey[row : row + rows, column : column + columns] = 0
    assert torch.equal(after.picture(), grey)
    fresh = World.from_images(grey[None], RULE)
    assert torch.equal(after.site, fresh.site)
    assert torch.equal(after.neighbors, fresh.neighbors)
    survivors = torch.isin(world.site, after.site)
    assert torch.equal(after.state, world.state[survivors])


@pytest.fixture
def ring() -> World:
    graph = nx.cycle_graph(8)
    for node in graph:
        angle = 2 * math.pi * node / 8
        graph.nodes[node]["pos"] = (math.cos(angle), math.sin(angle))
    return World.from_graph(number_slots(graph), RULE, start="random")


def test_on_a_graph_a_disc_uses_the_coordinates_of_nodes(ring):
    after = Damage(shape="disc", center=(1, 0), radius=0.9)(ring)
    assert after.state.abs().sum(1).eq(0).nonzero().view(-1).tolist() == [0, 1, 7]


def test_on_a_graph_erased_nodes_are_removed(ring):
    after = Damage(shape="disc", center=(1, 0), radius=0.9, target="pixels")(ring)
    assert after.site.tolist() == [2, 3, 4, 5, 6]


def test_halves_and_missing_coordinates_are_refused_on_graphs(ring):
    with pytest.raises(ValueError, match="needs a picture; on a graph use a disc"):
        Damage(shape="half", side="left")(ring)
    unplaced = World.from_graph(number_slots(nx.cycle_graph(5)), RULE)
    with pytest.raises(ValueError, match="give the graph's nodes an attribute 'pos'"):
        Damage(shape="disc", center=(0, 0), radius=1)(unplaced)


def test_damage_uses_the_device_of_the_world(ring):
    """With "meta" as default device, tensors without an explicit device would have no values."""
    damages = [
        Damage(shape="disc", center=(1, 0), radius=0.9),
        Damage(shape="rectangle", corner=(0, 0), size=(1.5, 1.5)),
    ]
    for damage in damages:
        expected = damage(ring)
        with torch.device("meta"):
            after = damage(ring)
        assert torch.equal(after.state, expected.state)
