"""One look at a batch of worlds: what every cell has decided, counted world by world.

All metrics read the same few tables, so these are made once per look, when first asked for, and
without a loop over worlds. A cell's decision is the argmax of its class channels; it is undecided
while all of them lie below the rule's threshold (Randazzo et al., Distill 2020).

Letters: B worlds, N cells of all of them, C state channels.
"""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from swarm_nca.rules import Rule
from swarm_nca.world import World

#: The decision of a cell that has not decided, and the majority of a world in which none has.
UNDECIDED = -1


def decisions(world: World, rule: Rule) -> Tensor:
    """int64 [N], the class each cell has decided on, −1 while it is undecided.

    Undecided means that all class channels lie below `rule.undecided_below`, or that one is not a
    number. Of equal channels the lowest class wins; so a cell that still holds zeros counts as
    decided, for class 0.
    """
    logits = rule.logits(world.state.detach())
    best = logits.argmax(dim=1, keepdim=True)
    highest = logits.gather(1, best).view(-1)
    return best.view(-1).masked_fill_(~(highest >= rule.undecided_below), UNDECIDED)


class Census:
    """What metrics read from worlds at one moment, and from the moment before where they need it.

    Args:
        world: B worlds.
        rule: gives the class channels and the threshold of being undecided.
        previous: the same worlds one step earlier, with the same cells.

    Raises:
        ValueError: a previous moment in which other cells were alive.
    """

    def __init__(self, world: World, rule: Rule, previous: World | None = None) -> None:
        if previous is not None and not _same_cells(world, previous):
            raise ValueError(
                f"the previous moment has other cells ({previous.cells}) than this one "
                f"({world.cells}); after a perturbation, give the world as the perturbation left it"
            )
        self.world, self.rule, self.previous = world, rule, previous

    def __len__(self) -> int:
        """B, the number of worlds."""
        return len(self.world)

    @cached_property
    def cells(self) -> Tensor:
        """int64 [B], living cells of each world."""
        return self.world.counts

    @cached_property
    def world_of(self) -> Tensor:
        """int64 [N], the world each cell belongs to."""
        return torch.arange(len(self), device=self.cells.device).repeat_interleave(self.cells)

    @cached_property
    def decision(self) -> Tensor:
        """int64 [N]; see `decisions`."""
        return decisions(self.world, self.rule)

    @cached_property
    def _ballot(self) -> Tensor:
        """int64 [B, 1 + classes], cells by decision; the first column counts the undecided."""
        columns = 1 + len(self.rule.classes)
        box = self.world_of * columns + (self.decision - UNDECIDED)
        return torch.bincount(box, minlength=len(self) * columns).view(len(self), columns)

    @property
    def votes(self) -> Tensor:
        """int64 [B, classes], decided cells by class."""
        return self._ballot[:, 1:]

    @property
    def undecided(self) -> Tensor:
        """int64 [B], cells that have not decided."""
        return self._ballot[:, 0]

    @cached_property
    def decided(self) -> Tensor:
        """int64 [B], cells that have."""
        return self.votes.sum(dim=1)

    @cached_property
    def agrees(self) -> Tensor:
        """bool [B], whether all decided cells carry one label; true where none has decided."""
        return self.votes.amax(dim=1) == self.decided

    @cached_property
    def majority(self) -> Tensor:
        """int64 [B], the class most cells have decided on, −1 where none has; ties → the lowest."""
        return self.votes.argmax(dim=1).masked_fill_(self.decided == 0, UNDECIDED)

    @property
    def labelled(self) -> Tensor:
        """bool [B], whether the right answer is known."""
        return self.world.label >= 0

    @cached_property
    def correct(self) -> Tensor:
        """int64 [B], cells that have decided on their world's label; 0 where it is unknown."""
        right = self.votes.gather(1, self.world.label.clamp(min=0)[:, None]).view(-1)
        return right * self.labelled

    def sums(self, values: Tensor) -> Tensor:
        """float64 [B], the sum over each world's cells of values [N]."""
        return torch.bincount(self.world_of, values.double(), minlength=len(self))


def _same_cells(world: World, previous: World) -> bool:
    if world.address is previous.address:
        return True
    same_sizes = torch.equal(world.ground.sizes, previous.ground.sizes)
    return same_sizes and torch.equal(world.address, previous.address)
