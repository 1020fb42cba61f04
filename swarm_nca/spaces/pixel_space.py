"""Pictures as space: the grey is the truth, and alive is where it exceeds a threshold.

Faint grey below the threshold is kept and sensed by neighbours, as in the published model.
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
    """B pictures, laid one after another; they may differ in size.

    Attributes:
        grey: [P], all pixels in [0, 1], picture by picture, row-major.
        height, width: int64 [B].
        grid: how pixels hear each other.
        habitat: which pixels are cells, how they start, and whether they sense grey.
    """

    kind: ClassVar[str] = "canvas"
    pictured: ClassVar[bool] = True

    grey: Tensor
    height: Tensor
    width: Tensor
    grid: Grid
    habitat: Habitat

    def __post_init__(self) -> None:
        if self.grid.torus and bool(((self.height == 2) | (self.width == 2)).any()):
            raise ValueError(
                "on a torus a picture must be at least 3 × 3, or cells hear one neighbour twice "
                "(a picture of one row is a ring); "
                f"the smallest here has {self.height.min()} rows, {self.width.min()} columns"
            )

    @property
    def alive_above(self) -> float:
        """A pixel lives if its grey exceeds this, where only ink lives."""
        return self.habitat.alive_above

    def as_pixels(self) -> PixelSpace:
        """Itself."""
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
        moore = all(self.grid.hears)
        return Lattice(len(self.height), *sizes.pop(), self.grid.torus, moore)

    def sprouting(self, address: Tensor) -> Sprouting | None:
        """Where every pixel is a cell: those whose grey is ½ or more."""
        if self.habitat.sprout is None:
            return None
        state = self.grey.new_tensor(self.habitat.sprout)
        return Sprouting(self.grey[address] >= 0.5, state)

    def extent(self, world: int) -> tuple[int, int]:
        """(rows, columns) of one picture."""
        return int(self.height[world]), int(self.width[world])

    def same_places(self, other: Space) -> bool:
        """Whether another canvas has pictures of these sizes on this grid."""
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
        """Other pictures on this grid."""
        return replace(self, grey=tensors["grey"], height=tensors["height"], width=tensors["width"])

    @cached_property
    def sizes(self) -> Tensor:
        """int64 [B], pixels of each picture."""
        return self.height * self.width

    @cached_property
    def _starts(self) -> Tensor:
        return starts(self.sizes)

    def world_at(self, address: Tensor) -> Tensor:
        """int64 [n], the picture an address lies in."""
        return torch.searchsorted(self._starts, address, right=True) - 1

    def alive(self) -> Tensor:
        """int64 [N], the living pixels' addresses, ascending."""
        return self.lives(self.grey).nonzero().view(-1)

    def lives(self, grey: Tensor) -> Tensor:
        """bool, whether pixels of this grey live: the same in every dtype, as float32 decides."""
        if self.habitat.sprout is not None:
            return torch.ones_like(grey, dtype=torch.bool)
        return grey.to(torch.float32) > self.alive_above

    def look(self, address: Tensor) -> tuple[Tensor, Tensor]:
        """Heard addresses int64 [n, 9] (P for nobody) and the grey of the 3×3 patch [n, 9]."""
        pixel, there = self._patch(address)
        if self.habitat.senses:
            stimulus = self.grey[pixel].masked_fill_(~there, 0.0)
        else:
            stimulus = self.grey.new_empty(len(address), 0)
        listens = torch.tensor(self.grid.hears, device=address.device)
        return torch.where(there & listens, pixel, len(self.grey)), stimulus

    def around(self, address: Tensor) -> Tensor:
        """int64 [m], these pixels and all whose 3×3 patch they lie in, ascending, each once."""
        pixel, there = self._patch(address)
        near: Tensor = pixel[there].unique()  # type: ignore[no-untyped-call]
        return near

    def _patch(self, address: Tensor) -> tuple[Tensor, Tensor]:
        world = self.world_at(address)
        start, width = self._starts[world], self.width[world]
        site = address - start
        row = site.div(width, rounding_mode="floor")
        pixel, there = self.grid.patch(row, site - row * width, self.height[world], width)
        return pixel + start[:, None], there

    def position(self, address: Tensor) -> Tensor:
        """int64 [n, 2], row and column of each pixel."""
        world = self.world_at(address)
        site, width = address - self._starts[world], self.width[world]
        return torch.stack([site.div(width, rounding_mode="floor"), site % width], dim=1)

    def names(self) -> tuple[Hashable, ...]:
        """(row, column) of every pixel."""
        every = torch.arange(len(self.grey), device=self.grey.device)
        return tuple((row, column) for row, column in self.position(every).tolist())

    def picture(self, world: int) -> Tensor:
        """[H, W], one picture; a view."""
        start, end = int(self._starts[world]), int(self._starts[world + 1])
        return self.grey[start:end].view(int(self.height[world]), int(self.width[world]))

    def painted(self, address: Tensor, grey: Tensor) -> PixelSpace:
        """The canvas with new grey [n] at addresses [n]."""
        return replace(self, grey=self.grey.index_copy(0, address, grey))

    def take(self, worlds: Tensor) -> PixelSpace:
        """The pictures of some worlds, in that order."""
        grey = self.grey[spread(worlds, self.sizes)]
        return replace(self, grey=grey, height=self.height[worlds], width=self.width[worlds])

    def joined(self, others: Sequence[PixelSpace]) -> PixelSpace:
        """These pictures, then the others'."""
        for other in others:
            if (other.grid, other.habitat) != (self.grid, self.habitat):
                raise ValueError(
                    f"worlds on {self.grid} (alive above {self.alive_above}) cannot share a batch "
                    f"with worlds on {other.grid} (alive above {other.alive_above}); they need one "
                    "grid, and rules whose cells live in the same places"
                )
        every = (self, *others)
        return replace(
            self,
            grey=torch.cat([one.grey for one in every]),
            height=torch.cat([one.height for one in every]),
            width=torch.cat([one.width for one in every]),
        )

    def to(self, device: torch.device, dtype: torch.dtype) -> PixelSpace:
        """The same on a device, grey in a dtype."""
        return replace(
            self,
            grey=self.grey.to(device=device, dtype=dtype),
            height=self.height.to(device),
            width=self.width.to(device),
        )
