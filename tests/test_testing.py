"""The builders for agent-level tests of users."""

import numpy as np
import pytest
import torch

from swarm_nca.links import Links
from swarm_nca.rules import Classes, Elementary, Life, Mlp, Quantized, Rule
from swarm_nca.testing import (
    DIRECTIONS,
    assert_same_trajectory,
    inbox,
    lone_agent,
    saying,
    tiny_world,
)
from swarm_nca.topologies import Grid

UNTRAINED = {
    "digits": Mlp(),
    "shapes": Mlp(Classes.named("disc", "ring", "cross"), free_channels=2, hidden=(5, 4)),
    "graph": Mlp(Classes.named("a", "b"), slots=3, stimulus_size=2),
    "double": Mlp().double(),
    "bits": Quantized(hidden=(5, 4), hearing="dyadic", filters=("ste_sign", "ternary", "float")),
}
WITHOUT_CLASSES = {"growing": Mlp.growing(), "life": Life(), "elementary": Elementary(30).double()}
ALL_RULES = UNTRAINED | WITHOUT_CLASSES
each_rule = pytest.mark.parametrize("rule", ALL_RULES.values(), ids=ALL_RULES)
each_classifier = pytest.mark.parametrize("rule", UNTRAINED.values(), ids=UNTRAINED)


def test_a_drawing_is_a_picture() -> None:
    world = tiny_world(
        """
        .##
        1 5

        #.9
        """,
        UNTRAINED["digits"],
        label=4,
        key=3,
        grid=Grid("von_neumann"),
        links=Links(drop=0.5),
    )
    assert world.picture().tolist() == pytest.approx(
        torch.tensor([[0, 1, 1], [0.1, 0, 0.5], [0, 0, 0], [1, 0, 0.9]])
    )
    assert world.site.tolist() == [1, 2, 5, 9, 11]
    assert (world.label.tolist(), world.key.tolist()) == ([4], [3])
    assert world.links == Links(drop=0.5)
    assert world.canvas.grid == Grid("von_neumann")


@pytest.mark.parametrize(("drawing", "given"), [("#x.\nX##", r"\['X', 'x'\]"), ("  \n ", "got")])
def test_invalid_drawings_are_refused(drawing: str, given: str) -> None:
    with pytest.raises(ValueError, match=given):
        tiny_world(drawing, UNTRAINED["digits"])


@each_rule
def test_a_lone_agent_hears_only_itself(rule: Rule) -> None:
    agent = lone_agent(rule, state=np.arange(rule.channels))
    assert list(agent.neighbors.values()) == [agent]
    assert [heard.tolist() for heard in agent.inbox.values()] == [list(range(rule.channels))]
    assert len(agent.model.agents) == 1


@each_classifier
def test_an_untrained_agent_does_not_change(rule: Rule) -> None:
    agent = lone_agent(rule)
    change = agent.decide()
    assert change.shape == (rule.channels,)
    assert not change.any()


def test_the_default_stimulus_is_one_pixel_and_can_be_replaced() -> None:
    assert lone_agent(UNTRAINED["digits"]).stimulus.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert lone_agent(UNTRAINED["graph"]).stimulus.tolist() == [0, 0]
    assert lone_agent(UNTRAINED["graph"], stimulus=[1, 2]).stimulus.tolist() == [1, 2]


@each_classifier
def test_saying_gives_a_state_that_shows_its_class(rule: Rule) -> None:
    last = len(rule.classes) - 1
    agent = lone_agent(rule, state=saying(rule, last, 0.5))
    assert agent.label == last
    assert agent.state.sum() == 0.5
    assert np.array_equal(saying(rule, rule.classes.names[last]), saying(rule, last))


def test_a_class_name_that_is_a_number_takes_precedence() -> None:
    rule = Mlp(Classes.named("1", "0"))
    assert lone_agent(rule, state=saying(rule, "0")).label == 1
    assert lone_agent(rule, state=saying(rule, 0)).label == 0


@pytest.mark.parametrize("label", ["rong", 3, -1])
def test_a_class_the_rule_does_not_have_is_refused(label: int | str) -> None:
    hint = r" \(did you mean 'ring'\?\)" if label == "rong" else ""
    with pytest.raises(ValueError, match=f"label {label!r} is no class{hint}: give 0–2, or"):
        saying(UNTRAINED["shapes"], label)


@pytest.mark.parametrize("rule", WITHOUT_CLASSES.values(), ids=WITHOUT_CLASSES)
def test_saying_and_labels_are_refused_without_classes(rule: Rule) -> None:
    kind, channels = rule.readout.kind, rule.channels
    message = rf"saying\('on'\) needs a rule with classes, .* {kind!r}; .* {channels} numbers"
    with pytest.raises(ValueError, match=message):
        saying(rule, "on")
    with pytest.raises(ValueError, match="label"):
        tiny_world("#", rule, label=1)


def test_for_life_a_drawing_gives_the_living_cells() -> None:
    board = tiny_world("#.5\n4.9", Life())
    assert board.state.view(2, 3).tolist() == [[1, 0, 1], [0, 0, 1]]


def test_an_inbox_takes_messages_by_direction() -> None:
    rule = UNTRAINED["digits"]
    agent = lone_agent(rule)
    agent.inbox = inbox(own=agent.state, north=saying(rule, 2), south_west=saying(rule, 3))
    assert {slot: heard.argmax() for slot, heard in agent.inbox.items()} == {4: 0, 1: 11, 6: 12}
    assert list(inbox(**dict.fromkeys(DIRECTIONS, 0))) == list(range(9))


def test_directions_match_the_slots_of_agents() -> None:
    agent = lone_agent(UNTRAINED["digits"])
    world = tiny_world("###\n###\n###", UNTRAINED["digits"])
    middle = type(agent.model)(world, UNTRAINED["digits"]).agent_at((1, 1))
    heard = {DIRECTIONS[slot]: other.name for slot, other in middle.neighbors.items()}
    assert heard["north_west"] == (0, 0)
    assert heard["north"] == (0, 1)
    assert heard["east"] == (1, 2)
    assert heard["own"] == (1, 1)
    assert heard["south_west"] == (2, 0)


def test_an_unknown_direction_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no direction 'nort' \(did you mean 'north'\?\)"):
        inbox(nort=[0.0])


@each_rule
def test_a_lone_agent_equals_its_batch_under_any_rule(rule: Rule) -> None:
    agent = lone_agent(rule)
    assert_same_trajectory(agent.model.world, rule, steps=2)


@pytest.mark.parametrize("rule", WITHOUT_CLASSES.values(), ids=WITHOUT_CLASSES)
def test_agents_of_a_drawn_world_equal_its_batch_without_classes(rule: Rule) -> None:
    assert_same_trajectory(tiny_world(".##\n.#.\n##.", rule), rule, steps=4)


def test_a_difference_between_agents_and_batch_is_reported() -> None:
    world = tiny_world("##", UNTRAINED["digits"])
    message = r"step 1: channel \d+ of the agent at \(0, [01]\) is .* in the batch"
    with pytest.raises(AssertionError, match=message):
        assert_same_trajectory(world, UNTRAINED["digits"], within=-1.0)
