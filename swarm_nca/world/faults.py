"""Faults of single cells, as two further fields of a world that move with its cells.

`fault` [N] holds the flags of each cell; `says` [N, C] what stuck and lying cells send. A world
without these fields has no faulty cells. What a faulty cell does to its neighbours is computed in
`engine.mail`; the cell itself always reads its own true state.
"""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from swarm_nca.world.record import World

#: The names of the fields.
FAULT, SAYS = "fault", "says"


class Fault(IntFlag):
    """What can be wrong with a cell; flags can be combined.

    SILENT: its neighbours hear nothing from it. FROZEN: it never fires. STUCK: its neighbours hear
    `says`. LYING: they hear normal deviates with the standard deviations `says`, new in every step.
    """

    SILENT = 1
    FROZEN = 2
    STUCK = 4
    LYING = 8


#: All faults.
ANY = Fault.SILENT | Fault.FROZEN | Fault.STUCK | Fault.LYING


def flagged(world: World, fault: Fault) -> Tensor | None:
    """bool [N]: which cells have one of some faults; None if no cell has."""
    flags = world.cell_fields.get(FAULT)
    if flags is None:
        return None
    cells = (flags & int(fault)) > 0
    return cells if bool(cells.any()) else None


def with_fault(world: World, rows: Tensor, fault: Fault, says: Tensor | None = None) -> World:
    """The world with one more fault of some cells.

    Args:
        rows: int64 [n], the rows of the cells.
        says: [n, C], what stuck or lying cells send.
    """
    blank = torch.zeros_like(world.address)
    flags = world.cell_fields.get(FAULT, blank).clone()
    flags[rows] |= int(fault)
    if says is None:
        return world.with_cells(fault=flags)
    if fault in (Fault.STUCK, Fault.LYING):  # a cell sends one thing at a time
        flags[rows] &= ~int((Fault.STUCK | Fault.LYING) & ~fault)
    sent = world.cell_fields.get(SAYS, torch.zeros_like(world.state)).clone()
    sent[rows] = says.to(sent)
    return world.with_cells(fault=flags, says=sent)


def healed(world: World, rows: Tensor) -> World:
    """The world with some cells, rows int64 [n], free of faults."""
    flags = world.cell_fields.get(FAULT)
    if flags is None:
        return world
    return world.with_cells(fault=flags.index_fill(0, rows, 0))
