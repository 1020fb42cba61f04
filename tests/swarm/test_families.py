"""Agents of rules without classes: bits, colours, cells that live and die."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from mesa.batchrunner import batch_run
from torch import Tensor

from swarm_nca.engine import rollout
from swarm_nca.rules import Bit, Elementary, Field, Largest, Life, Mlp, Rule
from swarm_nca.simulation import Planned, Simulation
from swarm_nca.swarm import ENGINES, Swarm, SwarmBatch
from swarm_nca.testing import inbox, lone_agent, tiny_world
from swarm_nca.topologies import Grid
from swarm_nca.world import World

GLIDER = """
    .#......
    ..#.....
    ###.....
    ........
    ........
    ........
    ........
    ........
    """
Cells = set[tuple[int, int]]

each_engine = pytest.mark.parametrize("engine", ENGINES)


def next_cells(cells: Cells, side: int) -> Cells:
    """One step of Game of Life on a torus, on sets."""
    steps = [step for step in itertools.product((-1, 0, 1), repeat=2) if any(step)]
    heard = [((r + i) % side, (c + j) % side) for r, c in cells for i, j in steps]
    count = {place: heard.count(place) for place in set(heard)}
    return {place for place, n in count.items() if n == 3 or (n == 2 and place in cells)}


def growing(side: int = 5) -> tuple[Mlp, World]:
    """A rule that changes nothing, and a board with a sprout in the middle."""
    rule = Mlp.growing(hidden=(4,), fire_rate=1.0).double().requires_grad_(False)
    grey = np.zeros((side, side))
    grey[side // 2, side // 2] = 1.0
    return rule, World.from_images([grey], rule)


@each_engine
def test_a_glider_of_agents_equals_the_oracle(engine: str) -> None:
    life = Life()
    swarm = Swarm(tiny_world(GLIDER, life, grid=Grid(torus=True)), life, engine=engine)
    cells = {(0, 1), (1, 2), (2, 0), (2, 1), (2, 2)}
    for _ in range(33):
        assert {agent.name for agent in swarm.agents if agent.shown} == cells
        swarm.agents.shuffle(inplace=True)
        swarm.step()
        cells = next_cells(cells, 8)
    assert swarm.acted.tolist() == list(range(64))


def test_a_dead_agent_of_life_with_three_neighbours_is_born() -> None:
    agent = lone_agent(Life())
    on, off = [1.0], [0.0]
    agent.inbox = inbox(own=off, north=on, east=on, south_west=on)
    assert agent.decide().tolist() == [1.0]
    agent.inbox = inbox(own=on, north=on)
    assert agent.decide().tolist() == [0.0]
    assert agent.shown is False
    agent.inbox = inbox(own=off, north=on, east=on, south_west=on)
    assert agent.update()
    assert agent.state.tolist() == [1.0]
    assert agent.shown is True


@pytest.mark.parametrize("own", [0.0, 1.0])
@pytest.mark.parametrize("left", [0.0, 1.0])
@pytest.mark.parametrize("right", [0.0, 1.0])
def test_an_agent_of_rule_110_uses_its_row(left: float, own: float, right: float) -> None:
    agent = lone_agent(Elementary(110))
    agent.inbox = inbox(west=[left], own=[own], east=[right], north=[1.0])
    assert agent.decide()[0] == 110 >> int(4 * left + 2 * own + right) & 1


def test_shown_equals_the_read_out() -> None:
    life = lone_agent(Life(), state=[1.0])
    assert (life.shown, repr(life)) == (True, "<CellAgent 'alone': on>")
    life.state = 0.0
    assert (life.shown, repr(life)) == (False, "<CellAgent 'alone': off>")
    rule, world = growing()
    middle, corner = (Swarm(world, rule).agent_at(name) for name in ((2, 2), (0, 0)))
    assert middle.shown.tolist() == [0, 0, 0, 1]
    assert repr(middle) == "<CellAgent (2, 2): alive>"
    assert repr(corner) == "<CellAgent (0, 0): dead>"
    assert lone_agent(Mlp(), state=np.arange(19.0)).shown == 9


@pytest.mark.parametrize("name", ["label", "undecided"])
def test_labels_are_refused_without_classes(name: str) -> None:
    agent = lone_agent(Life())
    with pytest.raises(ValueError, match="no classes: its read-out is 'bit'"):
        getattr(agent, name)


@each_engine
def test_alive_follows_the_rule(engine: str) -> None:
    rule, world = growing()
    swarm = Swarm(world, rule, engine=engine)
    near = {(row, column) for row in (1, 2, 3) for column in (1, 2, 3)}
    assert swarm.mortal
    assert all(agent.present for agent in swarm.agents)
    assert {agent.name for agent in swarm.agents if agent.alive} == near
    assert {agent.name for agent in swarm.agents if agent.fires} == near
    swarm.step()
    assert {swarm.rows[row].name for row in swarm.acted.tolist()} == near
    swarm.agent_at((2, 2)).state = 0.0
    assert not any(agent.alive for agent in swarm.agents)


@each_engine
def test_dead_cells_hold_zeros_after_a_step_and_erased_ones_immediately(engine: str) -> None:
    rule, world = growing()
    swarm = Swarm(world, rule, engine=engine)
    corner, middle = swarm.agent_at((0, 0)), swarm.agent_at((2, 2))
    corner.state[5] = 3.0
    swarm.step()
    assert not corner.state.any()
    assert middle.state.any()
    middle.remove()
    assert middle is swarm.agent_at((2, 2))
    assert not middle.state.any()


class Distant(Rule):
    """A rule whose cells live by the states of their neighbours' neighbours."""

    kind = "distant"

    def __init__(self) -> None:
        super().__init__(Field(), channels=1, stimulus_size=0)

    def change(self, prepared: Tensor, messages: Tensor) -> Tensor:
        return torch.zeros_like(messages[:, 0])

    def lives(self, state: Tensor, largest: Largest) -> Tensor:
        return largest(largest(state[:, 0])) > 0.5

    def settings(self) -> dict[str, Any]:
        return {}


def test_rules_that_need_distant_states_are_refused() -> None:
    rule = Distant()
    swarm = Swarm(World.from_images([np.ones((3, 3))], rule), rule, engine="agents")
    with pytest.raises(ValueError, match="an agent has only the states of its neighbours"):
        swarm.step()


def test_reporters_of_bits_work_in_batch_runs() -> None:
    life = Life()
    boards = World.from_images([np.ones((1, 3)), np.ones((3, 3))], life)
    options: dict[str, Any] = {"world": boards, "rule": life, "engine": list(ENGINES)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = batch_run(
            Swarm,
            options,
            max_steps=1,
            data_collection_period=1,
            number_processes=1,
            display_progress=False,
        )
    table = pd.DataFrame(rows)
    on = table.groupby(["iteration", "engine", "RunId"])["state_magnitude"].apply(list).tolist()
    row, square = [1.0, pytest.approx(1 / 3)], [1.0, pytest.approx(4 / 9)]
    assert sorted(on, key=str) == sorted([row, square, row, square], key=str)
    assert table["residual_magnitude"].notna().sum() == 4


@pytest.mark.parametrize("family", ["life", "growing", "mlp"])
def test_swarm_batch_equals_the_batched_backend(family: str) -> None:
    rule: Rule = Life() if family == "life" else Mlp(hidden=(5,))
    if family == "growing":
        rule, _ = growing()
    random = np.random.default_rng(3)
    worlds = World.from_images([random.random((3, 4)), random.random((4, 3))], rule)
    for rate in (None, 0.5):
        start = World.join([worlds, worlds[0]]) if rate is None else worlds
        batched = Simulation(start, rule, 4)
        agents = Simulation(start, rule, 4, Planned(), SwarmBatch)
        for _ in range(3):
            one, other = batched.advance(), agents.advance()
            assert torch.equal(batched.fired, agents.fired)
            torch.testing.assert_close(one.world.state, other.world.state, rtol=0, atol=1e-5)
    assert torch.equal(agents.backend.state, agents.world.state)


def test_a_batched_swarm_of_bits_equals_the_rollout() -> None:
    life = Life("B36/S23")
    world = tiny_world(GLIDER, life)
    swarm = Swarm(world, life)
    assert isinstance(life.readout, Bit)
    swarm.step()
    swarm.step()
    assert torch.equal(swarm.world.state, rollout(world, life, 2).state)
