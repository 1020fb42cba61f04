"""What cells hear: messages on their way, through faults of cells and links.

All messages of a step are rows of one bank: the present states, one row of zeros for silence, then
what cells said in this and earlier steps, then what was last heard in each slot. An index table
says which row each firing cell reads in each slot. With sound cells and links that only lose
messages, the bank is the states and the row of zeros. What cells said in the last D steps is a
ring: the newest replaces the oldest.
"""

from __future__ import annotations

import torch
from torch import Tensor

from swarm_nca.links import Links
from swarm_nca.randomness import StepDraws, Stream, normal_rows
from swarm_nca.world import World
from swarm_nca.world.faults import ANY, SAYS, Fault, flagged
from swarm_nca.world.fields import IN_FLIGHT, LAST_HEARD
from swarm_nca.world.wires import WIRE


class Mail:
    """The messages of a world from its present step on.

    Each step calls `collect` once, then `arriving` and `keep` for the firing rows, or `arriving`
    for all rows, in one or several calls.

    Args:
        world: the world; gives links, faults, and what is in flight.
        draws: random draws of losses, delays and lies.
        records: whether autograd records the steps; without it every step changes one bank.
        slots: int64 [K'], the slots to read; all K when None. See `readable`.

    Attributes:
        plain: whether the bank is the states and a row of zeros.
        direct: whether, in addition, no message is lost: then `arriving` draws nothing, and may be
            called for some of the rows at a time, by several threads.
        keeps: whether `keep` has to be called.
        frozen: bool [N], the cells that do not act; None if there are none.
        table: int64 [N, K], the rows that all cells read while no message is lost or late.
    """

    def __init__(
        self,
        world: World,
        draws: StepDraws,
        *,
        records: bool = False,
        slots: Tensor | None = None,
    ) -> None:
        self._links, self._draws, self._cells = world.links, draws, world.cells
        self._channels, self._slots = world.state.shape[1], world.neighbors.shape[1]
        self.frozen = flagged(world, Fault.FROZEN)
        self._stuck, self._lying = flagged(world, Fault.STUCK), flagged(world, Fault.LYING)
        self._says = world.cell_fields.get(SAYS)
        self.table = _without(world.neighbors, flagged(world, Fault.SILENT))
        if slots is not None:
            self.table = self.table.index_select(1, slots)
        self._said = sends_other_than_states(world)
        self.keeps = _repeats(world.links)
        self.plain = not (self._said or self.keeps)
        sound = self._links.drop == 0.0 and type(self._links).arriving is Links.arriving
        self.direct = self.plain and sound
        self._records = records
        if not self.plain:
            self._fill(world)

    def _fill(self, world: World) -> None:
        """Make the ring [D, N, C], what was last heard [N, K · C], and the bank."""
        cells, channels, held = self._cells, self._channels, self.held(world)
        self._depth, self._newest = (world.links.slowest + 1 if self._said else 0), 0
        silence = world.state.new_zeros(self._depth * cells, channels)
        self._ring = silence.view(self._depth, cells, channels)
        if IN_FLIGHT in held:
            # `collect` puts what cells say now in the place of the last entry.
            self._ring[:-1] = held[IN_FLIGHT].transpose(0, 1)
        self._last = world.state.new_zeros(0, self._slots * channels)
        if LAST_HEARD in held:
            self._last = held[LAST_HEARD].flatten(1)
        if self._records:
            return
        now = world.state.new_zeros(cells + 1, channels)
        ring, last = self._ring.flatten(0, 1), self._last.view(-1, channels)
        self._bank = torch.cat([now, ring, last]).detach()
        end = len(now) + len(ring)
        self._ring = self._bank[len(now) : end].view_as(self._ring)
        self._last = self._bank[end:].view_as(self._last)

    @staticmethod
    def held(world: World) -> dict[str, Tensor]:
        """Copies of the fields that a world with these links holds; zeros where it lacks them."""
        links, slots = world.links, world.neighbors.shape[1]
        depths = {IN_FLIGHT: links.slowest, LAST_HEARD: slots if _repeats(links) else 0}
        return {name: _blank(world, name, depth) for name, depth in depths.items() if depth}

    def able(self, fired: Tensor) -> Tensor:
        """The rows of `fired` [M] whose cells are not frozen."""
        return fired if self.frozen is None else fired[~self.frozen[fired]]

    def collect(self, padded: Tensor, t: int) -> Tensor:
        """[R, C], the bank of step t.

        Args:
            padded: [N + 1, C], the states before the step, and a row of zeros.
        """
        if self.plain:
            return padded
        if self._said:
            said, self._newest = self._sent(padded[:-1], t), (self._newest - 1) % self._depth
            if self._records:
                place = torch.tensor([self._newest], device=said.device)
                self._ring = self._ring.index_copy(0, place, said[None])
            else:
                self._ring[self._newest] = said
        if self._records:
            channels = self._channels
            last = self._last.reshape(-1, channels)
            return torch.cat([padded, self._ring.reshape(-1, channels), last])
        self._bank[: len(padded)] = padded
        return self._bank

    def passes(self, state: Tensor) -> Tensor | None:
        """bool [N, C]: where gradients pass from what cells say to their states [N, C].

        None if neighbours hear the states themselves.
        """
        if not self._said:
            return None
        through = torch.ones_like(state, dtype=torch.bool)
        if self._links.bits is not None:
            through = state.abs() <= self._links.range
        for false in (self._stuck, self._lying):
            if false is not None:
                through = through & ~false[:, None]
        return through

    def arriving(self, rows: Tensor, t: int) -> Tensor:
        """int64 [M, K], the row of the bank that each firing row reads in each slot."""
        heard = self._links.arriving(self.table, rows, self._draws, t)
        if self.plain:
            return heard
        silence, own = self._cells, rows[:, None]
        index = heard
        if self._said:
            delay = self._links.delays(rows, self._slots, self._draws, t)
            said = silence + 1 + (self._newest + delay) % self._depth * silence + heard
            index = torch.where((heard == own) | (heard == silence), heard, said)
        if self.keeps:
            senders = self.table.index_select(0, rows)
            lost = (heard == silence) & (senders != silence)
            first = silence + 1 + self._depth * silence
            slots = torch.arange(self._slots, device=rows.device)
            index = torch.where(lost, first + own * self._slots + slots, index)
        return index

    def keep(self, rows: Tensor, messages: Tensor) -> None:
        """Keep what rows [M] have heard, messages [M, K, C], if links repeat it after a loss."""
        if not self.keeps:
            return
        put = self._last.index_copy if self._records else self._last.index_copy_
        self._last = put(0, rows, messages.flatten(1).to(self._last.dtype))

    def fields(self) -> dict[str, Tensor]:
        """What is in flight or kept, as further fields of the world after the last step."""
        fields = {}
        depth = self._links.slowest
        if depth:
            newest_first = self._ring.roll(-self._newest, 0)
            fields[IN_FLIGHT] = newest_first[:depth].transpose(0, 1).contiguous()
        if self.keeps:
            fields[LAST_HEARD] = self._last.view(self._cells, self._slots, self._channels).clone()
        return fields

    def _sent(self, state: Tensor, t: int) -> Tensor:
        """[N, C], what cells with states [N, C] say, as it can be read."""
        sent = state
        if self._stuck is not None and self._says is not None:
            sent = torch.where(self._stuck[:, None], self._says.to(state), sent)
        if self._says is not None:
            # Drawn without liars too: other processes may have some, and must draw alike.
            offsets = self._draws.word(t, Stream.LIE) >> 12
            if self._lying is not None:
                lies = self._says.to(state) * normal_rows(offsets, self._channels, state.dtype)
                sent = torch.where(self._lying[:, None], lies, sent)
        return self._links.rounded(sent)


def _repeats(links: Links) -> bool:
    """Whether cells keep what they hear; without losses too, because these may begin later."""
    return links.on_loss == "last"


def sends_other_than_states(world: World) -> bool:
    """Whether neighbours hear anything but present states: late, rounded or false messages."""
    return (
        world.links.slowest > 0
        or world.links.bits is not None
        or SAYS in world.cell_fields
        or flagged(world, Fault.STUCK | Fault.LYING) is not None
    )


def readable(world: World) -> Tensor | None:
    """int64 [K'], the slots that cells read, if the others are silent for all cells; else None.

    Only for perfect links between sound senders, where no draw or kept message belongs to a slot.
    """
    slots = world.space.occupied()
    links = world.links
    if slots is None or links.drop or _repeats(links) or sends_other_than_states(world):
        return None
    return torch.tensor(slots, device=world.neighbors.device)


def ordinary(world: World) -> bool:
    """Whether one rule, sound cells and perfect links are all there is."""
    sound = flagged(world, ANY) is None and WIRE not in world.cell_fields
    return world.links == Links() and sound and not world.guests


def _without(neighbors: Tensor, silent: Tensor | None) -> Tensor:
    """The index table [N, K] without silent [N] senders; cells still hear themselves."""
    if silent is None:
        return neighbors
    absent = len(neighbors)
    unheard = torch.cat([silent, silent.new_zeros(1)])[neighbors]
    own = neighbors == torch.arange(absent, device=neighbors.device)[:, None]
    return torch.where(unheard & ~own, absent, neighbors)


def _blank(world: World, name: str, depth: int) -> Tensor:
    """[N, depth, C], a field of the world, cut or filled up with zeros."""
    held = world.cell_fields.get(name)
    whole = world.state.new_zeros(world.cells, depth, world.state.shape[1])
    if held is not None:
        known = min(depth, held.shape[1])
        whole[:, :known] = held[:, :known]
    return whole
