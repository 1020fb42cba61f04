"""What was measured on the way: a few numbers per step, thinned out as a session grows long."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from swarm_nca.measure.census import Census
from swarm_nca.portrait import tally

#: Rows kept at most; beyond, every second one goes.
MOST = 4_096


def measured(seen: Census, world: int) -> dict[str, float]:
    """The curves' values for one world of a batch, nan where there is nothing to measure.

    The largest vote is the share of cells that show what most of them show. While all states are
    zero nothing is right or wrong or undecided: ties alone would decide.
    """
    cells = int(seen.cells[world])
    magnitude = float(seen.sums(seen.world.state.abs().mean(dim=1))[world])
    told, known = cells and magnitude != 0, bool(seen.labelled[world])
    votes = tally(seen.world, world, seen.rule.shown_above)[:-1]
    return {
        "accuracy": int(seen.correct[world]) / cells if told and known else np.nan,
        "largest vote": int(votes.max()) / cells if cells else np.nan,
        "undecided": int(seen.undecided[world]) / cells if told else np.nan,
        "magnitude": magnitude / cells if cells else np.nan,
    }


class History:
    """Measured values by step, ascending."""

    NAMES = ("accuracy", "largest vote", "undecided", "magnitude")

    def __init__(self) -> None:
        self._rows = np.empty((MOST, 1 + len(self.NAMES)))
        self._count, self._stride = 0, 1

    def __len__(self) -> int:
        return self._count

    def wants(self, step: int) -> bool:
        """Whether a step's values are still missing and will be kept."""
        return step % self._stride == 0 and (not self._count or step > self._rows[self._last, 0])

    def note(self, step: int, values: Mapping[str, float]) -> None:
        """The values after a step."""
        # Not every step is noted, so that those which are may all be even ones: once more, then.
        while self._count == len(self._rows):
            self._stride *= 2
            kept = self._rows[self._rows[:, 0] % self._stride == 0]
            self._rows[: len(kept)], self._count = kept, len(kept)
        self._rows[self._count] = (step, *(values[name] for name in self.NAMES))
        self._count += 1

    def between(self, first: float, last: float) -> npt.NDArray[np.float64]:
        """[n, 5]: step and values, in the order of `NAMES`, of the steps from first to last."""
        steps = self._rows[: self._count, 0]
        start, end = np.searchsorted(steps, first), np.searchsorted(steps, last, "right")
        return self._rows[start:end]

    def at(self, step: int) -> dict[str, float]:
        """The values of the latest step kept up to this one; nan where there is none."""
        row = int(np.searchsorted(self._rows[: self._count, 0], step, "right")) - 1
        values = self._rows[row, 1:] if row >= 0 else np.full(len(self.NAMES), np.nan)
        return dict(zip(self.NAMES, values.tolist(), strict=True))

    def branch(self, step: int) -> None:
        """Forget what came after a step."""
        self._count = int(np.searchsorted(self._rows[: self._count, 0], step, "right"))

    @property
    def _last(self) -> int:
        return self._count - 1
