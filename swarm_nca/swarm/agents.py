"""One cell as an agent: it perceives what its neighbours say, then decides.

The two verbs are those of a synchronous step, as in Mesa's own Game of Life: everybody perceives
before anybody updates. An agent owns no state: it reads and writes its row of the swarm's live
buffer, so that the same states serve the batched engine. All it needs is in reach of a unit test:
put messages into `inbox`, ask for `decide()`.

Letters: C state channels, K neighbour slots, S stimulus values.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
import torch

from swarm_nca.arguments import dense, shown, whole
from swarm_nca.randomness import Draws

if TYPE_CHECKING:
    from mesa.discrete_space import Cell

    from swarm_nca.links import Links
    from swarm_nca.swarm.model import Swarm

#: What agents hold, say and hear: a float array [C].
Vector = np.ndarray[Any, np.dtype[np.floating[Any]]]

#: The row of an agent whose cell has died: past the end of any buffer.
_NOWHERE = np.iinfo(np.int64).max


class _Numbers:
    """Agents' ids, counted by each swarm for itself.

    Mesa before 3.5 counts them in a table of its own, which keeps every model alive for ever.
    """

    def __getitem__(self, swarm: Swarm) -> itertools.count[int]:
        return swarm.numbers


class CellAgent(mesa.Agent):  # type: ignore[misc]
    """A living cell. Swarms make and remove them; `swarm.agent_at(name)` gives one.

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
        self._dice: Draws | None = None

    # ------------------------------------------------------------ who and where

    @property
    def alive(self) -> bool:
        """Whether its cell still lives."""
        return self.row != _NOWHERE

    @property
    def cell(self) -> Cell | None:
        """Its place on Mesa's network, `swarm.space`; None once it has died."""
        return self.model.space[self.name] if self.alive else None

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
    def label(self) -> int | None:
        """The class it has decided on, as the metrics count it; None while undecided."""
        rule = self.model.rule
        votes = self.state[rule.readout.channels(rule.channels)]
        best = int(votes.argmax())
        return best if votes[best] >= self.model.rule.undecided_below else None

    @property
    def undecided(self) -> bool:
        """Whether all its class channels lie below the rule's threshold."""
        return self.label is None

    # ---------------------------------------------------------- what it does

    def perceive(self) -> None:
        """Fill the inbox with what the neighbours hold now; lost messages are missing from it."""
        neighbors = self.neighbors
        senders = {slot: other.site for slot, other in neighbors.items()}
        arriving = self.arriving(senders, self.model.links, self.model.now)
        self._keep({slot: neighbors[slot].state.copy() for slot in arriving})

    def decide(self) -> Vector:
        """[C], the rule's answer to the inbox: a change of state, without noise, not yet applied.

        An empty slot is heard as zeros, its own as well.
        """
        rule = self.model.rule
        messages = np.zeros((1, rule.slots, rule.channels), self.model.states.dtype)
        for slot, message in self.inbox.items():
            messages[0, slot] = message
        with torch.inference_mode():
            change = rule(torch.tensor(self.stimulus[None]), torch.from_numpy(messages))
        answer: Vector = change[0].numpy()
        return answer

    def update(self) -> None:
        """Decide and act on it, noise included, if this agent fires in the coming step."""
        if self.fires:
            change = self.decide()
            if self.model.noise:
                change = change + self.model.noise * self._normals(change)
            state = self.state
            state += change

    @property
    def fires(self) -> bool:
        """Whether it acts in the coming step: a draw of its own."""
        return len(self._draws.fires(self.model.now, self.model.fire_rate)) == 1

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
        """Erase its pixel, or take its node away: the agent goes with its cell."""
        if self.alive:
            self.model.erase([self.name])

    def leave(self) -> None:
        """What the swarm calls when the cell has died: the end of this agent."""
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

    def _died(self) -> ValueError:
        return ValueError(
            f"the cell at {self.name!r} has died, its agent holds nothing any more; "
            "swarm.agent_at(name) gives the one that lives there now, if any"
        )

    def __repr__(self) -> str:
        if not self.alive:
            return f"<CellAgent {self.name!r}: dead>"
        label = self.label
        says = "undecided" if label is None else self.model.rule.classes.names[label]
        return f"<CellAgent {self.name!r}: {says}>"
