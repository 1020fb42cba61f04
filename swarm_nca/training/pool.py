"""The pool: worlds that live on from one iteration to the next, so that a rule learns to stay.

Each iteration takes a batch out; some of it starts anew on fresh pictures, some has its picture
swapped under its living cells (a mutation), the rest goes on. All of it is written back after its
rollout. From growing and self-classifying neural cellular automata (Mordvintsev et al. 2020,
Randazzo et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from swarm_nca.rules import Rule
from swarm_nca.tasks import Classification
from swarm_nca.world import World


@dataclass
class Pool:
    """P worlds on pictures of one size.

    Attributes:
        grey: [P, H, W].
        label: int64 [P].
        state: [P, H, W, C], zeros where nobody lives.
    """

    grey: Tensor
    label: Tensor
    state: Tensor

    @classmethod
    def filled(
        cls, task: Classification, rule: Rule, size: int, start: str, generator: torch.Generator
    ) -> Pool:
        """A pool of newly started worlds, on the rule's device."""
        grey, label = task.sample(size, generator)
        return cls.of(started(grey, label, rule, start, generator), *grey.shape[1:])

    @classmethod
    def of(cls, world: World, height: int, width: int) -> Pool:
        """A pool of the worlds of a batch, all on pictures of this size."""
        shape = len(world), height, width
        grey = world.canvas.grey.view(shape).clone()
        return cls(grey, world.label.clone(), _spread_out(world).view(*shape, -1))

    def __len__(self) -> int:
        return len(self.grey)

    def take(
        self,
        batch: int,
        fresh: int,
        mutated: int,
        *,
        task: Classification,
        rule: Rule,
        start: str,
        generator: torch.Generator,
    ) -> tuple[Tensor, World]:
        """A batch for one iteration: `fresh` worlds anew, `mutated` ones, the rest as it was.

        Args:
            batch: how many worlds, at most as many as the pool holds.
            fresh, mutated: how many of them; together at most the batch.
            task: where new pictures come from.
            rule: whose channels and thresholds the worlds have.
            start: of those anew, `zeros` or `random`.
            generator: of all draws.

        Returns:
            which: int64 [batch], the places in the pool to write back to.
            world: the batch, in the same order.
        """
        which = torch.randperm(len(self), generator=generator)[:batch].to(self.grey.device)
        new_grey, new_label = task.sample(fresh + mutated, generator)
        grey, label = self.grey[which], self.label[which]
        grey[: fresh + mutated] = new_grey.to(grey)
        label[: fresh + mutated] = new_label.to(label)
        world = started(grey, label, rule, start, generator)
        # A cell that lives on keeps its state, on the new picture as on the old; the newly born
        # find the zeros of where nobody lived.
        state = self.state[which].view(-1, rule.channels).index_select(0, world.address)
        anew = int(world.counts[:fresh].sum())
        state[:anew] = world.state[:anew]
        return which, world.with_state(state)

    def put_back(self, which: Tensor, world: World) -> None:
        """Write a batch back to its places after a rollout."""
        self.grey[which] = world.canvas.grey.view(len(which), *self.grey.shape[1:])
        self.label[which] = world.label
        self.state[which] = _spread_out(world).view(len(which), *self.state.shape[1:])


def _spread_out(world: World) -> Tensor:
    """[pixels, C], the state at every pixel of every picture: zeros where nobody lives."""
    pixels = world.state.new_zeros(len(world.canvas.grey), world.state.shape[1])
    return pixels.index_copy_(0, world.address, world.state.detach())


def started(
    grey: Tensor, label: Tensor, rule: Rule, start: str, generator: torch.Generator
) -> World:
    """Worlds at their beginning, for training.

    Args:
        grey: [B, H, W] in [0, 1].
        label: int64 [B].
        rule: whose channels and thresholds they have.
        start: states of `zeros`, or `random`, standard normal ones.
        generator: of the random ones.
    """
    seed = int(torch.randint(1 << 62, (), generator=generator))
    return World.from_images(grey, rule, labels=label, start=start, seed=seed)
