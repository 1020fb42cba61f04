"""Editing worlds: new pictures, strokes and erasures, whatever lives on keeping all it holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from swarm_nca.grounds import Canvas, Ground
from swarm_nca.world.rows import merged, rows_at, settled

if TYPE_CHECKING:
    from swarm_nca.world.record import World


def standing_on(world: World, ground: Ground) -> World:
    """The worlds on another ground of the same places, everything derived anew."""
    fresh = settled(ground)
    source = rows_at(world.address, fresh["address"])
    return replace(world, ground=ground, **fresh, **moved(world, source))


def painted(world: World, canvas: Canvas, address: Tensor, grey: Tensor) -> World:
    """The worlds with new grey [n] at addresses [n], each given once.

    Only rows whose patch the brush touched are looked at anew; all others are copied as they are.
    """
    fresh = canvas.painted(address, grey)
    near = fresh.around(address)
    near = near[canvas.lives(fresh.grey[near])]
    lived, lives = canvas.lives(canvas.grey[address]), canvas.lives(grey)
    born, died = address[lives & ~lived].sort().values, address[lived & ~lives]
    heard, stimulus = fresh.look(near)
    if not len(born) and not len(died):
        # Nobody comes or goes: the rows stand, and only what the near ones sense is new.
        sensed = world.stimulus.index_copy(0, torch.searchsorted(world.address, near), stimulus)
        return replace(world, ground=fresh, stimulus=sensed)
    keep = torch.ones_like(world.address, dtype=torch.bool)
    keep[torch.searchsorted(world.address, died)] = False
    kept = keep.nonzero().view(-1)
    rows, where = merged(world.address[kept], born)
    source = torch.full_like(rows, world.cells)
    source[where] = kept
    # Old row numbers → new ones; the dead, like nobody, become nobody.
    renumbered = torch.full((world.cells + 1,), len(rows), device=rows.device)
    renumbered[kept] = where
    at = torch.searchsorted(rows, near)
    carried = moved(world, source, neighbors=world.cells, stimulus=0.0)
    neighbors = renumbered[carried.pop("neighbors")]
    neighbors[at] = rows_at(rows, heard)
    carried["stimulus"][at] = stimulus
    return replace(world, ground=fresh, address=rows, neighbors=neighbors, **carried)


def moved(world: World, source: Tensor, **others: Any) -> dict[str, Any]:
    """Every per-row field of a world, taken from old rows.

    Args:
        source: int64 [N'], old row numbers; N for a newborn row.
        others: further fields to move, with what newborn rows hold there (per-row fields: zeros).
    """
    survives = source < world.cells
    old, new = source[survives], survives.nonzero().view(-1)
    newborn = dict.fromkeys(world.PER_ROW, 0) | others
    carried: dict[str, Any] = {}
    for name, blank in newborn.items():
        value: Tensor = getattr(world, name)
        fresh = value.new_full((len(source), *value.shape[1:]), blank)
        carried[name] = fresh.index_copy_(0, new, value[old])
    return carried
