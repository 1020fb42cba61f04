"""Groups: connected cells of one label, found by propagating the smallest row number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


def groups_of(neighbors: Numbers, says: Numbers) -> Numbers:
    """int64 [N], the group of every cell, counted from 0.

    Args:
        neighbors: int64 [N, K], the row heard in each slot; N for an empty slot.
        says: int64 [N], the label of each cell.
    """
    count = len(says)
    if not count:
        return np.zeros(0, np.int64)
    said = np.append(says, np.iinfo(np.int64).min)
    itself = np.arange(count)
    heard = np.where(said[neighbors] == says[:, None], neighbors, itself[:, None])
    group = itself
    while True:
        # The smallest number heard, then that row's own smallest: paths halve.
        smallest = np.minimum(group, group[heard].min(axis=1))
        smallest = smallest[smallest]
        if np.array_equal(smallest, group):
            break
        group = smallest
    numbered: Numbers = np.unique(group, return_inverse=True)[1].reshape(-1)
    return numbered
