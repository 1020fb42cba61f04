"""The pool: worlds that live on from one iteration to the next, so that a rule learns to stay.

Each iteration takes a batch out; what of it starts anew or changes is the task's matter, the rest
goes on. All of it is written back after its rollout. From growing and self-classifying neural
cellular automata (Mordvintsev et al. 2020, Randazzo et al. 2020).

Letters: P worlds, S sites of each, B worlds of a batch.
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
    """P worlds on grounds of one size, every field of theirs laid out by world and site.

    Attributes:
        cells: by name, [P, S, …]; what a newborn cell holds where no cell lives.
        worlds: by name, [P, …].
        space: by name, [P, …], what the grounds hold.
        like: a batch, for what all worlds share.
    """

    cells: dict[str, Tensor]
    worlds: dict[str, Tensor]
    space: dict[str, Tensor]
    like: World

    @classmethod
    def of(cls, world: World) -> Pool:
        """A pool of the worlds of a batch.

        Raises:
            ValueError: worlds on grounds of several sizes.
        """
        if len(set(world.space.sizes.tolist())) > 1:
            raise ValueError("the worlds of a pool stand on grounds of one size")
        space = {name: part.clone() for name, part in _grounds(world).items()}
        worlds = {name: part.clone() for name, part in per_world(world).items()}
        return cls(_spread(world), worlds, space, world.select([0]))

    def __len__(self) -> int:
        return len(self.worlds["key"])

    def take(self, which: Tensor) -> World:
        """The batch [B] that lives at these places: int64 [B]."""
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
        """Write a batch back to its places after a rollout."""
        both = ((self.cells, _spread(world)), (self.worlds, per_world(world)))
        for held, new in (*both, (self.space, _grounds(world))):
            for name, part in held.items():
                part[which] = new[name]

    def world(self) -> World:
        """All worlds as one batch."""
        return self.take(torch.arange(len(self), device=self.worlds["key"].device))


def _spread(world: World) -> dict[str, Tensor]:
    """By name, [B, S, …]: the fields of cells at every site."""
    sites = int(world.space.sizes.sum())
    found = {}
    for name, part in per_cell(world).items():
        blank = part.new_full((sites, *part.shape[1:]), NEWBORN.get(name, 0))
        blank.index_copy_(0, world.address, part.detach())
        found[name] = blank.view(len(world), -1, *part.shape[1:])
    return found


def _grounds(world: World) -> Mapping[str, Tensor]:
    """By name, [B, …]: what the grounds of a batch hold, by world."""
    parts = world.space.packed()
    return {
        name: part if len(part) == len(world) else part.view(len(world), -1, *part.shape[1:])
        for name, part in parts.items()
    }
