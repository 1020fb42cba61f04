"""The pool: worlds kept from one iteration to the next, so that a rule learns stable patterns.

Each iteration takes a batch from the pool and writes it back after its rollout. The task decides
which worlds of the batch start anew or change. From growing and self-classifying neural cellular
automata (Mordvintsev et al. 2020, Randazzo et al. 2020).

Letters: P worlds, S sites per world, B worlds of a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from swarm_nca.world import World
from swarm_nca.world.fields import NEWBORN, per_cell, per_world, with_fields
from swarm_nca.world.rows import settled


@dataclass
class Pool:
    """P worlds on spaces of one size; every field is indexed by world and site.

    Attributes:
        cells: by name, [P, S, …]; sites without a cell hold the values of a newborn cell.
        worlds: by name, [P, …].
        space: by name, [P, …], the fields of the spaces.
        like: a world with the fields that all worlds share.
    """

    cells: dict[str, Tensor]
    worlds: dict[str, Tensor]
    space: dict[str, Tensor]
    like: World

    @classmethod
    def of(cls, world: World) -> Pool:
        """A pool of the worlds of a batch.

        Raises:
            ValueError: worlds on spaces of several sizes.
        """
        sizes = sorted(set(world.space.sizes.tolist()))
        if len(sizes) > 1:
            raise ValueError(
                f"the worlds of a pool must have equally many sites, got {sizes}: use pictures of "
                "one size"
            )
        space = {name: part.clone() for name, part in _by_world(world).items()}
        worlds = {name: part.clone() for name, part in per_world(world).items()}
        return cls(_spread(world), worlds, space, world.select([0]))

    def __len__(self) -> int:
        return len(self.worlds["key"])

    def take(self, which: Tensor) -> World:
        """The batch of the worlds with the numbers `which`: int64 [B]."""
        space = self.like.space.unpacked(
            {
                name: part[which].flatten(0, 1) if part.ndim > 1 else part[which]
                for name, part in self.space.items()
            }
        )
        rows = settled(space)
        cells = {
            name: part[which].flatten(0, 1).index_select(0, rows["address"])
            for name, part in self.cells.items()
        }
        worlds = {name: part[which] for name, part in self.worlds.items()}
        return with_fields(self.like, cells, worlds, space=space, **rows)

    def put_back(self, which: Tensor, world: World) -> None:
        """Write a batch back to the numbers `which`."""
        both = ((self.cells, _spread(world)), (self.worlds, per_world(world)))
        for held, new in (*both, (self.space, _by_world(world))):
            for name, part in held.items():
                part[which] = new[name]

    def world(self) -> World:
        """All worlds as one batch."""
        return self.take(torch.arange(len(self), device=self.worlds["key"].device))


def _spread(world: World) -> dict[str, Tensor]:
    """By name, [B, S, …]: the fields of cells at every site."""
    sites = int(world.space.sizes.sum())
    spread = {}
    for name, part in per_cell(world).items():
        blank = part.new_full((sites, *part.shape[1:]), NEWBORN.get(name, 0))
        blank.index_copy_(0, world.address, part.detach())
        spread[name] = blank.view(len(world), -1, *part.shape[1:])
    return spread


def _by_world(world: World) -> Mapping[str, Tensor]:
    """By name, [B, …]: the fields of the spaces of a batch."""
    parts = world.space.packed()
    return {
        name: part if len(part) == len(world) else part.view(len(world), -1, *part.shape[1:])
        for name, part in parts.items()
    }
