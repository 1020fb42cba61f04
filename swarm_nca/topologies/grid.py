"""Grids of pixels: neighbours are the 3×3 patch, in slot 3·(row offset + 1) + (column offset + 1).

All grids have nine slots, so that one rule runs on every grid. A von Neumann grid leaves the corner
slots empty; a torus joins opposite borders.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from swarm_nca.arguments import shown
from swarm_nca.suggestion import did_you_mean

NEIGHBORHOODS = {
    "moore": (0, 1, 2, 3, 4, 5, 6, 7, 8),
    "von_neumann": (1, 3, 4, 5, 7),
}


@dataclass(frozen=True)
class Grid:
    """The neighbourhood of pixels.

    Attributes:
        neighborhood: `moore` (eight neighbours) or `von_neumann` (four); both include the own slot.
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
    def hears(self) -> tuple[bool, ...]:
        """For each slot, whether it has a neighbour."""
        return tuple(slot in NEIGHBORHOODS[self.neighborhood] for slot in range(9))

    def patch(
        self, row: Tensor, column: Tensor, height: Tensor, width: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The 3×3 patch around each pixel, which is its stimulus in any neighborhood.

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
        height, width = height[:, None], width[:, None]
        if self.torus:
            rows, columns = rows % height, columns % width
            # A torus of one row (or column) is a ring: it has no rows above and below.
            rows = torch.where((height == 1) & (offset.repeat_interleave(3) != 0), -1, rows)
            columns = torch.where((width == 1) & (offset.repeat(3) != 0), -1, columns)
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        return torch.where(inside, rows * width + columns, 0), inside
