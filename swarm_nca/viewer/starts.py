"""Start pictures for rules without classes: a random soup, a single cell.

To add a start, write a line in `STARTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from swarm_nca.images import Source
from swarm_nca.rules import Rule

#: (rows, columns) of a canvas, and a number that differs for each press → the pictures.
_MakesSource = Callable[[tuple[int, int], int], Source]


class Start(NamedTuple):
    """A start: its name, its tooltip, the kinds of read-out it fits, and its pictures."""

    name: str
    tip: str
    readouts: tuple[str, ...]
    source: _MakesSource


#: Every start, in the order of the buttons.
STARTS = (
    Start(
        "One cell",
        "Start again with one alive cell in the middle",
        ("bit", "rgba", "field"),
        lambda size, which: Source(sprout=True, size=size),
    ),
    Start(
        "Soup",
        "Start again with a random third of the cells alive. Press again: other cells",
        ("bit",),
        lambda size, which: Source(soup=0.33, size=size, seed=which),
    ),
)


def starts_of(rule: Rule) -> tuple[Start, ...]:
    """The starts of a rule; none if only drawn pixels have cells."""
    if rule.habitat.sprout is None:
        return ()
    return tuple(start for start in STARTS if rule.readout.kind in start.readouts)
