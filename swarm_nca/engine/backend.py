"""What steps the cells of a world: the interface of all backends."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from swarm_nca.world import World


class Backend(Protocol):
    """Steps the cells of a world; a change from outside needs a new backend."""

    @property
    def state(self) -> Tensor:
        """[N, C], the live buffer."""

    @property
    def fired(self) -> Tensor:
        """int64 [M], the rows that fired in the last step; none before the first."""

    def step(self) -> None:
        """Take one step in place."""

    def world(self) -> World:
        """The present world; later steps do not change it."""
