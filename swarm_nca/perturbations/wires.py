"""Cut and rewire: changes of single links between cells."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from swarm_nca.bounds import Share
from swarm_nca.perturbations.perturbation import Perturbation
from swarm_nca.randomness import Stream, check_seed, words
from swarm_nca.world import World
from swarm_nca.world.wires import CUT, rewired, wires_of


@dataclass(frozen=True, kw_only=True)
class LinkChoice(Perturbation):
    """A change of some links between different living cells.

    Attributes:
        share: the share of all links of each world, in [0, 1]; which ones is drawn at random from
            the seed, the world and its step.
    """

    CHOICE: ClassVar[int]

    share: Share

    def __call__(self, world: World, seed: int = 0) -> World:
        """The worlds with some links changed; see `Perturbation.__call__`."""
        seed = check_seed(seed)

        def changed(alone: World, _: int) -> World:
            own = torch.arange(alone.cells, device=alone.state.device)[:, None]
            links = (alone.neighbors != alone.cells) & (alone.neighbors != own)
            receiver, slot = links.nonzero(as_tuple=True)
            drawn = self._words(alone, seed, receiver, alone.neighbors[receiver, slot], 0)
            limit = round(self.share * (1 << 32))
            hit = drawn < limit
            receiver, slot = receiver[hit], slot[hit]
            wires = wires_of(alone)
            wires[receiver, slot] = self.ends(alone, receiver, slot, seed)
            return rewired(alone.with_cells(wire=wires))

        return self.one_by_one(world, changed)

    @abstractmethod
    def ends(self, alone: World, receiver: Tensor, slot: Tensor, seed: int) -> Tensor | int:
        """int64 [n], the new entries of the links into these rows and slots; see `world.wires`."""

    def what(self, before: World, after: World) -> str:
        """How many links."""
        return f"{self.share:.0%} of the links"

    def _words(self, alone: World, seed: int, one: Tensor, other: Tensor, lane: int) -> Tensor:
        """int64 [n] in [0, 2³²): a draw for each pair of rows, the same in both directions."""
        ends = torch.stack([alone.site[one], alone.site[other]]).aminmax(dim=0)
        # A pair has one number; the step of the world is mixed into the key.
        key = (alone.key + 0x9E3779B1 * alone.step) % (1 << 32)
        return words(seed, key, ends.min, ends.max, Stream.CHOICE + self.CHOICE)[lane]


@dataclass(frozen=True, kw_only=True)
class Cut(LinkChoice):
    """Links carry no messages any more, in both directions."""

    CHOICE: ClassVar[int] = 6
    kind: Literal["cut"] = field(default="cut", repr=False)

    def ends(self, alone: World, receiver: Tensor, slot: Tensor, seed: int) -> Tensor | int:
        """See `LinkChoice.ends`."""
        return CUT


@dataclass(frozen=True, kw_only=True)
class Rewire(LinkChoice):
    """Links come from another living cell of the world, drawn at random."""

    CHOICE: ClassVar[int] = 7
    kind: Literal["rewire"] = field(default="rewire", repr=False)

    def ends(self, alone: World, receiver: Tensor, slot: Tensor, seed: int) -> Tensor | int:
        """See `LinkChoice.ends`."""
        site, stream = alone.site, Stream.CHOICE + self.CHOICE
        # Not the pair's own draw, so that the two directions get different senders.
        drawn = words(seed, alone.key, site[receiver] * 1024 + slot, alone.step, stream)[1]
        others = max(alone.cells - 1, 1)
        sender = drawn * others >> 32
        return site[(sender + (sender >= receiver)) % alone.cells]
