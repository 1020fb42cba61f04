"""What worlds stand on: the places where cells can live, before anyone asks who is alive.

The sites of all B worlds of a batch lie one after another in one address space of P places: a
place's address is its world's start plus its site. Rows of a world are the addresses alive now,
ascending.
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
    """B full pictures of one size: row r of the batch is pixel r mod (H·W) of world r div (H·W)."""

    worlds: int
    height: int
    width: int
    torus: bool
    moore: bool


class Sprouting(NamedTuple):
    """Which rows are alive at the start (bool [n]), and what they then hold (state [C])."""

    on: Tensor
    state: Tensor


class Space(ABC):
    """B worlds' places, P in all, K neighbour slots, S stimulus values, D coordinates.

    It answers questions; nothing outside this package asks for its class.

    Attributes:
        kind: its name, for people.
        pictured: whether its worlds have a picture of rows and columns, to be drawn on.
    """

    kind: ClassVar[str]
    pictured: ClassVar[bool] = False

    def as_pixels(self) -> PixelSpace:
        """This space, where it is pictures.

        Raises:
            ValueError: worlds that stand on graphs.
        """
        raise ValueError("this world stands on a graph, it has no picture")

    def lattice(self) -> Lattice | None:
        """The shape of full pictures of one size, whose rows are all pixels; None otherwise."""
        return None

    def sprouting(self, address: Tensor) -> Sprouting | None:
        """How cells at these addresses start, where not all start with zeros."""
        return None

    def without(self, address: Tensor) -> Self:
        """The same places with some of them dead for good.

        Raises:
            ValueError: pictures, whose cells live by their grey.
        """
        raise ValueError("cells on a picture live by its grey; erase their pixels")

    @abstractmethod
    def extent(self, world: int) -> tuple[int, int]:
        """(rows, columns) of the picture of one world; of a graph, of the square it is drawn on."""

    @abstractmethod
    def same_places(self, other: Space) -> bool:
        """Whether another ground has the very same places, hearing each other in the same way."""

    @abstractmethod
    def packed(self) -> dict[str, Tensor]:
        """The tensors that make this space, by name."""

    @abstractmethod
    def unpacked(self, tensors: Mapping[str, Tensor]) -> Self:
        """A ground like this one, of the tensors that `packed` gave.

        Raises:
            KeyError: a tensor that is missing.
        """

    @property
    @abstractmethod
    def sizes(self) -> Tensor:
        """int64 [B], the number of places of each world."""

    @abstractmethod
    def alive(self) -> Tensor:
        """int64 [N], the addresses where a cell lives, ascending."""

    @abstractmethod
    def look(self, address: Tensor) -> tuple[Tensor, Tensor]:
        """What there is to hear and to sense at addresses [n].

        Returns:
            heard: int64 [n, K], addresses, P for nobody; whoever is there need not be alive.
            stimulus: [n, S].
        """

    @abstractmethod
    def position(self, address: Tensor) -> Tensor:
        """Coordinates [n, D] of addresses."""

    @abstractmethod
    def names(self) -> tuple[Hashable, ...]:
        """The P places' names within their worlds."""

    @abstractmethod
    def take(self, worlds: Tensor) -> Self:
        """The ground of some worlds, int64 [b], in that order."""

    @abstractmethod
    def joined(self, others: Sequence[Self]) -> Self:
        """This ground followed by others of its kind.

        Raises:
            ValueError: another sort of grid, threshold or slot count.
        """

    @abstractmethod
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
