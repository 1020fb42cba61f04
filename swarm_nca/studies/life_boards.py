"""Boards for learning Life: batches drawn from a seed, and the same boards n steps later.

Boards are tori, so that every cell has eight neighbours and a network's convolutions, with circular
padding, can be exact at every cell.

For n = 1 a network's output at a cell depends only on its 3×3 neighbourhood, one of 512. So a batch
of any size is replaced by its different neighbourhoods, each weighted by its share of the cells.
The gradient is the same at a fraction of the cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from swarm_nca.rules.life import Life
from swarm_nca.studies.life_networks import to_patches

#: Powers of 2 for the number of a neighbourhood, in the order row, column.
_BITS = 2 ** torch.arange(9)


@dataclass(frozen=True)
class Batch:
    """The input of one gradient.

    Attributes:
        patches: float32 [9, P], neighbourhoods of cells.
        target: float32 [P], 1 if the cell is alive n steps later.
        share: weight of each column in the mean, float32 [P] or one number.
    """

    patches: Tensor
    target: Tensor
    share: Tensor | float


@dataclass(frozen=True)
class Boards:
    """A source of square boards on the torus.

    Args:
        steps: n, how many steps later the target is, at least 1.
        side: cells along a side, at least 3.
        density: the probability that a cell is alive; None draws one for each board, uniformly.
        rule: a rule of Life such as `B3/S23`.

    Raises:
        ValueError: a number outside its bounds, or an invalid rule.
    """

    steps: int
    side: int = 8
    density: float | None = None
    rule: str = "B3/S23"

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")
        if self.side < 3:
            raise ValueError(f"the side of a board must be at least 3, got {self.side}")
        if self.density is not None and not 0 <= self.density <= 1:
            raise ValueError(f"density must be from 0 to 1, got {self.density}")
        Life(self.rule)

    def draw(self, generator: np.random.Generator, count: int) -> Tensor:
        """Random boards, float32 [count, side, side] of 0 and 1."""
        if self.density is None:
            density: np.ndarray | float = generator.random((count, 1, 1), dtype=np.float32)
        else:
            density = self.density
        alive = generator.random((count, self.side, self.side), dtype=np.float32) < density
        return torch.from_numpy(alive).float()

    def later(self, boards: Tensor) -> Tensor:
        """The boards [B, side, side] n steps later."""
        rule, states = Life(self.rule), boards[:, None]
        for _ in range(self.steps):
            states = rule.sweep(states, torus=True)
        return states[:, 0]

    def batches(self, generator: np.random.Generator, size: int, count: int) -> Iterator[Batch]:
        """Yields `count` batches of `size` boards each."""
        boards = self.draw(generator, size * count)
        if self.steps == 1:
            shared = torch.arange(count).repeat_interleave(size)[:, None, None] * 512
            counts = torch.bincount((codes(boards) + shared).view(-1), minlength=count * 512)
            answers = self._answers()
            for row in counts.view(count, 512):
                present = row.nonzero().view(-1)
                share = row.index_select(0, present) / (size * self.side**2)
                patches = NEIGHBOURHOODS.index_select(1, present)
                yield Batch(patches, answers.index_select(0, present), share)
        else:
            later = self.later(boards)
            for begin in range(0, len(boards), size):
                target = flat(later[begin : begin + size])
                patches = whole(boards[begin : begin + size])
                yield Batch(patches, target, 1 / len(target))

    def eval_set(self, generator: np.random.Generator, size: int) -> Batch:
        """The evaluation set, on which a network that learned makes no mistake.

        For n = 1 all 512 neighbourhoods, which proves it for every board; otherwise `size` random
        boards.
        """
        if self.steps == 1:
            return Batch(NEIGHBOURHOODS, self._answers(), 1 / 512)
        boards = self.draw(generator, size)
        target = flat(self.later(boards))
        return Batch(whole(boards), target, 1 / len(target))

    def _answers(self) -> Tensor:
        """float32 [512]: the next state of the cell in the centre of each neighbourhood."""
        boards = torch.nn.functional.pad(NEIGHBOURHOODS.t().reshape(512, 3, 3), (1, 1, 1, 1))
        return Life(self.rule).sweep(boards[:, None], torus=False)[:, 0, 2, 2]


def flat(boards: Tensor) -> Tensor:
    """Boards [B, side, side] as cells [P]: row, column, board."""
    return boards.permute(1, 2, 0).reshape(-1)


def whole(boards: Tensor) -> Tensor:
    """The neighbourhoods of all cells of boards [B, side, side]: [9, P]."""
    return to_patches(flat(boards)[None, None], boards.shape[1])[0]


def codes(boards: Tensor) -> Tensor:
    """The number, int64 0 … 511, of the neighbourhood of each cell of boards [B, side, side]."""
    left_to_right = sum(torch.roll(boards, 1 - column, dims=2) * 2**column for column in range(3))
    total = sum(torch.roll(left_to_right, 1 - row, dims=1) * 8**row for row in range(3))
    return torch.as_tensor(total).long()


def _neighbourhoods() -> Tensor:
    """float32 [9, 512]: column k holds the bits of k."""
    return ((torch.arange(512) & _BITS[:, None]) > 0).float()


#: Every neighbourhood of a cell, float32 [9, 512].
NEIGHBOURHOODS = _neighbourhoods()
