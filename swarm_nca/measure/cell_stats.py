"""Statistics of a batch of worlds at one moment: the decisions of all cells, counted by world.

All metrics use the same few tables. These are computed once, at first use, without a loop over
worlds. A cell's decision is the argmax of its class channels; it is undecided while all of them lie
below the rule's threshold (Randazzo et al., Distill 2020).

Letters: B worlds, N cells of all worlds, C state channels.
"""

from __future__ import annotations

import math
from functools import cached_property

import torch
from torch import Tensor

from swarm_nca.arguments import shown
from swarm_nca.measure.vote_counts import UNDECIDED, VoteCounts
from swarm_nca.rules import Rule
from swarm_nca.world import World


def decisions(world: World, rule: Rule) -> Tensor:
    """int64 [N], the class that each cell has decided on, −1 while it is undecided.

    A cell is undecided if all class channels lie below `rule.undecided_below`, or if one is nan.
    Of equal channels the lowest class wins, so a cell that holds zeros has decided on class 0.
    """
    check_readable(world, rule)
    highest, best = rule.logits(world.state.detach()).max(dim=1)
    return best.masked_fill_(~(highest >= rule.undecided_below), UNDECIDED)


def check_readable(world: World, rule: Rule) -> None:
    """Raise a ValueError unless worlds and rule have the same read-out and channels."""
    built, given = world.readout, rule.readout
    if built.kind != given.kind:
        raise ValueError(
            f"these worlds have the read-out {built.kind}, the rule has {given.kind}; measure "
            "worlds with the rule they were built with"
        )
    if built.channel_names != given.channel_names:
        what = "classes" if built.class_names else "channels"
        raise ValueError(
            f"these worlds have the {what} {shown(list(built.channel_names))}, the rule has "
            f"{shown(list(given.channel_names))}; measure worlds with the rule they were built with"
        )
    if world.state.shape[1] != rule.channels:
        raise ValueError(
            f"these worlds have {world.state.shape[1]} channels, the rule has {rule.channels}; "
            "measure worlds with the rule they were built with"
        )


class CellStats(VoteCounts):
    """The input of metrics: statistics of worlds at one moment, and one step earlier if given.

    Args:
        world: B worlds.
        rule: gives the class channels and the threshold of undecided cells.
        previous: the same worlds one step earlier, with the same cells.

    Raises:
        ValueError: the rule has other channels or classes than the worlds, or `previous` has other
            cells.
    """

    def __init__(self, world: World, rule: Rule, previous: World | None = None) -> None:
        if previous is not None and not _same_cells(world, previous):
            raise ValueError(
                f"the previous moment has other cells ({previous.cells}) than this one "
                f"({world.cells}); after a perturbation, give the world as the perturbation left it"
            )
        check_readable(world, rule)
        self.world, self.rule, self.previous = world, rule, previous
        self.label = world.label

    @cached_property
    def cells(self) -> Tensor:
        """int64 [B], living cells."""
        return self.world.counts

    @cached_property
    def world_of(self) -> Tensor:
        """int64 [N], the world each cell belongs to."""
        return torch.arange(len(self), device=self.cells.device).repeat_interleave(self.cells)

    @cached_property
    def living(self) -> Tensor:
        """float64 [B], cells whose `Readout.shown` is at least 0."""
        state = self.world.state.detach().cpu().numpy()
        shown = torch.from_numpy(self.world.readout.shown(state, self.rule.shown_above) >= 0)
        return self.sums(shown.to(self.cells.device))

    @cached_property
    def begun(self) -> Tensor | None:
        """bool [B], false for worlds at step 0 whose cells all hold zeros; None if there are none.

        By the rule for equal channels these cells vote for class 0, before any cell has acted.
        """
        later = self.world.step > 0
        if bool(later.all()):
            return None
        begun = later | (self.largest(self.peak) > 0)
        return None if bool(begun.all()) else begun

    @cached_property
    def decision(self) -> Tensor:
        """int64 [N]; see `decisions`."""
        return decisions(self.world, self.rule)

    @cached_property
    def ballot(self) -> Tensor:
        """int64 [B, 1 + classes], cells by decision; the first column counts undecided cells."""
        columns = 1 + len(self.rule.classes)
        box = self.world_of * columns + (self.decision - UNDECIDED)
        return torch.bincount(box, minlength=len(self) * columns).view(len(self), columns)

    @cached_property
    def flips(self) -> Tensor | None:
        """int64 [B], cells that changed from one class to another since the previous moment.

        Changes from or to undecided are not flips, nor is a first decision; see `begun`. None
        without a previous moment.
        """
        if self.previous is None:
            return None
        now, before = self.decision, decisions(self.previous, self.rule)
        begun = CellStats(self.previous, self.rule).begun
        if begun is not None:
            before = before.masked_fill(~begun[self.world_of], UNDECIDED)
        flipped = (now != before) & (now != UNDECIDED) & (before != UNDECIDED)
        return self.sums(flipped).long()

    @cached_property
    def peak(self) -> Tensor:
        """[N], the largest |s| of each cell, infinite if a channel is not finite."""
        state = self.world.state.detach()
        largest = torch.maximum(state.amax(dim=1), -state.amin(dim=1))
        return largest.nan_to_num_(math.inf, math.inf) + 0.0  # no −0, which prints as "-0"

    @cached_property
    def strengths(self) -> Tensor:
        """float64 [B, classes], the mean of each class channel over cells; not finite counts 0."""
        channels = self.rule.logits(self.world.state.detach()).double()
        channels = channels.nan_to_num(0.0, 0.0, 0.0)
        totals = channels.new_zeros(len(self), channels.shape[1])
        totals.index_add_(0, self.world_of, channels)
        return totals / self.cells.clamp(min=1)[:, None]

    def sums(self, values: Tensor) -> Tensor:
        """float64 [B], the sum over each world's cells of values [N]."""
        return torch.bincount(self.world_of, values.double(), minlength=len(self))

    def largest(self, values: Tensor) -> Tensor:
        """[B], the largest of each world's cells of values [N]; nan in a world without cells."""
        none = values.new_full((len(self),), math.nan)
        return none.scatter_reduce(0, self.world_of, values, "amax", include_self=False)


def _same_cells(world: World, previous: World) -> bool:
    if world.address is previous.address:
        return True
    same_sizes = torch.equal(world.space.sizes, previous.space.sizes)
    return same_sizes and torch.equal(world.address, previous.address)
