"""One cell as an agent: it perceives the messages of its neighbours, then updates.

A step is synchronous, as in Mesa's Game of Life: all agents perceive before any agent updates. If
cells live and die by the rule, two phases follow: all agents check whether they still live
(`look`), then dead ones set their state to zeros (`settle`). An agent has no state of its own: it
reads and writes its row of the swarm's live buffer, which the batched engine also uses. An agent
can be unit-tested: put messages into `inbox` and call `decide()`.

Letters: C state channels, K neighbour slots, S stimulus values.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
import torch

from swarm_nca.arguments import dense, shown, whole
from swarm_nca.randomness import Draws
from swarm_nca.rules import Classes, Rule
from swarm_nca.rules.readout import NOTHING
from swarm_nca.swarm import speech
from swarm_nca.swarm.speech import Vector
from swarm_nca.world.faults import FAULT, Fault
from swarm_nca.world.fields import RULE

if TYPE_CHECKING:
    from mesa.discrete_space import Cell

    from swarm_nca.swarm.model import Swarm

#: The row of an agent whose cell has left the world: beyond the end of any buffer.
_NO_ROW = np.iinfo(np.int64).max


class _Numbers:
    """Agent ids, counted separately by each swarm.

    Mesa before 3.5 counts them in a global table, which never releases a model.
    """

    def __getitem__(self, swarm: Swarm) -> itertools.count[int]:
        return swarm.numbers


class CellAgent(mesa.Agent):  # type: ignore[misc]
    """A cell. The swarm makes and removes agents; `swarm.agent_at(name)` returns one.

    Usually every living pixel is an agent. If every pixel is a cell, as in Life and growing
    patterns, every pixel is an agent as long as the swarm runs.

    Attributes:
        model: the `Swarm` of the agent.
        site: number in the world, row-major pixel or node; it never changes.
        name: (row, column) of the pixel, or name of the node.
    """

    _ids = _Numbers()
    model: Swarm

    def __init__(self, model: Swarm, site: int, name: Hashable) -> None:
        super().__init__(model)
        self.site = site
        self.name = name
        self.row = _NO_ROW
        self._inbox: dict[int, Vector] = {}
        self._heard_at = model.now
        self._lived: bool | None = None
        self._own_draws: Draws | None = None

    # ------------------------------------------------------ identity and place

    @property
    def present(self) -> bool:
        """Whether the cell is in the world: its pixel or node has not been removed."""
        return self.row != _NO_ROW

    @property
    def alive(self) -> bool:
        """Whether the cell is present and, if cells live and die by the rule, alive now."""
        return self.present and (not self.model.mortal or self._lives())

    @property
    def cell(self) -> Cell | None:
        """Its place in `swarm.space`; None once it has left the world."""
        return self.model.cell_at(self.name) if self.present else None

    @property
    def neighbors(self) -> dict[int, CellAgent]:
        """Slot → neighbour agent; on a grid slot 4 is the agent itself."""
        return self.model.neighbors_of(self)

    # --------------------------------------------------- state and messages

    @property
    def state(self) -> Vector:
        """[C], the live row of the buffer; write to it in place or by assignment.

        Keep the agent, not the row: drawing and erasing move the rows.

        Raises:
            ValueError: the cell has died; on assignment, anything but C real numbers.
        """
        try:
            row: Vector = self.model.states[self.row]
            return row
        except IndexError:
            raise self._died() from None

    @state.setter
    def state(self, value: Any) -> None:
        try:
            row = self.model.states[self.row]
        except IndexError:
            raise self._died() from None
        given = dense("a state", value)
        row[:] = self._vector("a state", given) if given.ndim else given

    @property
    def stimulus(self) -> Vector:
        """[S], the stimulus: the grey of the 3×3 patch. Read-only; draw to change it."""
        try:
            row: Vector = self.model.stimuli[self.row]
            return row
        except IndexError:
            raise self._died() from None

    @property
    def inbox(self) -> dict[int, Vector]:
        """Slot → message [C]: the last perceived messages; after a step, those of that step.

        Assign a mapping of slots to vectors to replace the messages.

        Raises:
            ValueError: on assignment, an unknown slot, or a vector of another length.
        """
        if self._heard_at != self.model.now:
            self._keep(self.model.heard_by(self))
        return self._inbox

    @inbox.setter
    def inbox(self, messages: Mapping[int, Any]) -> None:
        if not isinstance(messages, Mapping):
            raise ValueError(f"an inbox maps slots to messages, got {shown(messages)}")
        last = self.model.rule.slots - 1
        received = {}
        for slot, message in messages.items():
            number = whole("slot", slot, 0, last)
            received[number] = self._vector(f"the message in slot {number}", message)
        self._keep(received)

    @property
    def shown(self) -> Any:
        """The read-out of the state, for any rule.

        The number of the largest class channel, a bool for a bit, RGBA in [0, 1] as an array [4],
        or the array of a field.
        """
        shown = self.model.rule.readout.values(torch.from_numpy(self.state[None]))[0].numpy()
        return shown if shown.ndim else shown.item()

    @property
    def label(self) -> int | None:
        """The class that the agent shows, as in the metrics; None while undecided.

        Raises:
            ValueError: the rule has no classes; `shown` reads the state of any rule.
        """
        rule = self.model.rule
        votes = self.state[rule.classes.channels(rule.channels)]
        best = int(votes.argmax())
        return best if votes[best] >= self.model.rule.undecided_below else None

    @property
    def rule(self) -> Rule:
        """The rule that the cell obeys: the swarm's, or a guest of its world."""
        number = self.field(RULE)
        return self.model.guests[number - 1] if number else self.model.rule

    @property
    def fault(self) -> Fault:
        """What is wrong with the cell; `Fault(0)` if nothing is."""
        flags = self.field(FAULT)
        return Fault(0) if flags is None else Fault(int(flags))

    @property
    def undecided(self) -> bool:
        """Whether all class channels are below the rule's threshold; see `label`."""
        return self.label is None

    # ---------------------------------------------------------------- actions

    def perceive(self) -> None:
        """Fill the inbox with the messages that arrive: the neighbours' present states.

        Links can lose, delay and round messages, and neighbours can be faulty; see `Links` and
        `Fault`.
        """
        self._keep(speech.heard(self))

    def said(self, delay: int = 0) -> Vector:
        """[C], what neighbours read of a message that this agent sends now or sent earlier.

        Args:
            delay: steps on the way, up to the longest delay of the links.
        """
        return speech.said(self, delay)

    def decide(self) -> Vector:
        """[C], the rule's answer to the inbox, without noise and not yet applied.

        It is a change of state, or the next state if `rule.update` is "replace". Slots without a
        message read zeros, including the own slot.
        """
        rule = self.rule
        messages = np.zeros((1, rule.slots, rule.channels), self.model.states.dtype)
        for slot, message in self.inbox.items():
            messages[0, slot] = message
        with torch.inference_mode():
            change = rule(torch.tensor(self.stimulus[None]), torch.from_numpy(messages))
        answer: Vector = change[0].numpy()
        return answer

    def update(self) -> bool:
        """Apply the answer of `decide` plus noise, if the agent fires in this step and is alive.

        Returns:
            Whether the agent fired.
        """
        if not (self._drawn and self._lived_before) or Fault.FROZEN in self.fault:
            return False
        answer = self.decide()
        if self.model.noise:
            answer = answer + self.model.noise * self._normals(answer)
        state = self.state
        if self.model.rule.update == "replace":
            state[:] = answer
        else:
            state += answer
        return True

    def look(self) -> None:
        """After all updates: check whether the cell was alive before the update and still is."""
        self._lived = self._lived_before and self.alive

    def settle(self) -> None:
        """After all agents have looked: set the state of a dead cell to zeros."""
        if not self._lived_before:
            self.state = 0.0

    @property
    def fires(self) -> bool:
        """Whether the agent fires in the coming step: a random draw, and it lives and can act."""
        return self._drawn and self.alive and Fault.FROZEN not in self.fault

    def field(self, name: str) -> Any:
        """This cell's value of a further field of the world; None if the world lacks it."""
        values = self.model.field(name)
        return None if values is None else values[self.row]

    def remove(self) -> None:
        """Erase the pixel or remove the node, and with it the agent.

        If every pixel is a cell, the erased cell holds zeros and the agent stays.
        """
        if self.present:
            self.model.erase([self.name])

    def leave(self) -> None:
        """Called by the swarm when the cell has left the world: removes the agent."""
        super().remove()
        self.row = _NO_ROW

    # ------------------------------------------------------------------ inside

    @property
    def draws(self) -> Draws:
        """The same draws as in every engine, for this site only."""
        if self._own_draws is None:
            site = torch.tensor([self.site])
            self._own_draws = Draws(self.model.seed, self.model.key, site, torch.zeros_like(site))
        return self._own_draws

    @property
    def _drawn(self) -> bool:
        return len(self.draws.fires(self.model.now, self.model.fire_rate)) == 1

    @property
    def _lived_before(self) -> bool:
        # Determined when the inbox was filled, because neighbours may have updated since.
        known = self._lived is not None and self._heard_at == self.model.now
        return bool(self._lived) if known else self.alive

    def _lives(self) -> bool:
        """Whether the cell is alive by the rule, from its state and those of its neighbours."""
        others = [other.state for other in self.neighbors.values() if other is not self]
        states = torch.from_numpy(np.stack([self.state, *others]))
        alive = self.model.rule.lives(states, partial(_largest, states))
        return alive is None or bool(alive[0])

    def _normals(self, like: Vector) -> Vector:
        dtype = torch.from_numpy(like).dtype
        drawn = self.draws.normals(self.model.now, torch.tensor([0]), len(like), dtype)
        normals: Vector = drawn[0].numpy()
        return normals

    def _vector(self, name: str, values: Any) -> Vector:
        """[C], a copy of the values in the dtype of the states."""
        vector, channels = dense(name, values), self.model.rule.channels
        if vector.shape != (channels,):
            raise ValueError(
                f"{name} has the shape {vector.shape}, a state of this rule is ({channels},)"
            )
        copy: Vector = vector.astype(self.model.states.dtype)
        return copy

    def _keep(self, received: dict[int, Vector]) -> None:
        self._inbox, self._heard_at = received, self.model.now
        self._lived = self.alive if self.model.mortal else None

    def _died(self) -> ValueError:
        return ValueError(
            f"the cell at {self.name!r} has died, so its agent has no state; "
            "swarm.agent_at(name) gives the agent that lives there now"
        )

    def __repr__(self) -> str:
        if not self.present:
            return f"<CellAgent {self.name!r}: dead>"
        rule = self.model.rule
        if isinstance(rule.readout, Classes):
            text = "undecided" if self.label is None else rule.readout.names[self.label]
        else:
            shown = int(rule.readout.shown(self.state[None], rule.shown_above)[0])
            text = rule.readout.silent if shown == NOTHING else rule.readout.names[shown]
        return f"<CellAgent {self.name!r}: {text}>"


def _largest(states: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """See `rules.Largest`: the agent is row 0, and all rows are its neighbourhood.

    The neighbourhoods of the other rows are unknown, so their results are nan.

    Raises:
        ValueError: values that depend on results for the other rows.
    """
    if values.isnan().any() and not states.isnan().any():
        raise ValueError(
            "an agent has only the states of its neighbours: rule.lives can call largest on "
            "states, but not on results of largest"
        )
    answer = torch.full_like(values, math.nan, dtype=states.dtype)
    answer[0] = values.max()
    return answer
