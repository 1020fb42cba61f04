"""What was measured on the way: a few numbers per step, thinned out as a session grows long."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from swarm_nca.measure.cell_stats import CellStats
from swarm_nca.render import decided

Values = npt.NDArray[np.float64]

#: Steps kept at most, beyond which every second one goes; fewer of them in a large batch, whose
#: values would outgrow so many bytes.
MOST, ROOM = 4_096, 16 * 2**20

#: Steps kept of a batch of any size.
_LEAST = 64


def measured(seen: CellStats) -> Values:
    """float64 [worlds, values] in the order of `History.NAMES`, nan where nothing is measured.

    The largest vote is the share of cells that show what most of them show. While all states are
    zero nothing is right or wrong or undecided: ties alone would decide. Without classes the
    largest vote is the share of cells that are alive, and nothing is right or wrong.
    """
    if not seen.rule.readout.class_names:
        return _without_classes(seen)
    cells = seen.cells.numpy().astype(np.float64)
    cells[cells == 0] = np.nan
    size = seen.sums(seen.world.state.abs().mean(dim=1)).numpy()
    told = np.where(size != 0, cells, np.nan)
    known = np.where(seen.labelled.numpy(), told, np.nan)
    classes, shown = len(seen.rule.classes), decided(seen.world, None, seen.rule.shown_above)
    speaks = shown >= 0
    box = seen.world_of.numpy()[speaks] * classes + shown[speaks]
    votes = np.bincount(box, minlength=len(cells) * classes).reshape(-1, classes).max(axis=1)
    correct, undecided = seen.correct.numpy(), seen.undecided.numpy()
    return np.stack([correct / known, votes / cells, undecided / told, size / cells], axis=1)


def _without_classes(seen: CellStats) -> Values:
    cells = seen.cells.numpy().astype(np.float64)
    cells[cells == 0] = np.nan
    size = seen.sums(seen.world.state.abs().mean(dim=1)).numpy()
    unknown = np.full_like(cells, np.nan)
    return np.stack([unknown, seen.living.numpy() / cells, unknown, size / cells], axis=1)


class History:
    """Measured values by step, ascending, of each world of a batch.

    Args:
        worlds: how many.
    """

    NAMES = ("accuracy", "largest vote", "undecided", "magnitude")

    def __init__(self, worlds: int = 1) -> None:
        row = (worlds, len(self.NAMES))
        most = min(MOST, max(_LEAST, ROOM // (8 * worlds * len(self.NAMES))))
        self._steps, self._values = np.empty(most), np.empty((most, *row))
        self._count, self._stride = 0, 1

    def __len__(self) -> int:
        return self._count

    def wants(self, step: int) -> bool:
        """Whether values after this step are kept."""
        return step % self._stride == 0

    def note(self, step: int, values: Values) -> None:
        """The values after a step, [worlds, values]; they replace what was noted of it before."""
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
        return np.column_stack([self._steps[rows], self._values[rows, world]])

    def branch(self, step: int) -> None:
        """Forget this step and what came after it."""
        self._count = self._row(step)

    def _row(self, step: float, side: Literal["left", "right"] = "left") -> int:
        return int(np.searchsorted(self._steps[: self._count], step, side))

    def _thin(self) -> None:
        """Leave every second step; not every step is noted: all may be even, then again."""
        while self._count == len(self._steps):
            self._stride *= 2
            kept = np.flatnonzero(self._steps % self._stride == 0)
            self._count = len(kept)
            for one in (self._steps, self._values):
                one[: self._count] = one[kept]
