"""Tests of single agents: copy this file, then change the rule, the drawing and the tests."""

import numpy as np
import pytest

import swarm_nca as sn
from swarm_nca.testing import assert_same_trajectory, inbox, lone_agent, saying, tiny_world

HOOK = """
    #####
    ....#
    ...#.
    """


@pytest.fixture(scope="module")
def rule() -> sn.Rule:
    return sn.load_rule("digits")


def test_an_agent_surrounded_by_twos_turns_towards_two(rule):
    agent = lone_agent(rule, stimulus=[0.8] * 9)
    two = saying(rule, "2")
    agent.inbox = inbox(own=agent.state, north=two, east=two, south=two, west=two)
    change = agent.decide()
    assert change[rule.free_channels + 2] > 0


def test_an_agent_distinguishes_directions(rule):
    agent = lone_agent(rule)
    agent.inbox = inbox(own=agent.state, north=saying(rule, "2"))
    from_north = agent.decide()
    agent.inbox = inbox(own=agent.state, south=saying(rule, "2"))
    assert not np.allclose(from_north, agent.decide())


def test_an_agent_receives_messages_of_its_neighbours_only(rule):
    swarm = sn.Swarm(tiny_world(HOOK, rule), rule)
    agent = swarm.agent_at((2, 3))
    swarm.agent_at((1, 4)).state = saying(rule, "3")
    swarm.agent_at((0, 0)).state = saying(rule, "4")
    agent.perceive()
    assert agent.inbox.keys() == {2, 4}
    assert np.array_equal(agent.inbox[2], saying(rule, "3"))


def test_an_erased_neighbour_sends_no_message(rule):
    swarm = sn.Swarm(tiny_world(HOOK, rule), rule)
    agent = swarm.agent_at((2, 3))
    swarm.erase([(1, 4)])
    agent.perceive()
    assert agent.inbox.keys() == {4}


def test_an_agent_recovers_from_a_wrong_state(rule):
    seven = sn.World.from_images(sn.images.draw_glyph("7")[None], rule, labels=[7])
    swarm = sn.Swarm(sn.rollout(seven, rule, steps=80), rule)
    changed = next(agent for agent in swarm.agents if agent.label == 7)
    changed.state = saying(rule, "0")
    for _ in range(40):
        swarm.step()
    assert changed.label == 7


def test_agents_equal_the_batch(rule):
    assert_same_trajectory(tiny_world(HOOK, rule), rule, steps=20)
