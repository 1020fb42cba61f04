"""Random numbers for numbered pictures: those of picture i depend only on the seed and i.

Philox is a counter-based generator that can start anywhere: picture i uses the i-th block of the
seed's numbers, so any range of pictures can be drawn without the pictures before it.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Column: TypeAlias = npt.NDArray[np.float64]
"""One value for each picture, [B]."""

_BLOCK = 4  # numbers per count of Philox


def numbered_draws(seed: int, start: int, count: int, each: int) -> npt.NDArray[np.float64]:
    """Uniform numbers [count, each] in [0, 1) of the pictures from number `start`."""
    stride = -(-each // _BLOCK) * _BLOCK
    bits = np.random.Philox(key=seed, counter=start * stride // _BLOCK)
    return np.random.Generator(bits).random((count, stride))[:, :each]


def derived_seed(seed: int, number: int) -> int:
    """A seed of its own for each number, from one seed."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


class Draws:
    """The uniform numbers [B, D] of B pictures, used column by column.

    Raises IndexError if more than D columns are used.
    """

    def __init__(self, uniform: npt.NDArray[np.float64]) -> None:
        self._uniform, self._next = uniform, 0

    @property
    def count(self) -> int:
        """B, the number of pictures."""
        return len(self._uniform)

    def evenly(self, low: float = 0.0, high: float = 1.0) -> Column:
        """[B] values, uniform in a range."""
        column = self._uniform[:, self._next]
        self._next += 1
        return low + (high - low) * column

    def between(self, low: float, high: float) -> Column:
        """[B] values of a range, mostly near its middle (triangular)."""
        return (self.evenly(low, high) + self.evenly(low, high)) / 2

    def chance(self, share: float) -> npt.NDArray[np.bool_]:
        """[B] booleans, true with probability `share`."""
        return self.evenly() < share

    def field(self, rows: int, columns: int) -> npt.NDArray[np.float32]:
        """[B, rows, columns] values, uniform in [−1, 1)."""
        first, self._next = self._next, self._next + rows * columns
        if self._next > self._uniform.shape[1]:
            raise IndexError(f"a picture has {self._uniform.shape[1]} draws, needed {self._next}")
        block = self._uniform[:, first : self._next].reshape(-1, rows, columns)
        return (2 * block - 1).astype(np.float32)
