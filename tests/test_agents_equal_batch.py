"""Agents stepped one by one, in any order, have the same states as the batch.

One engine follows the edges of the networkx graph and applies the rule to one agent at a time; the
other gathers through an index table. The tests compare them, the differentiable rollout and the
hand-written gradient for every rule family, kind of links and space.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from swarm_nca.bptt import bptt, refuses
from swarm_nca.engine import draws_of, rates_of, rollout, step
from swarm_nca.images import strokes
from swarm_nca.links import Links
from swarm_nca.rules import Classes, Elementary, Field, Largest, Life, Mlp, Quantized, Rule
from swarm_nca.swarm import Swarm
from swarm_nca.testing import assert_same_trajectory
from swarm_nca.topologies import Grid, number_slots
from swarm_nca.world import World
from swarm_nca.world.faults import Fault, with_fault


def busy_rule(dtype: torch.dtype = torch.float64, **others: Any) -> Rule:
    """An untrained rule with random output weights, so that cells change."""
    generator = torch.Generator().manual_seed(11)
    rule = Mlp(generator=generator, **others)
    torch.nn.init.normal_(rule.output, std=0.02, generator=generator)
    return rule.to(dtype).requires_grad_(False)


def growing() -> Rule:
    """An untrained rule of growing patterns, under which some cells are born and some die."""
    generator = torch.Generator().manual_seed(16)
    rule = Mlp.growing(hidden=(8,), noise=0.02, generator=generator)
    torch.nn.init.normal_(rule.output, std=0.3, generator=generator)
    torch.nn.init.constant_(rule.output_bias[3:4], -0.05)
    return rule.double().requires_grad_(False)


class Embers(Rule):
    """A user-defined family that replaces states, senses, and lives by two of three channels."""

    kind = "embers"
    update = "replace"

    def __init__(self) -> None:
        super().__init__(Field(("heat",)), channels=3, fire_rate=0.7, noise=0.05)

    def change(self, prepared: Tensor, messages: Tensor) -> Tensor:
        heard, own = messages.mean(dim=1), messages[:, 4]
        fuel = 0.9 * own[:, :1] + 0.2 * prepared[:, 4:5]
        heat = (3.0 * (heard[:, 1:2] + own[:, 2:] + fuel)).sin()
        return torch.cat([fuel, heard[:, :1].tanh(), heat], dim=1)

    def lives(self, state: Tensor, largest: Largest) -> Tensor:
        return (largest(state[:, 0]) > 0.05) & (largest(state[:, 2]) > 0.2)

    def settings(self) -> dict[str, Any]:
        return {}


def with_past(world: World, seed: int) -> World:
    """The world at a later step, with random states of about a third."""
    return world.with_state(world.restarted("random", seed).state / 3.0, steps=seed % 7)


FAMILIES: dict[str, Callable[[], Rule]] = {
    "slots": lambda: busy_rule(
        classes=Classes.named("left", "right"), hidden=(8,), free_channels=3
    ),
    "bits": lambda: (
        Quantized(
            hidden=(8, 6),
            free_channels=2,
            hearing="dyadic",
            filters=("ste_sign", "ternary", "int4"),
            scales="both",
            generator=torch.Generator().manual_seed(12),
        )
        .double()
        .requires_grad_(False)
    ),
    "ring": lambda: busy_rule(hidden=(8, 6), free_channels=2, hearing="ring"),
    "growing": growing,
    "life": lambda: Life("B1357/S02468").double(),
    "elementary": lambda: Elementary(105).double(),
    "own": lambda: Embers().double(),
}
GRIDS_AND_GRAPH = {
    "moore": Grid(),
    "torus": Grid(torus=True),
    "von-neumann": Grid("von_neumann"),
    "von-neumann-torus": Grid("von_neumann", torus=True),
    "hexagonal": Grid("hexagonal"),
    "hexagonal-torus": Grid("hexagonal", torus=True),
    "triangular": Grid("triangular"),
    "graph": None,
}
LINKS = {"perfect": Links(), "lossy": Links(drop=0.3)}
MORE_LINKS = {
    "repeating": Links(0.4, on_loss="last"),
    "late": Links(delay=2),
    "sometimes-late": Links(delay=(0, 3)),
    "bytes": Links(bits=8, range=1.27),
    "bits": Links(bits=1, range=0.5),
    "all": Links(0.2, on_loss="last", delay=(1, 4), bits=3, range=1.0),
}
FAULTS = {
    "sound": None,
    "silent": Fault.SILENT,
    "frozen": Fault.FROZEN,
    "stuck": Fault.STUCK,
    "lying": Fault.LYING,
}


def placed(rule: Rule, grid: Grid | None, links: Links) -> World:
    """A small world at a later step; a third of its cells hold zeros."""
    random = np.random.default_rng(1)
    if grid is None:
        graph = number_slots(nx.random_regular_graph(4, 15, seed=2), slots=rule.slots)
        sensed = random.random((15, rule.stimulus_size))
        world = World.from_graph(graph, rule, stimulus=sensed, key=9, links=links)
    else:
        grey = random.random((4, 5)) * (random.random((4, 5)) < 0.9)
        world = World.from_images([grey], rule, keys=[12], grid=grid, links=links)
    world = with_past(world, 5)
    if rule.kind in ("life", "elementary"):
        return world.with_state((world.state > 0.1).double())
    return world.with_state(world.state.masked_fill(world.site[:, None] < 7, 0.0))


CASES = [("slots", links, fault) for links in ("perfect", *MORE_LINKS) for fault in FAULTS]
CASES += [("growing", "all", fault) for fault in FAULTS]


@pytest.mark.parametrize(("family", "link", "broken"), CASES, ids=map("-".join, CASES))
def test_agents_equal_the_batch_under_every_fault_of_links_and_cells(
    family: str, link: str, broken: str
) -> None:
    rule, steps, seed = FAMILIES[family](), 16, 3
    links, fault = (LINKS | MORE_LINKS)[link], FAULTS[broken]
    grid = GRIDS_AND_GRAPH["graph" if broken in ("sound", "stuck") else "moore"]
    world = sound = placed(rule, grid, links)
    if fault is not None:
        rows = torch.arange(0, world.cells, 3)
        world = with_fault(world, rows, fault, torch.full((len(rows), rule.channels), 0.4))
        if fault is Fault.STUCK:  # several faults of one cell
            world = with_fault(world, rows[:2], Fault.SILENT)
    assert_same_trajectory(world, rule, steps, seed)
    end = rollout(world, rule, steps, seed)
    half = rollout(rollout(world, rule, 7, seed), rule, steps - 7, seed)
    torch.testing.assert_close(half.state, end.state, rtol=0, atol=1e-12)
    grown = world.with_state(world.state.clone().requires_grad_())
    recorded = rollout(grown, rule, steps, seed)
    torch.testing.assert_close(recorded.state.detach(), end.state, rtol=0, atol=1e-9)
    for name, kept in end.cell_fields.items():
        torch.testing.assert_close(recorded.cell_fields[name].detach(), kept)
    if fault is not None or links != Links():
        assert not torch.equal(end.state, rollout(bare(sound), rule, steps, seed).state)


def bare(world: World) -> World:
    return replace(world, links=Links())


@pytest.mark.parametrize("links", LINKS.values(), ids=LINKS)
@pytest.mark.parametrize("grid", GRIDS_AND_GRAPH.values(), ids=GRIDS_AND_GRAPH)
@pytest.mark.parametrize("family", FAMILIES)
def test_all_engines_and_gradients_give_the_same_states(
    family: str, grid: Grid | None, links: Links
) -> None:
    rule, steps, seed = FAMILIES[family](), 12, 8
    world = placed(rule, grid, links)
    assert_same_trajectory(world, rule, steps, seed)
    # If the state requires gradients, `step` takes the differentiable path.
    recorded = world.with_state(world.state.clone().requires_grad_())
    swarm = Swarm(world, rule, seed, model_reporters={})
    seen = [world.state]
    for _ in range(steps):
        recorded = step(recorded, rule, seed)
        swarm.step()
        assert recorded.state.requires_grad or rule.update == "replace"
        torch.testing.assert_close(recorded.state, swarm.world.state, rtol=0, atol=1e-9)
        seen.append(swarm.world.state)
    if refuses(rule) is None:
        by_hand = bptt(world, rule, steps, draws_of(world, seed), *rates_of(world, rule))
        torch.testing.assert_close(by_hand, seen[-1], rtol=0, atol=1e-9)
    alive = [rule.lives(state, world.largest) for state in seen]
    if alive[0] is not None:
        births_and_deaths = torch.stack([one.int() for one in alive if one is not None]).diff(dim=0)
        assert (births_and_deaths == 1).any(), "some cells are born"
        assert (births_and_deaths == -1).any(), "some cells die"
    changes = torch.stack(seen).diff(dim=0).abs().amax(dim=2)
    assert (changes > 0).any(dim=1).sum() > steps // 2, "cells change in most steps"


RATES = {"sleepy": (0.1, None), "all-at-once": (1.0, 0.0), "noisy": (None, 0.3)}


@pytest.mark.parametrize(("fire_rate", "noise"), RATES.values(), ids=RATES)
def test_agents_equal_the_batch_at_fire_rate_and_noise_of_the_world(
    fire_rate: float | None, noise: float | None
) -> None:
    rule = busy_rule()
    grey = np.asarray(strokes(1, seed=6, size=14).grey)
    world = World.from_images(grey, rule, fire_rate=fire_rate, noise=noise, links=Links(0.1))
    assert_same_trajectory(with_past(world, 5), rule, steps=12, seed=8)


def test_agents_equal_the_batch_in_single_precision() -> None:
    rule = busy_rule(torch.float32)
    world = World.from_images(np.asarray(strokes(1, seed=4, size=14).grey), rule)
    assert_same_trajectory(world, rule, steps=12, seed=1)


GRIDS = [grid for grid in GRIDS_AND_GRAPH.values() if grid is not None]


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(3, 6),
    width=st.integers(3, 6),
    share=st.floats(0.0, 1.0),
    grid=st.sampled_from(GRIDS),
    drop=st.sampled_from([0.0, 0.5, 1.0]),
    fire_rate=st.none() | st.floats(0.0, 1.0),
    noise=st.none() | st.floats(0.0, 2.0),
    seed=st.integers(0, 2**64 - 1),
    key=st.integers(0, 2**32 - 1),
)
def test_agents_equal_the_batch_on_any_picture(
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
    assume(grid.fits(height, width) is None)
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
    assert_same_trajectory(with_past(world, key % 5), rule, steps=3, seed=seed)


@settings(max_examples=25, deadline=None)
@given(
    nodes=st.integers(1, 12),
    edges=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(0, 4))),
    seed=st.integers(0, 2**64 - 1),
    gone=st.sets(st.integers(0, 11)),
)
def test_agents_equal_the_batch_on_any_graph(
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
    assert_same_trajectory(with_past(world, 2).erase(dead), rule, steps=3, seed=seed)
