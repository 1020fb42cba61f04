"""What one agent says, and what reaches it: the agents' own way, message by message.

The batched engine computes the same with tables in `engine.mail`; tests compare the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from swarm_nca.randomness import Stream, normal_rows
from swarm_nca.world.faults import SAYS, Fault
from swarm_nca.world.fields import IN_FLIGHT, LAST_HEARD

if TYPE_CHECKING:
    from swarm_nca.swarm.agents import CellAgent

#: A state or a message: a float array [C].
Vector = np.ndarray[Any, np.dtype[np.floating[Any]]]


def heard(agent: CellAgent) -> dict[int, Vector]:
    """Slot → message that reaches an agent at the present step."""
    neighbors, links = agent.neighbors, agent.model.links
    arriving, delays = _arriving(agent, neighbors), _delays(agent)
    received = {}
    for slot, other in neighbors.items():
        if other is agent:
            received[slot] = agent.state.copy()
        elif Fault.SILENT in other.fault:
            continue
        elif slot in arriving:
            received[slot] = other.said(delays[slot])
        elif links.on_loss == "last":
            received[slot] = _held(agent, LAST_HEARD)[slot].copy()
    return received


def said(agent: CellAgent, delay: int) -> Vector:
    """[C], what neighbours read of a message that an agent sent `delay` steps ago."""
    if delay:
        earlier: Vector = _held(agent, IN_FLIGHT)[delay - 1].copy()
        return earlier
    message = agent.state
    if Fault.STUCK in agent.fault:
        message = agent.field(SAYS)
    if Fault.LYING in agent.fault:
        offset = agent.draws.word(agent.model.now, Stream.LIE) >> 12
        lie = normal_rows(offset, len(message), torch.from_numpy(message).dtype)[0]
        message = agent.field(SAYS) * lie.numpy()
    read: Vector = agent.model.links.rounded(torch.from_numpy(message.copy())).numpy()
    return read


def _arriving(agent: CellAgent, neighbors: Mapping[int, CellAgent]) -> set[int]:
    """The slots whose message is not lost."""
    links = agent.model.links
    if not links.drop:
        return set(neighbors)
    # A table with one row: 0 is the agent itself, 1 is absent, 2 is any other agent.
    table = torch.full((1, agent.model.rule.slots), 1)
    for slot, other in neighbors.items():
        table[0, slot] = 0 if other is agent else 2
    row = torch.tensor([0])
    arrived = links.arriving(table, row, agent.draws, agent.model.now)[0].tolist()
    return {slot for slot in neighbors if arrived[slot] != 1}


def _delays(agent: CellAgent) -> list[int]:
    """The delay in every slot."""
    slots, row = agent.model.rule.slots, torch.tensor([0])
    drawn = agent.model.links.delays(row, slots, agent.draws, agent.model.now)
    return [drawn] * slots if isinstance(drawn, int) else drawn[0].tolist()


def _held(agent: CellAgent, name: str) -> Vector:
    """[…, C], messages in flight or kept, zeros before the first."""
    held: Vector = agent.model.held(name)[agent.row]
    return held
