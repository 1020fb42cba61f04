"""Builders for agent-level tests in your own project: an inbox, a lone agent, a tiny world.

    rule = sn.load_rule("digits")
    agent = lone_agent(rule)
    agent.inbox = inbox(own=agent.state, north=saying(rule, "2"), south=saying(rule, "2"))
    change = agent.decide()

They work with every rule of every family, trained or not; only `saying` needs classes. The
directions are the nine slots of a grid.
"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import torch

from swarm_nca.images.pictures import class_number
from swarm_nca.links import Links
from swarm_nca.rules import Classes, Rule
from swarm_nca.suggestion import unknown
from swarm_nca.swarm import CellAgent, Swarm
from swarm_nca.swarm.speech import Vector
from swarm_nca.topologies import OWN_SLOT, Grid, Topology
from swarm_nca.world import World

#: Direction from which a message comes, slot by slot of a grid.
DIRECTIONS = (
    "north_west",
    "north",
    "north_east",
    "west",
    "own",
    "east",
    "south_west",
    "south",
    "south_east",
)

#: Digits are tenths of grey; `1` is the darkest grey that is not alive.
_INK = {" ": 0.0, ".": 0.0, "#": 1.0} | {str(tenths): tenths / 10 for tenths in range(10)}


def tiny_world(
    drawing: str,
    rule: Rule,
    *,
    label: int = -1,
    key: int = 0,
    grid: Grid | None = None,
    links: Links = Links(),  # noqa: B008  (frozen)
) -> World:
    """A world from a drawing in characters, one line per row.

    Args:
        drawing: `#` is full grey, `.` or a blank is white, a digit is that many tenths of grey.
            If every pixel is a cell, as in Life, cells with ½ or more are alive at the start.
            Common indentation and empty lines around the drawing are ignored; short lines are
            filled up with white.
        rule: gives channels, classes and the alive threshold.
        label, key, grid, links: as in `World.from_images`.

    Raises:
        ValueError: another character, an empty drawing, or a label that the rule does not have.
    """
    lines = textwrap.dedent(drawing.rstrip()).splitlines()
    while lines and not lines[0].strip():
        del lines[0]
    invalid = sorted({letter for line in lines for letter in line} - _INK.keys())
    if invalid or not lines:
        raise ValueError(
            f"draw with '#', '.', blanks and digits (tenths of grey); got {invalid or drawing!r}"
        )
    width = max(map(len, lines))
    grey = np.array([[_INK[letter] for letter in line.ljust(width)] for line in lines])
    return World.from_images([grey], rule, labels=[label], keys=[key], grid=grid, links=links)


def lone_agent(rule: Rule, *, stimulus: Any = None, state: Any = None) -> CellAgent:
    """An agent without neighbours: it receives its own message and those you put into its inbox.

    Args:
        rule: any rule, for pictures or graphs.
        stimulus: [S]. When None: a pixel of full grey among eight white ones if the rule takes nine
            stimulus values, else zeros.
        state: [C]; zeros when None.
    """
    table = torch.full((1, rule.slots), 1)
    table[0, OWN_SLOT if rule.slots > OWN_SLOT else 0] = 0
    sensed = np.zeros(rule.stimulus_size)
    if stimulus is not None:
        sensed = np.asarray(stimulus, dtype=float)
    elif rule.stimulus_size == len(DIRECTIONS):
        sensed[OWN_SLOT] = 1.0
    topology = Topology(table, ("alone",))
    world = World.from_graph(topology, rule, stimulus=torch.tensor(sensed[None]))
    agent = Swarm(world, rule).agent_at("alone")
    if state is not None:
        agent.state = state
    agent.perceive()
    return agent


def saying(rule: Rule, label: int | str, strength: float = 1.0) -> Vector:
    """[C], the state of a cell that shows one class; all its other channels are zero.

    Args:
        label: a class of the rule, by number or name.
        strength: value of the channel of that class; trained rules settle near 1.

    Raises:
        ValueError: the rule does not have this class, or has no classes.
    """
    if not isinstance(rule.readout, Classes):
        raise ValueError(
            f"saying({label!r}) needs a rule with classes, the read-out of this one is "
            f"{rule.readout.kind!r}; write the state itself, {rule.channels} numbers"
        )
    number = class_number(label, rule.classes.names)
    state = np.zeros(rule.channels, dtype=torch.zeros(0, dtype=rule.dtype).numpy().dtype)
    state[rule.readout.channels(rule.channels)][number] = strength
    return state


def inbox(**messages: Any) -> dict[int, Any]:
    """Messages by direction, as an agent's inbox takes them: slot → [C].

    Args:
        messages: `north`, `south_west`, …, see `DIRECTIONS`; `own` is the agent's own message. No
            message arrives from directions left out, including `own`.

    Raises:
        ValueError: an unknown direction.
    """
    for name in messages.keys() - set(DIRECTIONS):
        raise ValueError(unknown("direction", name, DIRECTIONS))
    return {DIRECTIONS.index(name): message for name, message in messages.items()}


def assert_same_trajectory(
    world: World, rule: Rule, steps: int = 20, seed: int = 0, *, within: float | None = None
) -> None:
    """Assert that agents stepped one by one, in a random order, equal the batched engine.

    Args:
        world: one world, of a picture or a graph.
        within: largest allowed difference of a channel; when None, 1e-9 in float64 and 1e-4
            otherwise.

    Raises:
        AssertionError: names the first step at which they differ, the agent and the channel.
    """
    limit = (1e-9 if world.state.dtype == torch.float64 else 1e-4) if within is None else within
    batched = Swarm(world, rule, seed, model_reporters={})
    agents = Swarm(world, rule, seed, engine="agents", model_reporters={})
    for step in range(1, steps + 1):
        agents.agents.shuffle(inplace=True)
        agents.step()
        batched.step()
        difference = np.abs(agents.states - batched.states)
        if not (difference <= limit).all():
            row, channel = np.unravel_index(int(np.argmax(difference)), difference.shape)
            raise AssertionError(
                f"step {step}: channel {channel} of the agent at {agents.rows[row].name!r} is "
                f"{agents.states[row, channel]!r} alone and {batched.states[row, channel]!r} in "
                f"the batch; they may differ by {limit:g}"
            )
