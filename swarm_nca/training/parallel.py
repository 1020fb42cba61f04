"""Data-parallel training: several processes give the same run as one.

Every process keeps the whole pool, makes the whole batch with the same draws, and rolls out its
share of the worlds. The states are then joined, so that every process computes the loss of the
whole batch. The gradients of the shares are summed before they are used. So weights, optimizer and
pool are the same in all processes, and the loss curve equals that of one process up to rounding.
Processes only exchange sums: `torchrun` starts them, gloo adds.
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
    """One of the processes that train one rule together; by default the only one.

    Attributes:
        rank: this process's number, from 0; only process 0 writes files and prints.
        size: number of processes.
        add: sums a tensor over all processes, in place; all must make the same calls.
    """

    rank: int = 0
    size: int = 1
    add: Callable[[Tensor], object] = lambda tensor: None

    def share(self, batch: World) -> Shard:
        """This process's part of a batch: consecutive worlds; parts differ by one world at most."""
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

    def any(self, value: bool) -> bool:
        """Whether `value` is true in any process; waits for all processes."""
        if self.size == 1:
            return value
        count = torch.tensor(float(value))
        self.add(count)
        return bool(count)


@dataclass(frozen=True)
class Shard:
    """One process's part of a batch.

    Attributes:
        team: the processes that share the batch.
        world: the worlds of this process.
        rows: the rows of their cells in the batch.
        cells: number of cells of the batch.
    """

    team: DataParallel
    world: World
    rows: slice
    cells: int

    def draws(self, joint: StepDraws) -> StepDraws:
        """This part of the draws of the whole batch."""
        return joint if self.team.size == 1 else _PartOfDraws(joint, self.rows)

    def joined(self, state: Tensor) -> Tensor:
        """The state [N, C] of the whole batch; gradients flow to this part only."""
        if self.team.size == 1:
            return state
        joint = state.new_zeros(self.cells, state.shape[1])
        joint[self.rows] = state.detach()
        self.team.add(joint)
        return torch.cat([joint[: self.rows.start], state, joint[self.rows.stop :]])


class _PartOfDraws(StepDraws):
    """The draws of consecutive rows: makes the draws of all rows, as one process does."""

    def __init__(self, joint: StepDraws, rows: slice) -> None:
        self._joint, self._rows = joint, rows
        self._fired: dict[int, Tensor] = {}  # by step, the firing rows of all parts

    def word(self, t: int, stream: int) -> Tensor:
        return self._joint.word(t, stream)[self._rows]

    def fires(self, t: int, rate: float) -> Tensor:
        firing = self._fired[t] = self._joint.fires(t, rate)
        edges = firing.new_tensor([self._rows.start, self._rows.stop])
        part = slice(*torch.searchsorted(firing, edges).tolist())
        local: Tensor = firing[part] - self._rows.start
        return local

    def offsets(self, t: int, rows: Tensor) -> Tensor:
        firing = self._fired[t]
        return self._joint.offsets(t, firing)[torch.searchsorted(firing, rows + self._rows.start)]


@contextlib.contextmanager
def joined(batch: int) -> Iterator[DataParallel]:
    """The processes that `torchrun` started, or only this one.

    Args:
        batch: number of worlds to share.

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
    # Optimizers import it. Imported while there is a group, it keeps this group, whose threads then
    # live until the interpreter ends, and may abort the process.
    import torch._dynamo  # noqa: F401
    import torch.distributed as processes

    processes.init_process_group("gloo")  # CPU only: a GPU trains with one process
    try:
        yield DataParallel(rank, size, processes.all_reduce)
    finally:
        processes.destroy_process_group()
