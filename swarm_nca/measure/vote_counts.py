"""Counts of the cells' decisions in every world; scores of decisions need nothing else.

Letters: B worlds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

#: The decision of an undecided cell, and the majority of a world without decided cells.
UNDECIDED = -1


class VoteCounts:
    """Cells of B worlds, counted by decision.

    Args:
        ballot: int64 [B, 1 + classes]; the first column counts undecided cells.
        label: int64 [B], the right class, −1 if unknown.
        flips: int64 [B], cells that changed from one class to another in the last step; None if
            the previous step is unknown.
    """

    def __init__(self, ballot: Tensor, label: Tensor, flips: Tensor | None = None) -> None:
        self.label = label
        self._ballot, self._flips = ballot, flips

    def __len__(self) -> int:
        """B, the number of worlds."""
        return len(self.label)

    @property
    def ballot(self) -> Tensor:
        """int64 [B, 1 + classes], cells by decision; the first column counts undecided cells."""
        return self._ballot

    @property
    def flips(self) -> Tensor | None:
        """int64 [B], cells that changed from one class to another in the last step, if known."""
        return self._flips

    @property
    def votes(self) -> Tensor:
        """int64 [B, classes], decided cells by class."""
        return self.ballot[:, 1:]

    @property
    def undecided(self) -> Tensor:
        """int64 [B], undecided cells."""
        return self.ballot[:, 0]

    @cached_property
    def cells(self) -> Tensor:
        """int64 [B], living cells."""
        return self.ballot.sum(dim=1)

    @cached_property
    def decided(self) -> Tensor:
        """int64 [B], decided cells."""
        return self.votes.sum(dim=1)

    @cached_property
    def agrees(self) -> Tensor:
        """bool [B], whether all decided cells have the same class; true without decided cells."""
        return self.votes.amax(dim=1) == self.decided

    @cached_property
    def majority(self) -> Tensor:
        """int64 [B], the class with most cells, −1 without decided cells; ties → the lowest."""
        return self.votes.argmax(dim=1).masked_fill_(self.decided == 0, UNDECIDED)

    @cached_property
    def answers(self) -> Tensor:
        """bool [B], whether at least half of the cells, and at least one, agree on one class.

        The other cells must be undecided. A world that does not answer abstains.
        """
        return self.agrees & (self.decided > 0) & (2 * self.decided >= self.cells)

    @property
    def begun(self) -> Tensor | None:
        """bool [B], false for worlds whose cells have not decided yet; None if all have."""
        return None

    @property
    def labelled(self) -> Tensor:
        """bool [B], whether the label is known."""
        return self.label >= 0

    @cached_property
    def correct(self) -> Tensor:
        """int64 [B], cells that have decided on their world's label; 0 if it is unknown."""
        right = self.votes.gather(1, self.label.clamp(min=0)[:, None]).view(-1)
        return right * self.labelled

    def counted(self) -> VoteCounts:
        """A copy of the counts on the CPU, without the worlds."""
        flips = None if self.flips is None else self.flips.cpu()
        return VoteCounts(self.ballot.cpu(), self.label.cpu(), flips)

    def of(self, which: Tensor) -> VoteCounts:
        """The counts of some worlds, given as numbers or a bool [B]."""
        flips = None if self.flips is None else self.flips[which]
        return VoteCounts(self.ballot[which], self.label[which], flips)

    @staticmethod
    def joined(parts: Sequence[VoteCounts]) -> VoteCounts:
        """The worlds of several batches, one after another."""
        flips = [part.flips for part in parts if part.flips is not None]
        return VoteCounts(
            torch.cat([part.ballot for part in parts]),
            torch.cat([part.label for part in parts]),
            torch.cat(flips) if len(flips) == len(parts) else None,
        )
