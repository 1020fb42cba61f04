"""Grids of pixels: neighbours are in the 3×3 patch of a pixel, in one of its nine slots.

On a square grid the slot is 3·(row offset + 1) + (column offset + 1). A von Neumann grid leaves the
corner slots empty. A hexagonal grid shifts every odd row by half a pixel to the right: a cell's six
neighbours are its two in the same row and the two nearest in the row above and below, which take
the corner slots; the slots above and below are empty. A triangular grid alternates triangles that
point up and down: a cell's three neighbours are left, right, and below (if row + column is even) or
above. All grids have nine slots, so that one rule runs on every grid. A torus joins opposite
borders.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from swarm_nca.arguments import shown
from swarm_nca.suggestion import did_you_mean

#: The slots with a neighbour, by name; for cells at even and at odd places, see `Grid.heard`.
NEIGHBORHOODS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "moore": ((0, 1, 2, 3, 4, 5, 6, 7, 8),) * 2,
    "von_neumann": ((1, 3, 4, 5, 7),) * 2,
    "hexagonal": ((0, 2, 3, 4, 5, 6, 8),) * 2,
    "triangular": ((3, 4, 5, 7), (1, 3, 4, 5)),
}


#: Whether a torus needs an even number of (rows, columns).
_EVEN = {"hexagonal": (True, False), "triangular": (True, True)}


@dataclass(frozen=True)
class Grid:
    """The neighbourhood of pixels.

    Attributes:
        neighborhood: `moore` (eight neighbours), `von_neumann` (four), `hexagonal` (six) or
            `triangular` (three); all include the own slot.
        torus: whether opposite borders touch.
    """

    neighborhood: str = "moore"
    torus: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.neighborhood, str) or self.neighborhood not in NEIGHBORHOODS:
            hint = did_you_mean(self.neighborhood, NEIGHBORHOODS)
            raise ValueError(
                f"neighborhood must be one of {', '.join(NEIGHBORHOODS)}, "
                f"got {shown(self.neighborhood)}{hint}"
            )

    @property
    def moore(self) -> bool:
        """Whether cells have all eight neighbours."""
        return self.neighborhood == "moore"

    @property
    def occupied(self) -> tuple[int, ...] | None:
        """The slots in which some pixel has a neighbour; None for all nine."""
        even, odd = NEIGHBORHOODS[self.neighborhood]
        slots = tuple(sorted({*even, *odd}))
        return None if len(slots) == 9 else slots

    def heard(self, row: Tensor, column: Tensor) -> Tensor:
        """bool [n, 9]: the slots of pixels [n] that have a neighbour, borders apart."""
        slots = torch.zeros(2, 9, dtype=torch.bool, device=row.device)
        for odd, present in enumerate(NEIGHBORHOODS[self.neighborhood]):
            slots[odd, list(present)] = True
        return slots[(row + column) % 2]

    def fits(self, height: int, width: int) -> str | None:
        """Why a picture of this size cannot lie on this grid; None if it can."""
        if not self.torus:
            return None
        if 2 in (height, width):
            return (
                "on a torus a picture must be at least 3 × 3, or cells have one neighbour twice (a "
                "picture of one row is a ring)"
            )
        rows, columns = _EVEN.get(self.neighborhood, (False, False))
        if (rows and height % 2) or (columns and width % 2):
            what = "rows and columns" if columns else "rows"
            return f"a {self.neighborhood} torus needs an even number of {what}"
        return None

    def patch(
        self, row: Tensor, column: Tensor, height: Tensor, width: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The patch around each pixel, which is its stimulus.

        It is the 3×3 patch on every grid but the hexagonal one, where it is the cell and its six
        neighbours.

        Args:
            row, column: int64 [n], the pixels.
            height, width: int64 [n], the sizes of their pictures.

        Returns:
            pixel: int64 [n, 9], row-major pixel numbers in each picture; 0 outside the picture.
            inside: bool [n, 9], whether the pixel is inside the picture.
        """
        offset = torch.tensor([-1, 0, 1], device=row.device)
        rows = row[:, None] + offset.repeat_interleave(3)
        columns = column[:, None] + offset.repeat(3)
        hexagonal = self.neighborhood == "hexagonal"
        if hexagonal:
            # In even rows the neighbours to the right, in odd rows those to the left, are nearer.
            corner = offset.repeat_interleave(3) * offset.repeat(3) != 0
            odd = (row % 2)[:, None]
            columns = columns + corner * torch.where(offset.repeat(3) > 0, odd - 1, odd)
        height, width = height[:, None], width[:, None]
        if self.torus:
            rows, columns = rows % height, columns % width
            # A torus of one row (or column) is a ring: it has no rows above and below.
            rows = torch.where((height == 1) & (offset.repeat_interleave(3) != 0), -1, rows)
            columns = torch.where((width == 1) & (offset.repeat(3) != 0), -1, columns)
        if hexagonal:
            rows = torch.where(self.heard(row, column), rows, -1)
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        return torch.where(inside, rows * width + columns, 0), inside
