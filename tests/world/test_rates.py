"""Fire rate and noise of a world are kept by all operations and used by all engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch

from swarm_nca.engine import Stepper, rates_of, rollout, step, trajectory
from swarm_nca.images import strokes
from swarm_nca.measure.dense import Dense
from swarm_nca.perturbations import Rates
from swarm_nca.rules import Rule
from swarm_nca.swarm import Swarm
from swarm_nca.topologies import number_slots
from swarm_nca.world import World

BusyRule = Callable[..., Rule]


@pytest.fixture
def busy(busy_rule: BusyRule) -> Rule:
    return busy_rule(fire_rate=0.3, noise=0.5)


@pytest.fixture
def world(busy: Rule) -> World:
    """Two digits with fire rate 1 and no noise."""
    return World.from_images(strokes(2, seed=4, size=14).grey, busy, fire_rate=1.0, noise=0.0)


@pytest.mark.parametrize(
    ("given", "own", "used"),
    [
        ((None, None), (None, None), (0.3, 0.5)),
        ((None, None), (0.9, None), (0.9, 0.5)),
        ((None, None), (None, 0.0), (0.3, 0.0)),
        ((0.2, None), (0.9, 0.1), (0.2, 0.1)),
        ((0.0, 0.0), (0.9, 0.1), (0.0, 0.0)),
    ],
)
def test_arguments_override_the_world_and_the_world_overrides_the_rule(
    busy: Rule, given: Any, own: Any, used: Any
) -> None:
    world = World.from_images(np.ones((1, 2, 2)), busy, fire_rate=own[0], noise=own[1])
    assert rates_of(world, busy, *given) == used


def test_every_engine_uses_the_rates_of_the_world(busy: Rule, world: World) -> None:
    plain = replace(world, fire_rate=None, noise=None)
    expected = rollout(plain, busy, 3, seed=1, fire_rate=1.0, noise=0.0).state
    assert not torch.equal(rollout(plain, busy, 3, seed=1).state, expected)
    assert torch.equal(rollout(world, busy, 3, seed=1).state, expected)
    assert torch.equal([*trajectory(world, busy, 3, seed=1)][-1].state, expected)
    assert torch.equal(step(rollout(world, busy, 2, seed=1), busy, seed=1).state, expected)
    every = Stepper(world, busy)
    every.step()
    assert len(every.fired) == world.cells
    dense = Dense(world, busy, seed=1)
    for _ in range(3):
        dense.step()
    assert torch.allclose(dense.state, expected, atol=1e-5)
    learning = world.with_state(world.state.clone().requires_grad_(True))
    assert torch.allclose(rollout(learning, busy, 3, seed=1).state, expected, atol=1e-5)


@pytest.mark.parametrize("engine", ["batched", "agents"])
def test_a_swarm_uses_the_rates_of_its_world_and_of_a_new_world(
    busy: Rule, world: World, engine: str
) -> None:
    alone = world[0]
    swarm = Swarm(alone, busy, engine=engine, model_reporters={})
    assert (swarm.fire_rate, swarm.noise) == (1.0, 0.0)
    swarm.step()
    assert np.allclose(swarm.states, rollout(alone, busy, 1).state, atol=1e-5)
    assert (swarm.world.fire_rate, swarm.world.noise) == (1.0, 0.0)
    before = swarm.states.copy()
    swarm.world = replace(swarm.world, fire_rate=0.0)
    swarm.step()
    assert (swarm.states == before).all()
    overridden = Swarm(
        alone, busy, engine=engine, fire_rate=0.25, perturbations=[Rates(at=1, noise=0.125)]
    )
    overridden.step()
    assert (overridden.fire_rate, overridden.noise) == (0.25, 0.0)
    overridden.step()
    assert (overridden.fire_rate, overridden.noise) == (0.25, 0.125)
    overridden.apply(Rates(fire_rate=0.0))
    before = overridden.states.copy()
    overridden.step()
    assert overridden.world.fire_rate == overridden.fire_rate == 0.0
    assert (overridden.states == before).all()


def test_rates_survive_all_operations_on_a_world(busy: Rule, world: World) -> None:
    pictures = strokes(2, seed=9, size=14).grey
    after = [
        world[1],
        world.select([1, 0, 1]),
        World.join(world.split()),
        world.draw(torch.tensor([0, 1]), 1.0),
        world.erase(world.site[:3]),
        world.repictured(pictures),
        world.restarted("random"),
        world.relabeled([1, 2]),
        world.to(dtype=torch.float64),
        rollout(world, busy, 1),
    ]
    graph = number_slots(nx.path_graph(4))
    on_graph = World.from_graph(graph, busy, fire_rate=1.0, noise=0.0)
    after += [on_graph, on_graph.erase(torch.tensor([1]))]
    assert {(one.fire_rate, one.noise) for one in after} == {(1.0, 0.0)}


@pytest.mark.parametrize("wrong", [{"fire_rate": 1.5}, {"fire_rate": -0.1}, {"noise": -1.0}])
def test_rates_out_of_range_are_refused(busy: Rule, world: World, wrong: Any) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}.*{next(iter(wrong.values()))}"):
        World.from_images(np.ones((1, 2, 2)), busy, **wrong)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(world, **wrong)
