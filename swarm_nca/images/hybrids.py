"""Pictures that are no digit, made of two that are: what does a rule of digits make of them?

The two are always of different classes, so no answer is right. (The chimeras are those of Randazzo
et al., Self-classifying MNIST Digits, Distill 2020.) Picture i of a seed is the same whatever else
is drawn with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from swarm_nca.images.compose import chimera, row
from swarm_nca.images.pictures import Pictures
from swarm_nca.images.strokes import strokes


def chimeras(count: int, seed: int = 0) -> Pictures:
    """The left half of one pen stroke digit, and the right half of another: 28×28, no labels."""
    left, right = _pairs(count, seed)
    return Pictures(tuple(map(chimera, left, right)))


def joined_digits(count: int, seed: int = 0) -> Pictures:
    """Two pen stroke digits side by side, a line from one to the other: 28×56, no labels."""
    left, right = _pairs(count, seed)
    return Pictures(tuple(row(pair, join=True) for pair in zip(left, right, strict=True)))


#: What can be drawn, by name.
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
    return strokes(count, int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))
