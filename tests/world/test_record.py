"""The world record: frozen, short repr, and usable without cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch

from swarm_nca.engine import rollout, step, trajectory
from swarm_nca.rules import Rule
from swarm_nca.topologies import number_slots
from swarm_nca.world import World
from swarm_nca.world.fields import FIELDS

Worlds = Callable[..., World]
Same = Callable[[World, World], None]


def test_fields_cannot_be_assigned(worlds: Worlds) -> None:
    world = worlds([(3, 3)])
    for field in fields(World):
        with pytest.raises(FrozenInstanceError):
            setattr(world, field.name, None)


def test_every_field_is_in_the_table_or_derived() -> None:
    derived = {"space", "address", "neighbors", "stimulus", "cell_fields", "world_fields"}
    named = {*FIELDS} | derived
    assert named == {field.name for field in fields(World)}


def test_worlds_are_compared_by_identity_and_hashable(worlds: Worlds) -> None:
    one, twin = worlds([(3, 3)]), worlds([(3, 3)])
    assert one != twin
    assert len({one, twin, one}) == 2


def test_restarting_keeps_the_number_of_steps(worlds: Worlds) -> None:
    world = worlds([(3, 3), (4, 4)], seed=3)
    assert world.step.tolist() == [3, 3]
    zeros = world.restarted()
    assert not bool(zeros.state.any())
    assert zeros.step.tolist() == [3, 3]
    assert torch.equal(world.restarted("random", 5).state, world.restarted("random", 5).state)
    assert not torch.equal(world.restarted("random", 5).state, world.restarted("random", 6).state)


def test_labels_are_changed_and_checked(worlds: Worlds) -> None:
    world = worlds([(3, 3), (4, 4)])
    assert world.relabeled([0, -1]).label.tolist() == [0, -1]
    assert world.relabeled(None).label.tolist() == [-1, -1]
    with pytest.raises(ValueError, match="between 0 and 3"):
        world.relabeled([4, 0])


def test_repr_is_one_line(worlds: Worlds, rule: Rule) -> None:
    world = World.from_images(np.ones((2, 3, 3)), rule)
    assert repr(world) == "World(2 on a canvas, [18, 6] cells × channels, step 0)"
    joined = World.join([world, world.with_state(world.state, 4)])
    assert repr(joined).endswith("steps [0, 4])")


EMPTY: dict[str, Any] = {
    "no worlds": [],
    "white": np.zeros((2, 3, 4)),
    "faint": np.full((1, 3, 4), 0.05),
    "no pixels": [np.zeros((0, 0)), np.zeros((0, 3))],
}


@pytest.mark.parametrize("images", EMPTY.values(), ids=EMPTY)
def test_worlds_without_cells_support_all_operations(
    busy_rule: Callable[..., Rule], assert_same: Same, images: Any
) -> None:
    rule = busy_rule()
    world = World.from_images(images, rule, start="random")
    assert world.cells == 0
    after = rollout(world, rule, 3)
    assert after.state.shape == (0, 19)
    assert step(world, rule).cells == 0
    assert len(list(trajectory(world, rule, 2))) == 2
    assert after.step.tolist() == [3] * len(world)
    assert_same(world.select(range(len(world))), world)
    other = World.from_images(np.ones((1, 2, 2)), rule)
    joined = World.join([world, other, world])
    assert_same(joined.select([len(world)]), other)
    assert_same(world.to(dtype=torch.float64).to(dtype=torch.float32), world)
    assert world.repictured(images).cells == 0
    assert world.topology.to_networkx().number_of_nodes() == 0
    assert world.logits.shape == (0, 10)
    assert world._repr_png_().startswith(b"\x89PNG")


def test_an_empty_world_can_be_drawn_on(rule: Rule, assert_same: Same) -> None:
    world = World.from_images(np.zeros((1, 2, 2)), rule)
    drawn = world.draw(torch.tensor([3]), 1.0)
    assert_same(drawn, World.from_images([[[0.0, 0.0], [0.0, 1.0]]], rule))
    assert_same(drawn.erase(torch.tensor([3])), world)


def test_batches_and_graphs_have_a_notebook_picture(worlds: Worlds, rule: Rule) -> None:
    graph = World.from_graph(number_slots(nx.path_graph(3)), rule)
    for world in (worlds([(3, 3), (5, 4)]), graph):
        assert world._repr_png_().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda state: torch.cat([state, state[:1]]), r"\[cells, channels\].*draw and erase"),
        (lambda state: state[:-1], r"\[cells, channels\]"),
        (lambda state: state[:, :-1], r"\[cells, channels\]"),
        (lambda state: state[0], r"\[cells, channels\]"),
        (lambda state: state.to_sparse(), "must be dense"),
        (lambda state: state.to("meta"), "must hold values"),
        (lambda state: state + 1j, "must be real"),
        (lambda state: state.long(), "must hold floats"),
    ],
)
def test_invalid_states_are_refused(
    worlds: Worlds, changed: Callable[[torch.Tensor], torch.Tensor], message: str
) -> None:
    world = worlds([(3, 3), (4, 4)])
    with pytest.raises(ValueError, match=message):
        world.with_state(changed(world.state))


def test_with_state_accepts_arrays_and_keeps_gradients(worlds: Worlds) -> None:
    world = worlds([(3, 3)])
    given = world.state.numpy().astype(np.float64)
    held = world.with_state(given).state
    assert torch.equal(held, world.state)
    given[:] = 0.0
    assert torch.equal(held, world.state)
    live = world.state.clone().requires_grad_(True)
    assert world.with_state(live).state is live
    assert world.with_state(world.state.double()).state.dtype == torch.float64


@pytest.mark.parametrize("steps", [-1, 1.0, 0.5, True, "1", 1 << 34])
def test_with_state_refuses_negative_and_fractional_steps(worlds: Worlds, steps: Any) -> None:
    world = worlds([(3, 3)])
    with pytest.raises(ValueError, match="steps must be a whole number"):
        world.with_state(world.state, steps)
    assert (world.with_state(world.state, np.int64(3)).step - world.step).tolist() == [3]
