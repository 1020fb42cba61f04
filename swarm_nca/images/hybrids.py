"""Pictures made of two digits of different classes, so that no class is right.

(The chimeras are those of Randazzo et al., Self-classifying MNIST Digits, Distill 2020.) Picture i
of a seed does not depend on the other pictures drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from swarm_nca.images.compose import chimera, row
from swarm_nca.images.draws import derived_seed
from swarm_nca.images.pictures import Pictures
from swarm_nca.images.strokes import strokes


def chimeras(count: int, seed: int = 0) -> Pictures:
    """The left half of one digit of `strokes` and the right half of another: 28×28, no labels."""
    left, right = _pairs(count, seed)
    return Pictures(tuple(map(chimera, left, right)))


def joined_digits(count: int, seed: int = 0) -> Pictures:
    """Two digits of `strokes` side by side, joined by a line: 28×56, no labels."""
    left, right = _pairs(count, seed)
    return Pictures(tuple(row(pair, join=True) for pair in zip(left, right, strict=True)))


#: The kinds of hybrids, by name.
HYBRIDS: Mapping[str, Callable[[int, int], Pictures]] = {
    "chimeras": chimeras,
    "joined": joined_digits,
}


def _pairs(count: int, seed: int) -> tuple[Pictures, Pictures]:
    left, right = (_series(count, seed, number) for number in (0, 1))
    grey, labels, number = np.asarray(right.grey), right.labels, 2
    while (same := labels == left.labels).any():
        other = _series(count, seed, number)
        grey = np.where(same[:, None, None], other.grey, grey)
        labels, number = np.where(same, other.labels, labels), number + 1
    return left, Pictures(grey, labels, left.classes)


def _series(count: int, seed: int, number: int) -> Pictures:
    return strokes(count, derived_seed(seed, number))
