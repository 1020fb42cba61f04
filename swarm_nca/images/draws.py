"""Draws for pictures that have numbers: picture i of a seed takes its own, whoever else is drawn.

Philox is a counter-based generator, so it is read from any place on: picture i owns the i-th
block of the seed's numbers, and any range of pictures can be drawn without those before it.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Column: TypeAlias = npt.NDArray[np.float64]
"""One value for each picture, [B]."""

_BLOCK = 4  # numbers that one count of Philox yields


def numbered_draws(seed: int, start: int, count: int, each: int) -> npt.NDArray[np.float64]:
    """Uniform numbers [count, each] in [0, 1) of the pictures from number `start` on."""
    stride = -(-each // _BLOCK) * _BLOCK
    bits = np.random.Philox(key=seed, counter=start * stride // _BLOCK)
    return np.random.Generator(bits).random((count, stride))[:, :each]


class Draws:
    """The uniform numbers [B, D] of B pictures, handed out column by column.

    Raises IndexError where more are asked for than there are.
    """

    def __init__(self, uniform: npt.NDArray[np.float64]) -> None:
        self._uniform, self._next = uniform, 0

    @property
    def count(self) -> int:
        """B, the number of pictures."""
        return len(self._uniform)

    def evenly(self, low: float = 0.0, high: float = 1.0) -> Column:
        """[B] values of a range, each as likely as the next."""
        column = self._uniform[:, self._next]
        self._next += 1
        return low + (high - low) * column

    def between(self, low: float, high: float) -> Column:
        """[B] values of a range, most of them near its middle."""
        return (self.evenly(low, high) + self.evenly(low, high)) / 2

    def chance(self, share: float) -> npt.NDArray[np.bool_]:
        """[B], true for about this share of the pictures."""
        return self.evenly() < share

    def field(self, rows: int, columns: int) -> npt.NDArray[np.float32]:
        """[B, rows, columns] values from −1 to 1."""
        first, self._next = self._next, self._next + rows * columns
        if self._next > self._uniform.shape[1]:
            raise IndexError(f"pictures have {self._uniform.shape[1]} draws each, asked for more")
        block = self._uniform[:, first : self._next].reshape(-1, rows, columns)
        return (2 * block - 1).astype(np.float32)
