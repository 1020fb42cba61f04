"""Editing worlds: new pictures, strokes and erasures, whatever lives on keeping all it holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from swarm_nca.grounds import Canvas, Ground
from swarm_nca.world import fields
from swarm_nca.world.fields import with_fields
from swarm_nca.world.rows import merged, rows_at, settled

if TYPE_CHECKING:
    from swarm_nca.world.record import World


def standing_on(world: World, ground: Ground) -> World:
    """The worlds on another ground of the same places, everything derived anew."""
    fresh = settled(ground)
    source = rows_at(world.address, fresh["address"])
    return with_fields(world, moved(world, source), ground=ground, **fresh)


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
    neighbors = renumbered[fields.moved(world.neighbors, kept, where, len(rows), world.cells)]
    neighbors[at] = rows_at(rows, heard)
    sensed = fields.moved(world.stimulus, kept, where, len(rows), 0.0)
    sensed[at] = stimulus
    return with_fields(
        world,
        moved(world, source),
        ground=fresh,
        address=rows,
        neighbors=neighbors,
        stimulus=sensed,
    )


def sprouted(world: World, address: Tensor, added: Tensor) -> World:
    """Where every pixel is a cell: a stroke of ½ or more brings it alive, one of −½ kills it.

    Args:
        address: int64 [n], where the brush touched.
        added: [n] or one number, the grey of the stroke.
    """
    added = added.expand(len(address))
    state = world.state.clone()
    sprout = state.new_tensor(world.canvas.habitat.sprout)
    state[torch.searchsorted(world.address, address[added >= 0.5])] = sprout
    state[torch.searchsorted(world.address, address[added <= -0.5])] = 0.0
    return world.with_state(state)


def moved(world: World, source: Tensor) -> dict[str, Tensor]:
    """Every per-cell field of a world, taken from old rows.

    Args:
        source: int64 [N'], old row numbers; N for a newborn row.
    """
    survives = source < world.cells
    old, new = source[survives], survives.nonzero().view(-1)
    return {
        name: fields.moved(value, old, new, len(source), fields.NEWBORN.get(name, 0))
        for name, value in fields.per_cell(world).items()
    }
