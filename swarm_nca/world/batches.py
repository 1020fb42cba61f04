"""Batches as disjoint unions: selects worlds from a batch, and joins worlds to a batch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from swarm_nca.arguments import dense, whole
from swarm_nca.spaces import join_tables, spread, starts
from swarm_nca.world import making
from swarm_nca.world.fields import joined, per_cell, per_world, with_fields

if TYPE_CHECKING:
    from swarm_nca.world.record import World


def select(world: World, worlds: Sequence[int] | Tensor | int) -> World:
    """Some of the worlds, in the given order; see `World.select`."""
    chosen = _numbers(torch.from_numpy(dense("worlds", worlds)), len(world)).to(world.key.device)
    chosen = torch.where(chosen < 0, chosen + len(world), chosen)
    if len(chosen) and not 0 <= int(chosen.min()) <= int(chosen.max()) < len(world):
        raise IndexError(f"there are {len(world)} worlds, got {chosen.tolist()}")
    counts = world.counts
    source = spread(chosen, counts)
    space = world.space.take(chosen)
    shift = starts(counts[chosen])[:-1] - starts(counts)[chosen]
    heard = world.neighbors[source]
    shifted = heard + shift.repeat_interleave(counts[chosen])[:, None]
    return with_fields(
        world,
        {name: value[source] for name, value in per_cell(world).items()},
        {name: value[chosen] for name, value in per_world(world).items()},
        space=space,
        address=space.alive(),
        neighbors=torch.where(heard == world.cells, len(source), shifted),
        stimulus=world.stimulus[source],
    )


def number(world: Any, count: int) -> int:
    """The index of a world among `count` worlds; negative numbers count from the end."""
    chosen = whole("world", world, -sys.maxsize)
    if not -count <= chosen < count:
        raise IndexError(f"there are {count} worlds, got {chosen}")
    return chosen % count


def join(worlds: Sequence[World]) -> World:
    """Several worlds, or batches of them, as one batch; see `World.join`."""
    if not worlds:
        raise ValueError("join needs at least one world")
    first = worlds[0]
    for world in worlds[1:]:
        if world.space.kind != first.space.kind:
            raise ValueError("worlds on pictures and worlds on graphs cannot share a batch")
        for name in first.SHARED:
            if getattr(world, name) != getattr(first, name):
                raise ValueError(
                    f"worlds of one batch share their {', '.join(first.SHARED)}, but these differ "
                    f"in {name}; make them equal, or run the worlds in separate batches"
                )
    space = first.space.joined([world.space for world in worlds[1:]])
    return with_fields(
        first,
        joined([per_cell(world) for world in worlds], [world.cells for world in worlds]),
        joined([per_world(world) for world in worlds], [len(world) for world in worlds]),
        space=space,
        address=space.alive(),
        neighbors=join_tables([world.neighbors for world in worlds]),
        stimulus=torch.cat([world.stimulus for world in worlds]),
    )


def to(world: World, device: torch.device, dtype: torch.dtype) -> World:
    """The same worlds on another device and with another float dtype; see `World.to`."""

    def converted(value: Tensor) -> Tensor:
        return value.to(device, dtype if value.is_floating_point() else None)

    return with_fields(
        world,
        {name: converted(value) for name, value in per_cell(world).items()},
        {name: converted(value) for name, value in per_world(world).items()},
        space=world.space.to(device, dtype),
        **{name: converted(getattr(world, name)) for name in ("address", "neighbors", "stimulus")},
    )


def _numbers(worlds: Tensor, count: int) -> Tensor:
    """int64 [b]: the given numbers, or the numbers of the worlds that a mask marks."""
    if worlds.dtype == torch.bool:
        if worlds.shape != (count,):
            raise IndexError(f"a mask over {count} worlds has the shape {list(worlds.shape)}")
        return worlds.nonzero().view(-1)
    if worlds.is_floating_point() and worlds.numel():
        raise IndexError(f"worlds are selected by whole numbers, got {worlds.tolist()}")
    return worlds.to(torch.int64).reshape(-1)


def numbers_of_keys(world: World, keys: Sequence[int] | Tensor | int) -> list[int]:
    """The numbers of the worlds with these keys; see `World.by_key`."""
    wanted = making.integers("keys", keys).reshape(-1).tolist()
    present = world.key.tolist()
    for key in wanted:
        if present.count(key) != 1:
            raise KeyError(f"{present.count(key)} worlds have the key {key}")
    return [present.index(key) for key in wanted]
