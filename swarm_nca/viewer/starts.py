"""What a world without classes can begin with anew: a soup, a single cell, a pattern.

To add one, write a line in `STARTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from swarm_nca.images import Source
from swarm_nca.rules import Rule

#: (rows, columns) of a canvas, and a number that differs from press to press → the pictures.
_Makes = Callable[[tuple[int, int], int], Source]


class Start(NamedTuple):
    """A beginning: its name, what it does, the kinds of read-out it is for, and its pictures."""

    name: str
    tip: str
    readouts: tuple[str, ...]
    source: _Makes


#: Every beginning, in the order of the buttons.
STARTS = (
    Start(
        "One cell",
        "Begin anew with one living cell in the middle",
        ("bit", "rgba", "field"),
        lambda size, which: Source(sprout=True, size=size),
    ),
    Start(
        "Soup",
        "Begin anew with every third cell alive, by chance. Again: another",
        ("bit",),
        lambda size, which: Source(soup=0.33, size=size, seed=which),
    ),
)


def starts_of(rule: Rule) -> tuple[Start, ...]:
    """The beginnings of a rule; none where cells live on ink that is drawn."""
    if rule.habitat.sprout is None:
        return ()
    return tuple(one for one in STARTS if rule.readout.kind in one.readouts)
