"""One cell as an agent: it perceives what its neighbours say, then decides.

The two verbs are those of a synchronous step, as in Mesa's own Game of Life: all agents perceive
before any of them updates. Under a rule by which cells live and die two more follow: all look
whether they still live, then those that do not hold zeros (`settle`). An agent owns no state: it
reads and writes its row of the swarm's live buffer, so that the same states serve the batched
engine. All it needs is in reach of a unit test: put messages into `inbox`, ask for `decide()`.

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
from swarm_nca.rules import Classes
from swarm_nca.rules.readout import NOTHING

if TYPE_CHECKING:
    from mesa.discrete_space import Cell

    from swarm_nca.links import Links
    from swarm_nca.swarm.model import Swarm

#: What agents hold, say and hear: a float array [C].
Vector = np.ndarray[Any, np.dtype[np.floating[Any]]]

#: The row of an agent whose cell has left the world: past the end of any buffer.
_NOWHERE = np.iinfo(np.int64).max


class _Numbers:
    """Agents' ids, counted by each swarm for itself.

    Mesa before 3.5 counts them in a table of its own, which keeps every model alive for ever.
    """

    def __getitem__(self, swarm: Swarm) -> itertools.count[int]:
        return swarm.numbers


class CellAgent(mesa.Agent):  # type: ignore[misc]
    """A cell. Swarms make and remove them; `swarm.agent_at(name)` gives one.

    On pictures of ink every living pixel is an agent. Where every pixel is a cell, as in Life and
    growing patterns, every pixel is an agent for as long as the swarm runs.

    Attributes:
        model: the `Swarm` it is part of.
        site: its number within the world, row-major pixel or node: stable for life.
        name: (row, column) of its pixel, or its node's name.
    """

    _ids = _Numbers()
    model: Swarm

    def __init__(self, model: Swarm, site: int, name: Hashable) -> None:
        super().__init__(model)
        self.site = site
        self.name = name
        self.row = _NOWHERE
        self._inbox: dict[int, Vector] = {}
        self._heard_at = model.now
        self._lived: bool | None = None
        self._dice: Draws | None = None

    # ------------------------------------------------------------ who and where

    @property
    def present(self) -> bool:
        """Whether its cell is in the world: its pixel or node has not been taken away."""
        return self.row != _NOWHERE

    @property
    def alive(self) -> bool:
        """Whether it is present and, where cells live and die by the rule, the rule says so now."""
        return self.present and (not self.model.mortal or self._lives())

    @property
    def cell(self) -> Cell | None:
        """Its place in `swarm.space`; None once it has left the world."""
        return self.model.cell_at(self.name) if self.present else None

    @property
    def neighbors(self) -> dict[int, CellAgent]:
        """Slot → the agent heard there; a cell of a grid hears itself in slot 4."""
        return self.model.neighbors_of(self)

    # --------------------------------------------------------- what it knows

    @property
    def state(self) -> Vector:
        """[C], what it holds and tells: a live row, written in place or by assignment.

        Keep the agent rather than the row: drawing and erasing move the rows.

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
        """[S], what it senses: the grey of its own 3×3 patch. Read-only; draw to change it."""
        try:
            row: Vector = self.model.stimuli[self.row]
            return row
        except IndexError:
            raise self._died() from None

    @property
    def inbox(self) -> dict[int, Vector]:
        """Slot → message [C]: what it last perceived; after a step, what it heard in that step.

        Assign a mapping of any slots to vectors to put other words into its neighbours' mouths.

        Raises:
            ValueError: on assignment, a slot the rule does not have, or a vector of another length.
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
        for slot, said in messages.items():
            number = whole("slot", slot, 0, last)
            received[number] = self._vector(f"the message in slot {number}", said)
        self._keep(received)

    @property
    def shown(self) -> Any:
        """What the read-out makes of its state, for any rule.

        A class number (of the largest class channel), True or False of a bit, RGBA in [0, 1] as an
        array [4], or the array of a field.
        """
        shown = self.model.rule.readout.values(torch.from_numpy(self.state[None]))[0].numpy()
        return shown if shown.ndim else shown.item()

    @property
    def label(self) -> int | None:
        """The class it has decided on, as the metrics count it; None while undecided.

        Raises:
            ValueError: the rule has no classes; `shown` reads the state of any rule.
        """
        rule = self.model.rule
        votes = self.state[rule.classes.channels(rule.channels)]
        best = int(votes.argmax())
        return best if votes[best] >= self.model.rule.undecided_below else None

    @property
    def undecided(self) -> bool:
        """Whether all its class channels lie below the rule's threshold; see `label`."""
        return self.label is None

    # ---------------------------------------------------------- what it does

    def perceive(self) -> None:
        """Fill the inbox with what the neighbours hold now; lost messages are missing from it."""
        neighbors = self.neighbors
        senders = {slot: other.site for slot, other in neighbors.items()}
        arriving = self.arriving(senders, self.model.links, self.model.now)
        self._keep({slot: neighbors[slot].state.copy() for slot in arriving})

    def decide(self) -> Vector:
        """[C], the rule's answer to the inbox, without noise, not yet applied.

        It is a change of state, or the next state where `rule.update` is "replace". An empty slot
        is heard as zeros, its own as well.
        """
        rule = self.model.rule
        messages = np.zeros((1, rule.slots, rule.channels), self.model.states.dtype)
        for slot, message in self.inbox.items():
            messages[0, slot] = message
        with torch.inference_mode():
            change = rule(torch.tensor(self.stimulus[None]), torch.from_numpy(messages))
        answer: Vector = change[0].numpy()
        return answer

    def update(self) -> bool:
        """Decide and act on it, noise included, if it fires in the coming step and lives.

        Returns:
            Whether it acted.
        """
        if not (self._drawn and self._lived_before):
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
        """After all updates: see whether it still lives, by its own state and its neighbours'."""
        self._lived = self._lived_before and self.alive

    def settle(self) -> None:
        """After all have looked: hold zeros if it was dead before the update or is dead now."""
        if not self._lived_before:
            self.state = 0.0

    @property
    def fires(self) -> bool:
        """Whether it acts in the coming step: a draw of its own, which only the living make."""
        return self._drawn and self.alive

    def arriving(self, senders: Mapping[int, int], links: Links, step: int) -> list[int]:
        """The slots whose message reaches it in a step; those of the others are lost on the way.

        Args:
            senders: slot → site of who speaks there.
            links: as they were in that step.
            step: of the world.
        """
        if not links.drop:
            return list(senders)
        # As a table of one row: 0 is the agent itself, 1 is nobody, and 2 stands for anybody else.
        heard = torch.full((1, self.model.rule.slots), 1)
        for slot, site in senders.items():
            heard[0, slot] = 0 if site == self.site else 2
        arrived = links.arriving(heard, torch.tensor([0]), self._draws, step)[0].tolist()
        return [slot for slot in senders if arrived[slot] != 1]

    def remove(self) -> None:
        """Erase its pixel, or take its node away: the agent goes with its cell.

        Where every pixel is a cell, an erased one holds zeros, and its agent stays.
        """
        if self.present:
            self.model.erase([self.name])

    def leave(self) -> None:
        """What the swarm calls when the cell has left the world: the end of this agent."""
        super().remove()
        self.row = _NOWHERE

    # ------------------------------------------------------------------ inside

    @property
    def _draws(self) -> Draws:
        # The agent's own dice: the functions every engine draws from, for this site alone.
        if self._dice is None:
            site = torch.tensor([self.site])
            self._dice = Draws(self.model.seed, self.model.key, site, torch.zeros_like(site))
        return self._dice

    @property
    def _drawn(self) -> bool:
        return len(self._draws.fires(self.model.now, self.model.fire_rate)) == 1

    @property
    def _lived_before(self) -> bool:
        # As it was when the inbox was filled: neighbours may have updated since.
        known = self._lived is not None and self._heard_at == self.model.now
        return bool(self._lived) if known else self.alive

    def _lives(self) -> bool:
        """What the rule says of its own state among those of its neighbours."""
        around = [other.state for other in self.neighbors.values() if other is not self]
        states = torch.from_numpy(np.stack([self.state, *around]))
        alive = self.model.rule.lives(states, partial(_largest, states))
        return alive is None or bool(alive[0])

    def _normals(self, like: Vector) -> Vector:
        dtype = torch.from_numpy(like).dtype
        drawn = self._draws.normals(self.model.now, torch.tensor([0]), len(like), dtype)
        normals: Vector = drawn[0].numpy()
        return normals

    def _vector(self, name: str, values: Any) -> Vector:
        """[C], a copy of what a cell could hold, in the dtype of the states."""
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
            f"the cell at {self.name!r} has died, its agent holds nothing any more; "
            "swarm.agent_at(name) gives the one that lives there now, if any"
        )

    def __repr__(self) -> str:
        if not self.present:
            return f"<CellAgent {self.name!r}: dead>"
        rule = self.model.rule
        if isinstance(rule.readout, Classes):
            says = "undecided" if self.label is None else rule.readout.names[self.label]
        else:
            shown = int(rule.readout.shown(self.state[None], rule.shown_above)[0])
            says = rule.readout.silent if shown == NOTHING else rule.readout.names[shown]
        return f"<CellAgent {self.name!r}: {says}>"


def _largest(states: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """See `rules.Largest`: the agent is row 0, whose neighbourhood is all rows.

    What the others' neighbourhoods hold the agent cannot know: there it answers nan.

    Raises:
        ValueError: values that were themselves asked of the neighbours' neighbourhoods.
    """
    if values.isnan().any() and not states.isnan().any():
        raise ValueError(
            "an agent knows the states of its neighbours and no others: rule.lives may ask for the "
            "largest value in a neighbourhood, but not for the largest of those"
        )
    answer = torch.full_like(values, math.nan, dtype=states.dtype)
    answer[0] = values.max()
    return answer
