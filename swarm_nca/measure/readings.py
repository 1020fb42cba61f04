"""Values of a metric per world, and how they are pooled over worlds and batches.

A share or a mean is a part over a whole and is pooled as Σ parts / Σ wholes, as the published
evaluation pools cells over the pictures of a batch (Randazzo et al., Distill 2020); batches are
then averaged, weighted by their worlds with something to measure. A largest value is pooled by its
maximum, a count by its sum.

nan means only that there was nothing to measure. A measured value that is not finite counts as
infinite, so that it stays visible in averages.

Letters: B worlds.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class Reading(Protocol):
    """The value of each world, and the pooled value of all worlds."""

    def per_world(self) -> Tensor:
        """float64 [B], nan if there is nothing to measure."""

    def pooled(self) -> float:
        """The batch's value, nan if there is nothing to measure."""

    @staticmethod
    def over_batches(values: Tensor, sizes: Tensor) -> Tensor:
        """Pools the values of batches, [batches, …] → […].

        Args:
            sizes: [batches, …], for each value the number of worlds with something to measure.
        """


class Ratio(NamedTuple):
    """`part` / `whole`, both [B]: a share or a mean."""

    part: Tensor
    whole: Tensor

    def per_world(self) -> Tensor:
        """float64 [B], nan if there is nothing to measure."""
        return self.part.double() / self.whole.double()

    def pooled(self) -> float:
        """Σ parts / Σ wholes."""
        return float(self.part.double().sum() / self.whole.double().sum())

    @staticmethod
    def over_batches(values: Tensor, sizes: Tensor) -> Tensor:
        """The average weighted by size, without nan."""
        weight = sizes * ~values.isnan()
        weighted = torch.where(weight > 0, values * weight, 0)
        return weighted.sum(dim=0) / weight.sum(dim=0)


class Largest(NamedTuple):
    """The largest `value` [B] of each world, nan if there is none."""

    value: Tensor

    def per_world(self) -> Tensor:
        """float64 [B], nan if there is nothing to measure."""
        return self.value.double()

    def pooled(self) -> float:
        """The largest of all worlds."""
        known = self.value[~self.value.isnan()]
        return float(known.max()) if known.numel() else math.nan

    @staticmethod
    def over_batches(values: Tensor, sizes: Tensor) -> Tensor:
        """The largest of all batches."""
        largest = values.nan_to_num(-math.inf, math.inf, -math.inf).amax(dim=0)
        return largest.masked_fill(values.isnan().all(dim=0), math.nan)


class Count(NamedTuple):
    """A count [B] for each world."""

    number: Tensor

    def per_world(self) -> Tensor:
        """float64 [B]."""
        return self.number.double()

    def pooled(self) -> float:
        """The sum over worlds."""
        return float(self.number.sum())

    @staticmethod
    def over_batches(values: Tensor, sizes: Tensor) -> Tensor:
        """The sum over batches."""
        return values.sum(dim=0)
