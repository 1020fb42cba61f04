"""State damage changes only discs of some worlds."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.images import strokes
from swarm_nca.rules import Mlp
from swarm_nca.training.state_damage import RADIUS, damaged, wounded
from swarm_nca.world import World


def worlds(count: int = 8) -> World:
    return World.from_images(strokes(count, 1).grey, Mlp())


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(st.integers(0, 1000))
def test_a_wound_is_a_disc_around_a_living_cell(seed: int) -> None:
    world = worlds(3)
    after = wounded(world, 1.0, 0.5, generator(seed))
    changed = (after.state != world.state).any(1)
    for alone in range(3):
        mine = changed & (world.world_of == alone)
        where = world.position.float()
        hit, place = where[mine], where[world.world_of == alone]
        assert len(hit) >= 1
        # Some living cell is the heart: all within the reach of the farthest hit are hit.
        reach = torch.cdist(place, place)
        radius = torch.cdist(place, hit).amax(1)
        hearts = radius < RADIUS[1]
        whole = ((reach <= radius[:, None]).sum(1) == len(hit)) & hearts
        assert bool(whole.any())


def test_share_and_strength_of_damage_are_as_given() -> None:
    world = worlds(400)
    change = wounded(world, 0.25, 1.5, generator(0)).state - world.state
    hit = (change != 0).any(1)
    worlds_hit = torch.bincount(world.world_of[hit], minlength=400) > 0
    assert 0.18 < float(worlds_hit.float().mean()) < 0.32
    assert abs(float(change[hit].std()) - 1.5) < 0.05


def test_a_share_of_0_damages_no_world() -> None:
    world = worlds()
    assert torch.equal(wounded(world, 0.0, 1.0, generator(0)).state, world.state)


def fields(count: int) -> World:
    """Full fields of 20 × 30 that hold ones everywhere."""
    world = World.from_images(torch.ones(count, 20, 30), Mlp())
    return world.with_state(torch.ones_like(world.state))


@given(st.integers(0, 1000))
def test_damage_erases_one_disc_in_each_of_the_last_worlds(seed: int) -> None:
    after = damaged(fields(4), 2, (0.3, 0.6), generator(seed))
    gone = (after.state == 0).all(1).view(4, 20, 30)
    assert bool(((after.state == 0) | (after.state == 1)).all())
    assert not gone[:2].any()
    for one in gone[2:]:
        rows, columns = one.nonzero().unbind(1)
        height, width = (int(where.max() - where.min()) + 1 for where in (rows, columns))
        # Diameters of 0.3 to 0.6 of 30 columns; the middle lies in the field's inner half.
        assert 8 <= max(height, width) <= 19
        assert 4 <= float(rows.float().mean()) <= 16
        assert 6 <= float(columns.float().mean()) <= 24
        assert abs(len(rows) - 0.785 * height * width) < 0.12 * height * width + 4


def test_a_count_of_0_leaves_the_batch_unchanged() -> None:
    world = fields(2)
    assert damaged(world, 0, (0.1, 0.4), generator(0)) is world
