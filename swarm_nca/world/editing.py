"""Edits of worlds: new pictures, strokes and erasures. Cells that stay alive keep all fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from swarm_nca.spaces import PixelSpace, Space
from swarm_nca.world import fields, making, sites
from swarm_nca.world.fields import with_fields
from swarm_nca.world.rows import merged, rows_at, settled
from swarm_nca.world.wires import rewired

if TYPE_CHECKING:
    from swarm_nca.world.record import World


def repictured(
    world: World, images: making.PictureBatch, labels: Iterable[int] | Tensor | None
) -> World:
    """The worlds on new pictures; see `World.repictured`."""
    canvas = world.canvas
    grey, height, width = making.flat(images, canvas.grey)
    if len(height) != len(world):
        raise ValueError(f"{len(world)} worlds need as many pictures, got {len(height)}")
    if not (torch.equal(height, canvas.height) and torch.equal(width, canvas.width)):
        raise ValueError(
            f"a new picture must have its world's size, {_sizes(canvas.height, canvas.width)}; "
            f"got {_sizes(height, width)}"
        )
    edited = on_space(world, replace(canvas, grey=grey)).relabeled(labels)
    return edited.restarted() if canvas.habitat.sprout else edited


def drawn(world: World, site: Any, grey: Tensor | float, number: int) -> World:
    """The worlds with grey added to pixels of one of them; see `World.draw`."""
    address, present = sites.addresses(world.space, site, number), world.canvas.grey
    added = making.amounts(grey, address, present, -1.0, 1.0)
    if world.canvas.habitat.sprout is not None:
        return sprouted(world, address, added)
    summed = (present[address] + added).clamp(0.0, 1.0)
    return painted(world, world.canvas, address, summed)


def erased(world: World, site: Any, share: Tensor | float, number: int) -> World:
    """The worlds with grey or nodes removed from one of them; see `World.erase`."""
    address = sites.addresses(world.space, site, number)
    taken = making.amounts(share, address, world.stimulus, 0.0, 1.0)
    if not world.space.pictured:
        removed = address[taken.expand(len(address)) > 0]
        return on_space(world, world.space.without(removed))
    if world.canvas.habitat.sprout is not None:
        return sprouted(world, address, -taken)
    left = world.canvas.grey[address] * (1.0 - taken)
    return painted(world, world.canvas, address, left)


def on_space(world: World, space: Space) -> World:
    """The worlds on another space with the same places; rows and derived fields are recomputed."""
    fresh = settled(space)
    source = rows_at(world.address, fresh["address"])
    return rewired(with_fields(world, moved(world, source), space=space, **fresh))


def painted(world: World, canvas: PixelSpace, address: Tensor, grey: Tensor) -> World:
    """The worlds with new grey [n] at distinct addresses [n].

    Only rows with a changed patch are recomputed; all others are copied.
    """
    fresh = canvas.painted(address, grey)
    near = fresh.around(address)
    near = near[canvas.lives(fresh.grey[near])]
    lived, lives = canvas.lives(canvas.grey[address]), canvas.lives(grey)
    born, died = address[lives & ~lived].sort().values, address[lived & ~lives]
    heard, stimulus = fresh.look(near)
    if not len(born) and not len(died):
        # No cell is born or dies: rows stay, and only the stimulus of near rows changes.
        sensed = world.stimulus.index_copy(0, torch.searchsorted(world.address, near), stimulus)
        return replace(world, space=fresh, stimulus=sensed)
    keep = torch.ones_like(world.address, dtype=torch.bool)
    keep[torch.searchsorted(world.address, died)] = False
    kept = keep.nonzero().view(-1)
    rows, where = merged(world.address[kept], born)
    source = torch.full_like(rows, world.cells)
    source[where] = kept
    # Old row numbers → new ones; dead cells and absent neighbours map to the absent row.
    renumbered = torch.full((world.cells + 1,), len(rows), device=rows.device)
    renumbered[kept] = where
    at = torch.searchsorted(rows, near)
    neighbors = renumbered[fields.moved(world.neighbors, kept, where, len(rows), world.cells)]
    neighbors[at] = rows_at(rows, heard)
    sensed = fields.moved(world.stimulus, kept, where, len(rows), 0.0)
    sensed[at] = stimulus
    edited = with_fields(
        world,
        moved(world, source),
        space=fresh,
        address=rows,
        neighbors=neighbors,
        stimulus=sensed,
    )
    return rewired(edited)


def sprouted(world: World, address: Tensor, added: Tensor) -> World:
    """Strokes if every pixel is a cell: grey of ½ or more makes cells alive, −½ or less kills them.

    Args:
        address: int64 [n], the pixels of the stroke.
        added: [n] or one number, the grey of the stroke.
    """
    added = added.expand(len(address))
    state = world.state.clone()
    sprout = state.new_tensor(world.canvas.habitat.sprout)
    state[torch.searchsorted(world.address, address[added >= 0.5])] = sprout
    state[torch.searchsorted(world.address, address[added <= -0.5])] = 0.0
    return world.with_state(state)


def moved(world: World, source: Tensor) -> dict[str, Tensor]:
    """Every per-cell field of a world for new rows.

    Args:
        source: int64 [N'], the old row of each new row; N for newborn cells.
    """
    survives = source < world.cells
    old, new = source[survives], survives.nonzero().view(-1)
    return {
        name: fields.moved(value, old, new, len(source), fields.NEWBORN.get(name, 0))
        for name, value in fields.per_cell(world).items()
    }


def _sizes(height: Tensor, width: Tensor) -> str:
    pairs = sorted(set(zip(height.tolist(), width.tolist(), strict=True)))
    return ", ".join(f"{rows} × {columns}" for rows, columns in pairs)
