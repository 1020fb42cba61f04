"""One agent: state, inbox, stimulus and decision."""

import numpy as np
import pytest
import torch

from swarm_nca.engine import Stepper, rollout
from swarm_nca.links import Links
from swarm_nca.measure.cell_stats import decisions
from swarm_nca.perturbations import Loss
from swarm_nca.rules import Rule
from swarm_nca.swarm import ENGINES, Swarm
from swarm_nca.testing import tiny_world
from swarm_nca.world import World

each_engine = pytest.mark.parametrize("engine", ENGINES)


@each_engine
def test_engines_step_on_from_written_states(world: World, rule: Rule, engine: str) -> None:
    swarm = Swarm(world, rule, seed=4, engine=engine)
    swarm.step()
    agent = swarm.agent_at((1, 3))
    agent.state = 0.7
    agent.state[2] += 0.1
    swarm.agent_at((0, 1)).state = np.zeros(rule.channels)
    edited = swarm.world
    swarm.step()
    expected = rollout(edited, rule, 1, seed=4)
    torch.testing.assert_close(swarm.world.state, expected.state, rtol=0, atol=1e-12)
    row = edited.state[edited.site == 1 * 6 + 3][0]
    assert row[:4].tolist() == pytest.approx([0.7, 0.7, 0.8, 0.7])


@each_engine
def test_the_given_world_never_changes(world: World, rule: Rule, engine: str) -> None:
    before = world.state.clone()
    swarm = Swarm(world, rule, engine=engine)
    for agent in swarm.agents:
        agent.state = 9.0
    swarm.step()
    assert torch.equal(world.state, before)


@each_engine
def test_after_a_step_the_inbox_holds_its_messages(world: World, rule: Rule, engine: str) -> None:
    swarm = Swarm(world, rule, engine=engine)
    agent = swarm.agent_at((4, 1))
    assert agent.inbox == {}
    before = swarm.states.copy()
    swarm.step()
    heard = {2: (3, 2), 1: (3, 1), 3: (4, 0), 4: (4, 1), 5: (4, 2)}
    assert agent.inbox.keys() == heard.keys()
    for slot, name in heard.items():
        assert np.array_equal(agent.inbox[slot], before[swarm.agent_at(name).row])


@each_engine
def test_perceive_reads_present_states(world: World, rule: Rule, engine: str) -> None:
    swarm = Swarm(world, rule, engine=engine)
    swarm.step()
    agent, other = swarm.agent_at((1, 3)), swarm.agent_at((2, 3))
    other.state = 3.0
    assert not (agent.inbox[7] == 3.0).any()
    agent.perceive()
    assert (agent.inbox[7] == 3.0).all()
    other.state = 4.0
    assert (agent.inbox[7] == 3.0).all()


def test_engines_receive_and_lose_the_same_messages(rule: Rule) -> None:
    world = tiny_world("####\n####\n####", rule, links=Links(drop=0.4))
    swarms = [Swarm(world, rule, seed=8, engine=engine) for engine in ENGINES]
    lost = 0
    for _ in range(3):
        for swarm in swarms:
            swarm.step()
        for one, other in zip(*(swarm.rows for swarm in swarms), strict=True):
            assert one.inbox.keys() == other.inbox.keys()
            assert 4 in one.inbox
            lost += len(one.neighbors) - len(one.inbox)
            for slot, message in one.inbox.items():
                np.testing.assert_allclose(message, other.inbox[slot], rtol=0, atol=1e-12)
    messages = 3 * sum(len(agent.neighbors) - 1 for agent in swarms[0].rows)
    assert 0.3 < lost / messages < 0.5


@each_engine
def test_the_inbox_does_not_change_when_links_change_later(
    world: World, rule: Rule, engine: str
) -> None:
    swarm = Swarm(world, rule, engine=engine)
    swarm.step()
    swarm.apply(Loss(drop=1.0))
    agent = swarm.agent_at((1, 3))
    assert agent.inbox.keys() == agent.neighbors.keys()
    swarm.step()
    assert agent.inbox.keys() == {4}


def test_decide_equals_the_rule_and_changes_nothing(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    agent = swarm.agent_at((3, 1))
    north, own = np.linspace(-1, 1, rule.channels), np.linspace(0, 2, rule.channels)
    agent.inbox = {1: north, 4: torch.tensor(own)}
    before = swarm.states.copy()
    messages = torch.zeros(1, rule.slots, rule.channels, dtype=torch.float64)
    messages[0, 1], messages[0, 4] = torch.tensor(north), torch.tensor(own)
    patch = torch.tensor([[0, 0, 0.1, 0, 0.4, 1, 1, 1, 1]], dtype=torch.float64)
    assert np.allclose(agent.decide(), rule(patch, messages)[0].numpy(), rtol=0, atol=1e-14)
    assert np.array_equal(agent.decide(), agent.decide())
    assert np.array_equal(swarm.states, before)


@pytest.mark.parametrize("slot", [-1, 9, "north"])
def test_unknown_slots_are_refused(world: World, rule: Rule, slot: object) -> None:
    agent = Swarm(world, rule).rows[0]
    with pytest.raises(ValueError, match="slot must be a whole number, from 0 to 8, got"):
        agent.inbox = {slot: np.zeros(rule.channels)}  # type: ignore[dict-item]


def test_a_message_of_another_length_is_refused(world: World, rule: Rule) -> None:
    agent = Swarm(world, rule).rows[0]
    with pytest.raises(ValueError, match=r"slot 4 has the shape \(3,\).*\(19,\)"):
        agent.inbox = {4: [1.0, 2.0, 3.0]}  # type: ignore[dict-item]


def test_labels_equal_those_of_the_metrics(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    swarm.rows[3].state = -0.5
    swarm.rows[4].state = 0.0
    swarm.states[5, rule.free_channels :] = -0.5
    swarm.states[5, rule.free_channels + 7] = 2.0
    swarm.states[6, rule.free_channels + 7] = np.nan
    counted = decisions(swarm.world, rule).tolist()
    assert [-1 if a.label is None else a.label for a in swarm.rows] == counted
    assert [a.undecided for a in swarm.rows] == [decision == -1 for decision in counted]
    assert [swarm.rows[row].label for row in (3, 4, 5, 6)] == [None, 0, 7, None]


@each_engine
def test_neighbors_are_living_agents_by_slot(world: World, rule: Rule, engine: str) -> None:
    swarm = Swarm(world, rule, engine=engine)
    neighbors = swarm.agent_at((2, 3)).neighbors
    heard = {slot: agent.name for slot, agent in neighbors.items()}
    assert heard == {1: (1, 3), 4: (2, 3), 6: (3, 2)}


def test_the_stimulus_is_the_read_only_patch(world: World, rule: Rule) -> None:
    agent = Swarm(world, rule).agent_at((2, 3))
    assert agent.stimulus.tolist() == [0, 1, 0, 0.1, 1, 0, 1, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        agent.stimulus[0] = 1.0


def test_agents_fire_as_in_the_batch(world: World, rule: Rule) -> None:
    swarm, stepper = Swarm(world, rule, seed=6), Stepper(world, rule, seed=6)
    for _ in range(5):
        fires = [agent.row for agent in swarm.rows if agent.fires]
        stepper.step()
        assert fires == stepper.fired.tolist()
        swarm.step()


def test_removing_an_agent_erases_its_pixel(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    agent = swarm.agent_at((0, 2))
    agent.remove()
    assert swarm.world.picture()[0, 2] == 0.0
    assert agent not in swarm.agents
    assert not agent.alive
    assert agent.cell is None
    assert agent.neighbors == {}
    assert "dead" in repr(agent)
    agent.remove()


@pytest.mark.parametrize("part", ["state", "stimulus", "label"])
def test_the_state_of_a_dead_agent_is_refused(world: World, rule: Rule, part: str) -> None:
    swarm = Swarm(world, rule)
    agent = swarm.agent_at((0, 2))
    swarm.erase([(0, 2)])
    with pytest.raises(ValueError, match=r"the cell at \(0, 2\) has died"):
        getattr(agent, part)
    with pytest.raises(ValueError, match="has died"):
        agent.state = 0.0


def test_repr_shows_name_and_label(world: World, rule: Rule) -> None:
    agent = Swarm(world, rule).agent_at((0, 2))
    agent.state = 0.0
    agent.state[rule.free_channels + 3] = 1.0
    assert repr(agent) == "<CellAgent (0, 2): 3>"
    agent.state = -1.0
    assert repr(agent) == "<CellAgent (0, 2): undecided>"
