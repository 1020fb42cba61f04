"""Further fields of a world survive all operations that move cells and worlds."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch

import swarm_nca as sn
from swarm_nca.engine import rollout
from swarm_nca.recording import Frame
from swarm_nca.recording.folder import states_npz
from swarm_nca.simulation import Planned, Simulation
from swarm_nca.viewer.keyframes import Keyframe


@pytest.fixture
def world() -> sn.World:
    """Three worlds with a numbered field for cells and for worlds."""
    rng = np.random.default_rng(0)
    made = sn.World.from_images((rng.random((3, 4, 5)) < 0.6).astype(np.float32), sn.Mlp())
    made = made.with_state(torch.randn_like(made.state))
    names = 1000 * (made.world_of + 1) + made.site
    return made.with_cells(name=names).with_worlds(owner=torch.tensor([7, 8, 9]))


def assert_names_match(world: sn.World) -> None:
    """Assert that cells and worlds still have their own values."""
    owner = world.world_fields["owner"]
    assert torch.equal(owner, world.key + 7)
    expected = 1000 * (world.key[world.world_of] + 1) + world.site
    assert torch.equal(world.cell_fields["name"], expected)
    assert world.cell_fields["name"].dtype == torch.int64


def test_a_field_survives_selecting_joining_splitting_and_moving(world: sn.World) -> None:
    assert_names_match(world)
    assert_names_match(world.select([2, 0]))
    assert_names_match(sn.World.join(world.split()[::-1]))
    assert_names_match(world.to(dtype=torch.float64))
    assert_names_match(world.by_key([1]))
    assert_names_match(world.unpacked(world.packed()))
    assert_names_match(Keyframe.of(world, 3).world(world))


def test_a_field_survives_steps_and_perturbations(
    world: sn.World,
) -> None:
    rule = sn.Mlp()
    stepped = rollout(world, rule, 3)
    assert_names_match(stepped)
    wound = sn.perturbations.Damage(shape="disc", center=(1, 1), radius=1.5, target="pixels")
    erased = wound(stepped)
    assert erased.cells < world.cells
    assert_names_match(erased)
    simulation = Simulation(world, rule, 0, Planned([(1, wound)]))
    assert_names_match(simulation.advance().after)
    drawn = world.draw(torch.arange(20), 1.0, 1)
    born = drawn.cell_fields["name"] == 0
    assert int(born.sum()) == drawn.cells - world.cells > 0
    assert not drawn.state[born].any()


def test_a_field_is_written_with_the_states_of_a_run(world: sn.World) -> None:
    archive = np.load(io.BytesIO(states_npz([Frame(0, world), Frame(2, world.select([1]))])))
    assert archive["name"].tolist() == [
        *world.cell_fields["name"].tolist(),
        *world.select([1]).cell_fields["name"].tolist(),
    ]


def test_a_world_without_a_field_is_joined_with_zeros(world: sn.World) -> None:
    other = sn.World.from_images(np.ones((1, 2, 2), np.float32), sn.Mlp(), keys=[50])
    both = sn.World.join([world, other])
    assert both.cell_fields["name"][world.cells :].tolist() == [0] * 4
    assert both.world_fields["owner"].tolist() == [7, 8, 9, 0]


@pytest.mark.parametrize(
    "wrong", [{"name": torch.zeros(3)}, {"state": torch.zeros(40)}], ids=["rows", "taken"]
)
def test_a_field_of_another_length_or_with_a_used_name_is_refused(
    world: sn.World, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"the field '\w+' needs \d+ rows and an unused name"):
        world.with_cells(**wrong)
