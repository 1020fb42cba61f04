"""What worlds stand on: the places where cells can live, before anyone asks who is alive.

The sites of all B worlds of a batch lie one after another in one address space of P places: a
place's address is its world's start plus its site. Rows of a world are the addresses alive now,
ascending.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol, Self

import torch
from torch import Tensor


class Ground(Protocol):
    """B worlds' places, P in all, K neighbour slots, S stimulus values, D coordinates."""

    @property
    def sizes(self) -> Tensor:
        """int64 [B], the number of places of each world."""

    def alive(self) -> Tensor:
        """int64 [N], the addresses where a cell lives, ascending."""

    def look(self, address: Tensor) -> tuple[Tensor, Tensor]:
        """What there is to hear and to sense at addresses [n].

        Returns:
            heard: int64 [n, K], addresses, P for nobody; whoever is there need not be alive.
            stimulus: [n, S].
        """

    def position(self, address: Tensor) -> Tensor:
        """Coordinates [n, D] of addresses."""

    def names(self) -> tuple[Hashable, ...]:
        """The P places' names within their worlds."""

    def take(self, worlds: Tensor) -> Self:
        """The ground of some worlds, int64 [b], in that order."""

    def joined(self, others: Sequence[Self]) -> Self:
        """This ground followed by others of its kind.

        Raises:
            ValueError: another sort of grid, threshold or slot count.
        """

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        """The same on a device, stimulus in a dtype."""


def starts(sizes: Tensor) -> Tensor:
    """int64 [B + 1], the address at which each world starts, and the end of the last."""
    return torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])


def spread(worlds: Tensor, counts: Tensor) -> Tensor:
    """Indices that pick whole worlds out of a flat array, in the order given.

    Args:
        worlds: int64 [b], which worlds.
        counts: int64 [B], entries of each world in the flat array.

    Returns:
        int64 [n], indices into the flat array.
    """
    chosen = counts[worlds]
    before = starts(chosen)
    shift = starts(counts)[worlds] - before[:-1]
    index = torch.arange(int(before[-1]), device=counts.device)
    return index + shift.repeat_interleave(chosen)
