"""One rule trained by several processes: data-parallel, and the same run as one process alone.

Every process keeps the whole pool, makes the whole batch with the same draws, and rolls out its
share of the worlds. The states are then put together, so that each of them sees the loss of the
joint batch, whatever that loss is; gradients, each a share of the joint one, are added up before
anything is done with them. So weights, optimizer and pool stay the same everywhere, and any number
of processes gives the loss curve of one, to the rounding of sums. All that passes between them is
sums: `torchrun` starts them, gloo adds.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from swarm_nca.randomness import StepDraws
from swarm_nca.rules import Rule
from swarm_nca.world import World


@dataclass(frozen=True)
class DataParallel:
    """The processes that train one rule together, as one of them sees it; by default it is alone.

    Attributes:
        rank: this process's number, from 0; only number 0 writes files and talks to people.
        size: how many they are.
        add: sums a tensor over all of them, in place; all must call it alike.
    """

    rank: int = 0
    size: int = 1
    add: Callable[[Tensor], object] = lambda alone: None

    def share(self, batch: World) -> Shard:
        """This process's part of a batch: worlds in a row, as many as the others' or one less."""
        first, end = (len(batch) * rank // self.size for rank in (self.rank, self.rank + 1))
        edges = functional.pad(batch.counts.cumsum(0), (1, 0))
        rows = slice(int(edges[first]), int(edges[end]))
        worlds = batch if self.size == 1 else batch.select(list(range(first, end)))
        return Shard(self, worlds, rows, batch.cells)

    def add_gradients(self, rule: Rule) -> None:
        """Make each process's gradients the sum of all processes', in one exchange."""
        if self.size == 1:
            return
        gradients = [weight.grad for weight in rule.parameters() if weight.grad is not None]
        joint = torch.cat([gradient.view(-1) for gradient in gradients])
        self.add(joint)
        lengths = [gradient.numel() for gradient in gradients]
        for gradient, total in zip(gradients, torch.split(joint, lengths), strict=True):
            gradient.copy_(total.view_as(gradient))

    def any(self, mine: bool) -> bool:
        """Whether it is so for any process; none goes on before all have answered."""
        if self.size == 1:
            return mine
        count = torch.tensor(float(mine))
        self.add(count)
        return bool(count)


@dataclass(frozen=True)
class Shard:
    """One process's part of a batch.

    Attributes:
        team: who shares.
        world: the worlds of this process.
        rows: where their cells stand in the batch.
        cells: how many cells the batch has.
    """

    team: DataParallel
    world: World
    rows: slice
    cells: int

    def draws(self, joint: StepDraws) -> StepDraws:
        """This part's draws, out of those of the whole batch."""
        return joint if self.team.size == 1 else _PartOfDraws(joint, self.rows)

    def joined(self, state: Tensor) -> Tensor:
        """The batch's state [N, C] from this part's; gradients flow to this part alone."""
        if self.team.size == 1:
            return state
        joint = state.new_zeros(self.cells, state.shape[1])
        joint[self.rows] = state.detach()
        self.team.add(joint)
        return torch.cat([joint[: self.rows.start], state, joint[self.rows.stop :]])


class _PartOfDraws:
    """The draws of some rows in a stretch: all are made, as one process would, and these kept."""

    def __init__(self, joint: StepDraws, rows: slice) -> None:
        self._joint, self._rows = joint, rows
        self._fired: dict[int, tuple[Tensor, slice]] = {}  # by step: all who fire, where ours stand

    def word(self, t: int, stream: int) -> Tensor:
        return self._joint.word(t, stream)[self._rows]

    def fires(self, t: int, rate: float) -> Tensor:
        everybody = self._joint.fires(t, rate)
        edges = everybody.new_tensor([self._rows.start, self._rows.stop])
        ours = slice(*torch.searchsorted(everybody, edges).tolist())
        self._fired[t] = everybody, ours
        here: Tensor = everybody[ours] - self._rows.start
        return here

    def normals(self, t: int, rows: Tensor, channels: int, dtype: torch.dtype) -> Tensor:
        everybody, ours = self._fired[t]
        return self._joint.normals(t, everybody, channels, dtype)[ours]


@contextlib.contextmanager
def joined(batch: int) -> Iterator[DataParallel]:
    """The team that `torchrun` started this process in, or this process alone.

    Args:
        batch: worlds to share out.

    Raises:
        ValueError: more processes than worlds.
    """
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if size > batch:
        raise ValueError(
            f"{size} processes cannot share a batch of {batch} worlds; start at most {batch}, or "
            "raise batch"
        )
    if size == 1:
        yield DataParallel()
        return
    import torch.distributed as processes

    processes.init_process_group("gloo")  # a GPU serves one process
    try:
        yield DataParallel(rank, size, processes.all_reduce)
    finally:
        processes.destroy_process_group()
