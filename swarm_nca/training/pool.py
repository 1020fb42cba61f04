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
        states: P tensors [cells, C].
    """

    grey: Tensor
    label: Tensor
    states: list[Tensor]

    @classmethod
    def filled(
        cls, task: Classification, rule: Rule, size: int, start: str, generator: torch.Generator
    ) -> Pool:
        """A pool of newly started worlds."""
        grey, label = task.sample(size, generator)
        world = started(grey, label, rule, start, generator)
        states = list(torch.split(world.state, world.counts.tolist()))
        return cls(grey, label, states)

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
        which = torch.randperm(len(self), generator=generator)[:batch]
        new_grey, new_label = task.sample(fresh + mutated, generator)
        parts = [started(new_grey[:fresh], new_label[:fresh], rule, start, generator)]
        swapped, going_on = which[fresh : fresh + mutated], which[fresh + mutated :]
        if len(swapped):
            parts.append(
                self._world(swapped, rule).repictured(new_grey[fresh:], new_label[fresh:].tolist())
            )
        if len(going_on):
            parts.append(self._world(going_on, rule))
        return which, World.join([part for part in parts if len(part)])

    def put_back(self, which: Tensor, world: World) -> None:
        """Write a batch back to its places after a rollout."""
        self.grey[which] = world.canvas.grey.view(len(which), *self.grey.shape[1:])
        self.label[which] = world.label
        states = torch.split(world.state.detach(), world.counts.tolist())
        for place, state in zip(which.tolist(), states, strict=True):
            # A copy: a view would keep the whole batch's state in memory.
            self.states[place] = state.clone()

    def _world(self, which: Tensor, rule: Rule) -> World:
        world = World.from_images(self.grey[which], rule, labels=self.label[which].tolist())
        return world.with_state(torch.cat([self.states[place] for place in which.tolist()]))


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
    return World.from_images(grey, rule, labels=label.tolist(), start=start, seed=seed)
