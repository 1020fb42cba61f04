"""Measured values per step, for the curves; thinned out as a session grows long."""

from __future__ import annotations

import copy
from typing import Literal

import numpy as np
import numpy.typing as npt

from swarm_nca.measure.cell_stats import CellStats
from swarm_nca.render import decided
from swarm_nca.viewer.pieces import most_votes, pieces_of

Values = npt.NDArray[np.float64]

#: Maximum number of steps kept (beyond it every second one is dropped), and maximum bytes, which
#: leave fewer steps for a large batch.
MOST, ROOM = 4_096, 16 * 2**20

#: Steps kept for a batch of any size.
_LEAST = 64


def measured(seen: CellStats) -> Values:
    """float64 [worlds, values] in the order of `History.NAMES`, nan where nothing is measured.

    With classes, the number of cells per class follows, silent cells last. The largest vote is the
    share of cells that show the most common class of their piece. While all states are zero,
    accuracy and undecided are nan, because ties alone would decide them. Without classes the
    largest vote is the share of alive cells, and accuracy and undecided are nan.
    """
    if not seen.rule.readout.class_names:
        return _without_classes(seen)
    cells = seen.cells.numpy().astype(np.float64)
    cells[cells == 0] = np.nan
    size = seen.sums(seen.world.state.abs().mean(dim=1)).numpy()
    active = np.where(size != 0, cells, np.nan)
    known = np.where(seen.labelled.numpy(), active, np.nan)
    classes, shown = len(seen.rule.classes), decided(seen.world, None, seen.rule.shown_above)
    world_of, piece = seen.world_of.numpy(), pieces_of(seen.world)
    box = world_of * (classes + 1) + np.where(shown >= 0, shown, classes)
    counts = np.bincount(box, minlength=len(cells) * (classes + 1)).reshape(-1, classes + 1)
    _, most = most_votes(seen.world, shown)
    first = np.unique(piece, return_index=True)[1]
    largest = np.bincount(world_of[first], most, minlength=len(cells))
    correct, undecided = seen.correct.numpy(), seen.undecided.numpy()
    shares = [correct / known, largest / cells, undecided / active, size / cells]
    return np.concatenate([np.stack(shares, axis=1), counts], axis=1)


def _without_classes(seen: CellStats) -> Values:
    cells = seen.cells.numpy().astype(np.float64)
    cells[cells == 0] = np.nan
    size = seen.sums(seen.world.state.abs().mean(dim=1)).numpy()
    unknown = np.full_like(cells, np.nan)
    return np.stack([unknown, seen.living.numpy() / cells, unknown, size / cells], axis=1)


class History:
    """Measured values by step, ascending, of each world of a batch.

    Args:
        worlds: number of worlds.
        counts: number of counts beside the named values: one per class, and silent cells.
    """

    NAMES = ("accuracy", "largest vote", "undecided", "magnitude")

    def __init__(self, worlds: int = 1, counts: int = 0) -> None:
        row = (worlds, len(self.NAMES) + counts)
        most = min(MOST, max(_LEAST, ROOM // (8 * worlds * row[1])))
        self._steps, self._values = np.empty(most), np.empty((most, *row))
        self._count, self._stride = 0, 1

    def __len__(self) -> int:
        return self._count

    def wants(self, step: int) -> bool:
        """Whether values after this step are kept."""
        return step % self._stride == 0

    def note(self, step: int, values: Values) -> None:
        """Store the values after a step, [worlds, values]; replaces earlier values of that step."""
        row = self._row(step)
        if row == self._count or self._steps[row] != step:
            if self._count == len(self._steps):
                self._thin()
                row = self._row(step)
            for kept in (self._steps, self._values):
                kept[row + 1 : self._count + 1] = kept[row : self._count]
            self._count += 1
        self._steps[row], self._values[row] = step, values

    def between(self, first: float, last: float, world: int = 0) -> Values:
        """[n, 5]: step and values, in the order of `NAMES`, of the steps from first to last."""
        rows = slice(self._row(first), self._row(last, "right"))
        return np.column_stack([self._steps[rows], self._values[rows, world, : len(self.NAMES)]])

    def votes(self, first: float, last: float, world: int = 0) -> tuple[Values, Values]:
        """Steps [n] from first to last, and the number of cells [n, counts] per class."""
        rows = slice(self._row(first), self._row(last, "right"))
        return self._steps[rows], self._values[rows, world, len(self.NAMES) :]

    def copy(self) -> History:
        """An independent copy."""
        other = copy.copy(self)
        other._steps, other._values = np.empty_like(self._steps), np.empty_like(self._values)
        other._steps[: self._count] = self._steps[: self._count]
        other._values[: self._count] = self._values[: self._count]
        return other

    def branch(self, step: int) -> None:
        """Drop this step and all later ones."""
        self._count = self._row(step)

    def _row(self, step: float, side: Literal["left", "right"] = "left") -> int:
        return int(np.searchsorted(self._steps[: self._count], step, side))

    def _thin(self) -> None:
        """Keep every second step; repeats while no step goes, since steps may be missing."""
        while self._count == len(self._steps):
            self._stride *= 2
            kept = np.flatnonzero(self._steps % self._stride == 0)
            self._count = len(kept)
            for values in (self._steps, self._values):
                values[: self._count] = values[kept]
