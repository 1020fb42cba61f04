"""The swarm: stepping, edits and refused arguments."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from swarm_nca.engine import rollout
from swarm_nca.images import strokes
from swarm_nca.links import Links
from swarm_nca.perturbations import Damage
from swarm_nca.rules import Life, Rule, load_rule, save_rule
from swarm_nca.swarm import ENGINES, Swarm
from swarm_nca.testing import tiny_world
from swarm_nca.topologies import Grid
from swarm_nca.world import World
from swarm_nca.world.fields import IN_FLIGHT

each_engine = pytest.mark.parametrize("engine", ENGINES)


def unchanged(world: World, seed: int = 0) -> World:
    """A perturbation that does nothing."""
    return world


@each_engine
def test_the_world_of_a_swarm_equals_the_rollout(world: World, rule: Rule, engine: str) -> None:
    swarm = Swarm(world, rule, seed=9, engine=engine, fire_rate=0.8, noise=0.1)
    for _ in range(12):
        swarm.step()
    expected = rollout(world, rule, 12, seed=9, fire_rate=0.8, noise=0.1)
    torch.testing.assert_close(swarm.world.state, expected.state, rtol=0, atol=1e-11)
    assert swarm.world.step.tolist() == [15]
    assert (swarm.steps, swarm.now) == (12, 15)


def test_a_swarm_in_bfloat16_equals_the_rollout_and_stays_so_after_edits() -> None:
    rule = load_rule("digits")
    world = World.from_images(strokes(1, 8).grey, rule)
    swarm = Swarm(world, rule, seed=9, precision="bfloat16")
    drawn = world.draw(torch.tensor([0, 1]), 1.0)
    for start in (world, drawn):
        for _ in range(5):
            swarm.step()
        expected = rollout(start, rule, 5, seed=9, precision="bfloat16").state
        assert torch.equal(swarm.world.state, expected)
        assert not torch.equal(expected, rollout(start, rule, 5, seed=9).state)
        swarm.world = drawn


@each_engine
def test_each_engine_has_the_precision_of_the_states(engine: str) -> None:
    rule = load_rule("digits")
    world = World.from_images(strokes(1, 8).grey, rule)
    named, usual = (Swarm(world, rule, 9, engine, precision=each) for each in ("float32", None))
    for swarm in (named, usual):
        swarm.step()
    assert torch.equal(named.world.state, usual.world.state)


def test_messages_under_way_are_read_once_a_step_and_equal_those_of_the_world(
    world: World, rule: Rule
) -> None:
    late = replace(world, links=Links(delay=2))
    swarm = Swarm(late, rule, engine="batched")
    for _ in range(4):
        swarm.step()
        held = swarm.held(IN_FLIGHT)
        assert np.shares_memory(held, swarm.held(IN_FLIGHT))
        np.testing.assert_array_equal(held, swarm.world.cell_fields[IN_FLIGHT].numpy())


def test_a_read_world_does_not_change_in_later_steps(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    moment = swarm.world
    state = moment.state.clone()
    swarm.step()
    assert torch.equal(moment.state, state)
    assert not torch.equal(swarm.world.state, state)


@each_engine
def test_drawing_and_erasing_do_not_change_other_agents(
    world: World, rule: Rule, engine: str
) -> None:
    swarm = Swarm(world, rule, engine=engine)
    swarm.step()
    before = {agent.site: (agent, agent.unique_id, agent.state.copy()) for agent in swarm.agents}
    swarm.draw([(0, 0), (2, 2), (0, 0)])
    swarm.erase([(4, 3)])
    newborn = {swarm.agent_at((0, 0)), swarm.agent_at((2, 2))}
    assert len(swarm.agents) == len(swarm.rows) == len(before) + 1
    for agent in swarm.agents:
        if agent in newborn:
            assert not agent.state.any()
            assert agent.inbox == {}
        else:
            same, number, state = before[agent.site]
            assert agent is same
            assert agent.unique_id == number
            assert np.array_equal(agent.state, state)
    assert len({agent.unique_id for agent in swarm.agents}) == len(swarm.agents)
    edited = swarm.world
    assert [agent.site for agent in swarm.rows] == edited.site.tolist()
    swarm.step()
    expected = rollout(edited, rule, 1)
    torch.testing.assert_close(swarm.world.state, expected.state, rtol=0, atol=1e-12)


def test_faint_grey_is_stimulus_and_becomes_an_agent_above_the_threshold(
    world: World, rule: Rule
) -> None:
    swarm = Swarm(world, rule)
    neighbor = swarm.agent_at((0, 1))
    swarm.draw([(0, 0)], grey=0.06)
    assert swarm.living((0, 0)) is None
    assert neighbor.stimulus[3] == pytest.approx(0.06)
    swarm.draw([(0, 0)], grey=0.06)
    assert swarm.agent_at((0, 0)).stimulus[4] == pytest.approx(0.12)


@each_engine
def test_perturbations_act_after_the_measurement_of_their_step(
    world: World, rule: Rule, engine: str
) -> None:
    erase = Damage(at=2, shape="rectangle", corner=(3, 0), size=(2, 6), target="pixels")
    counts = {"cells": lambda swarm: len(swarm.agents)}
    swarm = Swarm(world, rule, 0, engine, [erase], model_reporters=counts)
    for _ in range(4):
        swarm.step()
    assert swarm.datacollector.model_vars["cells"] == [11, 11, 11, 5, 5]
    expected = rollout(erase(rollout(world, rule, 2)), rule, 2)
    torch.testing.assert_close(swarm.world.state, expected.state, rtol=0, atol=1e-12)


def test_a_perturbation_at_zero_acts_after_row_zero(world: World, rule: Rule) -> None:
    zero = Damage(at=0, shape="rectangle", corner=(0, 0), size=(5, 6))
    size = {"size": lambda swarm: float(np.abs(swarm.states).sum())}
    swarm = Swarm(world, rule, perturbations=[zero], noise=0.0, fire_rate=0.0, model_reporters=size)
    swarm.step()
    assert swarm.datacollector.model_vars["size"] == [float(world.state.abs().sum()), 0.0]


def test_perturbations_of_one_step_act_in_order_with_the_seed(world: World, rule: Rule) -> None:
    calls: list[tuple[str, int, list[int]]] = []

    def note(name: str, seed: int, moment: World) -> World:
        calls.append((name, seed, moment.step.tolist()))
        return moment

    swarm = Swarm(
        world,
        rule,
        seed=5,
        perturbations=[
            (1, lambda moment, seed: note("second", seed, moment)),
            (0, lambda moment, seed: note("first", seed, moment)),
            (1, lambda moment, seed: note("third", seed, moment)),
        ],
    )
    for _ in range(3):
        swarm.step()
    assert calls == [("first", 5, [3]), ("second", 5, [4]), ("third", 5, [4])]


def test_a_mutation_keeps_agents_of_surviving_cells(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    before = {agent.name: agent for agent in swarm.agents}
    swarm.apply(lambda moment, seed: moment.repictured(world.picture().flip(1)[None]))
    after = {agent.name: agent for agent in swarm.agents}
    assert after.keys() != before.keys()
    assert all(after[name] is before[name] for name in after.keys() & before.keys())


def test_an_earlier_world_can_be_assigned(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    swarm.step()
    moment, agent = swarm.world, swarm.agent_at((1, 0))
    swarm.step()
    later = swarm.world
    swarm.world = moment
    assert swarm.now == 4
    assert swarm.agent_at((1, 0)) is agent
    assert agent.inbox == {}
    swarm.step()
    assert torch.equal(swarm.world.state, later.state)


def test_a_swarm_can_live_on_a_graph(rule: Rule) -> None:
    import networkx as nx

    from swarm_nca.topologies import number_slots

    graph = number_slots(nx.path_graph(["a", "b", "c", "d"]))
    swarm = Swarm(World.from_graph(graph, rule), rule)
    agent = swarm.agent_at("b")
    assert {slot: other.name for slot, other in agent.neighbors.items()} == {
        0: "a",
        1: "c",
        4: "b",
    }
    swarm.erase(["c"])
    assert [other.name for other in agent.neighbors.values()] == ["a", "b"]
    assert agent is swarm.agent_at("b")
    with pytest.raises(ValueError, match="no node 'e'"):
        swarm.agent_at("e")
    with pytest.raises(ValueError, match="is on a graph"):
        swarm.draw(["c"])  # type: ignore[list-item]


def test_a_swarm_without_agents_runs_and_can_be_drawn_on(rule: Rule) -> None:
    swarm = Swarm(tiny_world("....\n....", rule), rule)
    swarm.step()
    swarm.draw([(1, 1)])
    swarm.step()
    assert [agent.name for agent in swarm.agents] == [(1, 1)]


def test_a_rule_can_be_given_by_its_file(world: World, rule: Rule, tmp_path: Path) -> None:
    swarm = Swarm(world, save_rule(rule, tmp_path / "mine.safetensors"))
    assert swarm.rule.hash() == rule.hash()


def test_without_a_seed_swarms_differ(world: World, rule: Rule) -> None:
    first, second = Swarm(world, rule, seed=None), Swarm(world, rule, seed=None)
    assert first.seed != second.seed
    for swarm in (first, again := Swarm(world, rule, seed=first.seed)):
        swarm.step()
    assert np.array_equal(first.states, again.states)


def test_a_copy_keeps_agents_and_states_together(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    swarm.step()
    other = copy.deepcopy(swarm)
    for one in (swarm, other):
        one.step()
    assert torch.equal(swarm.world.state, other.world.state)
    other.agent_at((1, 0)).state = 7.0
    assert (other.world.state == 7.0).any()
    assert not (swarm.world.state == 7.0).any()


def test_until_ends_running(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule, until=lambda model: model.now >= 8)
    swarm.run_model()
    assert not swarm.running
    assert swarm.steps == 5


def test_a_world_made_in_inference_mode_is_accepted(rule: Rule) -> None:
    with torch.inference_mode():
        world = tiny_world("##\n##", rule)
        world = world.with_state(world.state + 1.0)
    for engine in ENGINES:
        swarm = Swarm(world, rule, engine=engine)
        swarm.agent_at((0, 0)).state = 2.0
        swarm.step()
        assert not swarm.world.state.is_inference()


class TestRefusals:
    def test_a_batch(self, world: World, rule: Rule) -> None:
        with pytest.raises(ValueError, match=r"one world, got a batch of 2; take one with world"):
            Swarm(World.join([world, world]), rule)

    def test_an_unknown_engine(self, world: World, rule: Rule) -> None:
        with pytest.raises(ValueError, match=r"got 'agent' \(did you mean 'agents'\?\)"):
            Swarm(world, rule, engine="agent")

    @pytest.mark.parametrize(
        ("engine", "precision", "message"),
        [
            ("agents", "bfloat16", "agents have the precision of their states, got 'bfloat16'"),
            ("batched", "bfloat61", r"did you mean 'bfloat16'\?"),
        ],
    )
    def test_a_precision(self, rule: Rule, engine: str, precision: str, message: str) -> None:
        world = World.from_images(torch.ones(1, 3, 3), rule.float())
        with pytest.raises(ValueError, match=message):
            Swarm(world, rule, engine=engine, precision=precision)

    def test_a_precision_for_a_rule_without_products(self) -> None:
        world = World.from_images(torch.ones(1, 3, 3), Life())
        with pytest.raises(ValueError, match="'life' has none: leave precision out"):
            Swarm(world, Life(), precision="bfloat16")

    def test_a_rule_of_another_dtype(self, world: World, rule: Rule) -> None:
        for engine in ENGINES:
            with pytest.raises(ValueError, match=r"torch.float64, the rule's weights are"):
                Swarm(world, copy.deepcopy(rule).float(), engine=engine)

    def test_half_precision(self, world: World, rule: Rule) -> None:
        with pytest.raises(ValueError, match=r"torch.bfloat16 on cpu; use world.to"):
            Swarm(world.to(dtype=torch.bfloat16), copy.deepcopy(rule).bfloat16())

    @pytest.mark.parametrize(
        ("at", "message"),
        [
            (-1, "at must be a whole number, 0 or more, got -1"),
            (1.5, "at must be a whole number, 0 or more, got 1.5"),
            (None, "a perturbation has a step `at`, 0 or more"),
        ],
    )
    def test_a_perturbation_without_its_step(
        self, world: World, rule: Rule, at: int, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            Swarm(world, rule, perturbations=[(at, unchanged)])

    def test_a_perturbation_without_a_time(self, world: World, rule: Rule) -> None:
        with pytest.raises(ValueError, match="or a pair"):
            Swarm(world, rule, perturbations=[unchanged])  # type: ignore[list-item]

    def test_a_seed_out_of_range(self, world: World, rule: Rule) -> None:
        with pytest.raises(ValueError, match="seed must be a whole number"):
            Swarm(world, rule, seed=1 << 64)

    def test_another_world(self, world: World, rule: Rule) -> None:
        swarm = Swarm(world, rule)
        for other in (
            tiny_world("###", rule, key=77),
            World.from_images(world.picture()[None], rule, keys=[78]),
            World.from_images(world.picture()[None], rule, keys=[77], grid=Grid("von_neumann")),
        ):
            with pytest.raises(ValueError, match="start another Swarm for another world"):
                swarm.world = other

    def test_a_place_without_an_agent(self, world: World, rule: Rule) -> None:
        with pytest.raises(ValueError, match=r"no agent lives at \(2, 2\)"):
            Swarm(world, rule).agent_at((2, 2))

    @pytest.mark.parametrize("name", [(5, 0), (0, -1), 3, "a", (1, 2, 3), (1.0, 2.0)])
    def test_an_unknown_place(self, world: World, rule: Rule, name: object) -> None:
        with pytest.raises(ValueError, match=r"from \(0, 0\) to \(4, 5\)"):
            Swarm(world, rule).agent_at(name)
