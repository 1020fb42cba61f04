"""Pieces: connected cells. No message passes between two pieces, so each is judged by itself."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from swarm_nca.render import decided
from swarm_nca.viewer.groups import groups_of
from swarm_nca.world import World

Numbers = npt.NDArray[np.int64]

#: The pieces of the latest index tables. While no cell is born or dies, the table is the same.
_LATEST: deque[tuple[object, Numbers]] = deque(maxlen=4)


class Piece(NamedTuple):
    """A piece: its cells, its most common class (−1 if all are silent), and the votes for it."""

    cells: int
    winner: int
    votes: int

    @property
    def agrees(self) -> bool:
        """Whether all its cells show one class."""
        return self.votes == self.cells


def pieces_of(world: World) -> Numbers:
    """int64 [N], the piece of every cell of all worlds, counted from 0 in the order of the rows."""
    for table, pieces in _LATEST:
        if table is world.neighbors:
            return pieces
    pieces = groups_of(world.neighbors.numpy(), np.zeros(world.cells, np.int64))
    _LATEST.append((world.neighbors, pieces))
    return pieces


def most_votes(world: World, shown: Numbers) -> tuple[Numbers, Numbers]:
    """Each piece's most common class and its votes, int64 [pieces] each.

    Args:
        shown: int64 [N], the class of each cell, −1 for silent.
    """
    piece, classes = pieces_of(world), len(world.readout.names)
    count = int(piece.max(initial=-1)) + 1
    speaks = shown >= 0
    box = piece[speaks] * classes + shown[speaks]
    votes = np.bincount(box, minlength=count * classes).reshape(count, classes)
    return votes.argmax(axis=1), votes.max(axis=1)


def judged(world: World, shown_above: float) -> list[Piece]:
    """The pieces of a world on a picture, line by line as one reads.

    Args:
        world: a single world of a rule with classes.
    """
    shown = decided(world, None, shown_above)
    piece, (winner, votes) = pieces_of(world), most_votes(world, shown)
    cells = np.bincount(piece, minlength=len(winner))
    found = [
        Piece(int(size), int(best) if most else -1, int(most))
        for size, best, most in zip(cells, winner, votes, strict=True)
    ]
    return [found[number] for number in _reading_order(world, piece, len(found))]


def _reading_order(world: World, piece: Numbers, count: int) -> list[int]:
    """The pieces in lines: a piece whose middle is above a line's foot belongs to that line."""
    row, column = world.position.numpy().T
    foot, left = np.full(count, -1, np.int64), np.full(count, np.iinfo(np.int64).max)
    head = left.copy()
    np.maximum.at(foot, piece, row)
    np.minimum.at(head, piece, row)
    np.minimum.at(left, piece, column)
    middle = (head + foot) / 2
    order: list[int] = []
    waiting = sorted(range(count), key=lambda number: foot[number])
    while waiting:
        line = [number for number in waiting if middle[number] <= foot[waiting[0]]]
        order += sorted(line, key=lambda number: left[number])
        waiting = [number for number in waiting if middle[number] > foot[waiting[0]]]
    return order
