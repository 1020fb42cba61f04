"""Tests of single agents: copy this file, change the rule and the questions."""

import numpy as np
import pytest

import swarm_nca as sn
from swarm_nca.testing import assert_same_trajectory, inbox, lone_agent, saying, tiny_world

SEVEN = """
    .........
    .#######.
    ......##.
    .....##..
    .....##..
    ....##...
    ....##...
    ...##....
    .........
    """


@pytest.fixture(scope="module")
def rule() -> sn.Rule:
    return sn.load_rule("digits")


def test_an_agent_answers_the_same_inbox_with_the_same_change(rule):
    agent = lone_agent(rule)
    agent.inbox = inbox(own=agent.state, north=saying(rule, "2"))
    assert np.array_equal(agent.decide(), agent.decide())


def test_an_agent_knows_from_where_it_was_told(rule):
    agent = lone_agent(rule)
    agent.inbox = inbox(own=agent.state, north=saying(rule, "2"))
    from_north = agent.decide()
    agent.inbox = inbox(own=agent.state, south=saying(rule, "2"))
    assert not np.allclose(from_north, agent.decide())


def test_an_agent_hears_its_neighbours_and_nobody_else(rule):
    swarm = sn.Swarm(tiny_world(SEVEN, rule), rule)
    agent = swarm.agent_at((2, 6))
    swarm.agent_at((1, 7)).state = saying(rule, "3")
    swarm.agent_at((7, 3)).state = saying(rule, "4")
    agent.perceive()
    assert np.array_equal(agent.inbox[2], saying(rule, "3"))
    assert not any(np.array_equal(heard, saying(rule, "4")) for heard in agent.inbox.values())


def test_an_erased_neighbour_falls_silent(rule):
    swarm = sn.Swarm(tiny_world(SEVEN, rule), rule)
    agent = swarm.agent_at((2, 6))
    swarm.erase([(1, 7)])
    agent.perceive()
    assert 2 not in agent.inbox


def test_a_lie_is_forgotten(rule):
    swarm = sn.Swarm(tiny_world(SEVEN, rule), rule, seed=1)
    for _ in range(60):
        swarm.step()
    agent = swarm.agent_at((4, 5))
    believed = agent.label
    agent.state = saying(rule, "0")
    for _ in range(60):
        swarm.step()
    assert agent.label == believed


def test_agents_one_by_one_and_all_at_once_do_the_same(rule):
    assert_same_trajectory(tiny_world(SEVEN, rule), rule, steps=20)
