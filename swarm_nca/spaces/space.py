"""The base class of spaces: the places where cells can live, alive or not.

The sites of all B worlds of a batch follow one another in one address space of P places: the
address of a place is the start of its world plus its site. The rows of a world are its living
addresses, ascending.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

import torch
from torch import Tensor

if TYPE_CHECKING:
    from swarm_nca.spaces.pixel_space import PixelSpace


class Lattice(NamedTuple):
    """B full pictures of one size: row r is pixel r mod (H·W) of world r div (H·W)."""

    worlds: int
    height: int
    width: int
    torus: bool
    moore: bool


class Sprouting(NamedTuple):
    """Which rows are alive at the start (bool [n]), and their state (state [C])."""

    on: Tensor
    state: Tensor


class Space(ABC):
    """The places of B worlds: P places, K neighbour slots, S stimulus values, D coordinates.

    Code outside this package uses this interface and does not check the class.

    Attributes:
        kind: name in messages.
        pictured: whether the worlds are pictures of rows and columns, which can be drawn on.
    """

    kind: ClassVar[str]
    pictured: ClassVar[bool] = False

    def as_pixels(self) -> PixelSpace:
        """This space as a pixel space.

        Raises:
            ValueError: worlds on graphs.
        """
        raise ValueError("this world is on a graph, it has no picture")

    def lattice(self) -> Lattice | None:
        """The shape, if all worlds are pictures of one size and all pixels are cells; else None."""
        return None

    def occupied(self) -> tuple[int, ...] | None:
        """The slots in which some place can have a neighbour; None if these may be all."""
        return None

    def sprouting(self, address: Tensor) -> Sprouting | None:
        """How cells at these addresses start; None if all start with zeros."""
        return None

    def without(self, address: Tensor) -> Self:
        """The same space with some places permanently dead.

        Raises:
            ValueError: a pixel space, where the grey decides which cells are alive.
        """
        raise ValueError("on a picture the grey decides which cells are alive; erase their pixels")

    @abstractmethod
    def extent(self, world: int) -> tuple[int, int]:
        """(rows, columns) of the picture of one world, or of the square around a graph."""

    @abstractmethod
    def same_places(self, other: Space) -> bool:
        """Whether another space has the same places with the same neighbours."""

    @abstractmethod
    def packed(self) -> dict[str, Tensor]:
        """The tensors of this space, by name."""

    @abstractmethod
    def unpacked(self, tensors: Mapping[str, Tensor]) -> Self:
        """A space like this one with the tensors of `packed`.

        Raises:
            KeyError: a missing tensor.
        """

    @property
    @abstractmethod
    def sizes(self) -> Tensor:
        """int64 [B], the number of places of each world."""

    @abstractmethod
    def alive(self) -> Tensor:
        """int64 [N], the addresses of living cells, ascending."""

    @abstractmethod
    def look(self, address: Tensor) -> tuple[Tensor, Tensor]:
        """Neighbours and stimulus at addresses [n].

        Returns:
            neighbors: int64 [n, K], addresses, which may be dead; P if there is none.
            stimulus: [n, S].
        """

    @abstractmethod
    def position(self, address: Tensor) -> Tensor:
        """Coordinates [n, D] of addresses."""

    @abstractmethod
    def names(self) -> tuple[Hashable, ...]:
        """The names of the P places in their worlds."""

    @abstractmethod
    def take(self, worlds: Tensor) -> Self:
        """The space of some worlds, int64 [b], in the given order."""

    @abstractmethod
    def joined(self, others: Sequence[Self]) -> Self:
        """This space followed by others of its kind.

        Raises:
            ValueError: another grid, habitat, slot count or number of coordinates.
        """

    @abstractmethod
    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        """The same space on a device, with the stimulus in a dtype."""


def starts(sizes: Tensor) -> Tensor:
    """int64 [B + 1], the first address of each world, then the end of the last world."""
    return torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])


def spread(worlds: Tensor, counts: Tensor) -> Tensor:
    """Indices that select whole worlds from a flat array, in the given order.

    Args:
        worlds: int64 [b], the worlds.
        counts: int64 [B], entries of each world in the flat array.

    Returns:
        int64 [n], indices into the flat array.
    """
    chosen = counts[worlds]
    before = starts(chosen)
    shift = starts(counts)[worlds] - before[:-1]
    index = torch.arange(int(before[-1]), device=counts.device)
    return index + shift.repeat_interleave(chosen)
