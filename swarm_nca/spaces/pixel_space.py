"""The pixel space: pixels whose grey exceeds a threshold are alive.

Grey below the threshold is kept and is part of the stimulus of neighbours, as in the published
model.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from swarm_nca.rules.rule import Habitat
from swarm_nca.spaces.space import Lattice, Space, Sprouting, spread, starts
from swarm_nca.topologies import Grid


@dataclass(frozen=True, eq=False)
class PixelSpace(Space):
    """B pictures, one after another; their sizes may differ.

    Attributes:
        grey: [P], all pixels in [0, 1], picture by picture, row-major.
        height, width: int64 [B].
        grid: the neighbourhood of pixels.
        habitat: which pixels are cells, how they start, and whether grey is their stimulus.
    """

    kind: ClassVar[str] = "canvas"
    pictured: ClassVar[bool] = True

    grey: Tensor
    height: Tensor
    width: Tensor
    grid: Grid
    habitat: Habitat

    def __post_init__(self) -> None:
        if not self.grid.torus:
            return
        for height, width in set(zip(self.height.tolist(), self.width.tolist(), strict=True)):
            reason = self.grid.fits(height, width)
            if reason is not None:
                raise ValueError(f"{reason}; this one has {height} rows, {width} columns")

    @property
    def alive_above(self) -> float:
        """Pixels with more grey than this are alive, unless every pixel is a cell."""
        return self.habitat.alive_above

    def as_pixels(self) -> PixelSpace:
        """This space."""
        return self

    def lattice(self) -> Lattice | None:
        """See `Space.lattice`."""
        if self.habitat.sprout is None or not len(self.height):
            return None
        return self._lattice

    @cached_property
    def _lattice(self) -> Lattice | None:
        sizes = set(zip(self.height.tolist(), self.width.tolist(), strict=True))
        if len(sizes) != 1:
            return None
        return Lattice(len(self.height), *sizes.pop(), self.grid.torus, self.grid.moore)

    def occupied(self) -> tuple[int, ...] | None:
        """See `Space.occupied`."""
        return self.grid.occupied

    def sprouting(self, address: Tensor) -> Sprouting | None:
        """If every pixel is a cell: pixels with grey of ½ or more start alive."""
        if self.habitat.sprout is None:
            return None
        state = self.grey.new_tensor(self.habitat.sprout)
        return Sprouting(self.grey[address] >= 0.5, state)

    def extent(self, world: int) -> tuple[int, int]:
        """(rows, columns) of one picture."""
        return int(self.height[world]), int(self.width[world])

    def same_places(self, other: Space) -> bool:
        """Whether another space has pictures of the same sizes on the same grid."""
        if not other.pictured:
            return False
        canvas = other.as_pixels()
        return (
            canvas.grid == self.grid
            and torch.equal(canvas.height, self.height)
            and torch.equal(canvas.width, self.width)
        )

    def packed(self) -> dict[str, Tensor]:
        """Grey and sizes."""
        return {"grey": self.grey, "height": self.height, "width": self.width}

    def unpacked(self, tensors: Mapping[str, Tensor]) -> PixelSpace:
        """Other pictures on the same grid."""
        return replace(self, grey=tensors["grey"], height=tensors["height"], width=tensors["width"])

    @cached_property
    def sizes(self) -> Tensor:
        """int64 [B], pixels of each picture."""
        return self.height * self.width

    @cached_property
    def _starts(self) -> Tensor:
        return starts(self.sizes)

    def world_at(self, address: Tensor) -> Tensor:
        """int64 [n], the picture of each address."""
        return torch.searchsorted(self._starts, address, right=True) - 1

    def alive(self) -> Tensor:
        """int64 [N], the addresses of living pixels, ascending."""
        return self.lives(self.grey).nonzero().view(-1)

    def lives(self, grey: Tensor) -> Tensor:
        """bool, whether pixels of this grey are alive; compared in float32 for every dtype."""
        if self.habitat.sprout is not None:
            return torch.ones_like(grey, dtype=torch.bool)
        return grey.to(torch.float32) > self.alive_above

    def look(self, address: Tensor) -> tuple[Tensor, Tensor]:
        """Addresses of neighbours int64 [n, 9] (P if there is none), and patch [n, 9]."""
        pixel, inside, heard = self._patch(address)
        if self.habitat.senses:
            stimulus = self.grey[pixel].masked_fill_(~inside, 0.0)
        else:
            stimulus = self.grey.new_empty(len(address), 0)
        return torch.where(inside & heard, pixel, len(self.grey)), stimulus

    def around(self, address: Tensor) -> Tensor:
        """int64 [m], all pixels whose patch contains one of these, ascending, each once."""
        pixel, inside, _ = self._patch(address)
        near: Tensor = pixel[inside].unique()  # type: ignore[no-untyped-call]
        return near

    def _patch(self, address: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        world = self.world_at(address)
        start, width = self._starts[world], self.width[world]
        site = address - start
        row = site.div(width, rounding_mode="floor")
        column = site - row * width
        pixel, inside = self.grid.patch(row, column, self.height[world], width)
        return pixel + start[:, None], inside, self.grid.heard(row, column)

    def position(self, address: Tensor) -> Tensor:
        """int64 [n, 2], row and column of each pixel."""
        world = self.world_at(address)
        site, width = address - self._starts[world], self.width[world]
        return torch.stack([site.div(width, rounding_mode="floor"), site % width], dim=1)

    def names(self) -> tuple[Hashable, ...]:
        """(row, column) of every pixel."""
        pixels = torch.arange(len(self.grey), device=self.grey.device)
        return tuple((row, column) for row, column in self.position(pixels).tolist())

    def picture(self, world: int) -> Tensor:
        """[H, W], one picture, as a view."""
        start, end = int(self._starts[world]), int(self._starts[world + 1])
        return self.grey[start:end].view(int(self.height[world]), int(self.width[world]))

    def painted(self, address: Tensor, grey: Tensor) -> PixelSpace:
        """The space with new grey [n] at addresses [n]."""
        return replace(self, grey=self.grey.index_copy(0, address, grey))

    def take(self, worlds: Tensor) -> PixelSpace:
        """The pictures of some worlds, in that order."""
        grey = self.grey[spread(worlds, self.sizes)]
        return replace(self, grey=grey, height=self.height[worlds], width=self.width[worlds])

    def joined(self, others: Sequence[PixelSpace]) -> PixelSpace:
        """These pictures, followed by those of `others`."""
        for other in others:
            if (other.grid, other.habitat) != (self.grid, self.habitat):
                raise ValueError(
                    f"worlds on {self.grid} (alive above {self.alive_above}) cannot share a batch "
                    f"with worlds on {other.grid} (alive above {other.alive_above}); they need one "
                    "grid, and rules with the same habitat"
                )
        spaces = (self, *others)
        return replace(
            self,
            grey=torch.cat([space.grey for space in spaces]),
            height=torch.cat([space.height for space in spaces]),
            width=torch.cat([space.width for space in spaces]),
        )

    def to(self, device: torch.device, dtype: torch.dtype) -> PixelSpace:
        """The same space on a device, with the grey in a dtype."""
        return replace(
            self,
            grey=self.grey.to(device=device, dtype=dtype),
            height=self.height.to(device),
            width=self.width.to(device),
        )
