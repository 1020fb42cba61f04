"""What a metric reads off worlds, and how worlds and batches of them become one number.

A share or a mean is a part over a whole, and pools as Σ parts / Σ wholes, as the published
evaluation pools cells over the pictures of a batch (Randazzo et al., Distill 2020); batches are
then averaged. The largest of all worlds is the largest of each; counts add up.

nan means that there was nothing to measure, and nothing else: what was measured and is no finite
number counts as infinite, so that no average can hide it.

Letters: B worlds.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class Reading(Protocol):
    """A value of every world, and of all of them together."""

    def per_world(self) -> Tensor:
        """float64 [B], nan where there is nothing to measure."""

    def pooled(self) -> float:
        """The batch's value, nan if there is nothing to measure."""

    @staticmethod
    def over_batches(values: Tensor, sizes: Tensor) -> Tensor:
        """One value from those pooled of each batch, [batches, …] → […]; their sizes [batches]."""


class Ratio(NamedTuple):
    """`part` / `whole`, both [B], world by world: a share, or a mean."""

    part: Tensor
    whole: Tensor

    def per_world(self) -> Tensor:
        """float64 [B], nan where there is nothing to measure."""
        return self.part.double() / self.whole.double()

    def pooled(self) -> float:
        """Σ parts / Σ wholes."""
        return float(self.part.double().sum() / self.whole.double().sum())

    @staticmethod
    def over_batches(values: Tensor, sizes: Tensor) -> Tensor:
        """The average by their sizes; nan counts for nothing."""
        weight = sizes.view(-1, *[1] * (values.dim() - 1)) * ~values.isnan()
        weighted = torch.where(weight > 0, values * weight, 0)
        return weighted.sum(dim=0) / weight.sum(dim=0)


class Largest(NamedTuple):
    """The largest `value` [B] of each world, nan where there is none."""

    value: Tensor

    def per_world(self) -> Tensor:
        """float64 [B], nan where there is nothing to measure."""
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
    """How many, [B], in each world."""

    number: Tensor

    def per_world(self) -> Tensor:
        """float64 [B]."""
        return self.number.double()

    def pooled(self) -> float:
        """How many in all worlds."""
        return float(self.number.sum())

    @staticmethod
    def over_batches(values: Tensor, sizes: Tensor) -> Tensor:
        """How many in all batches."""
        return values.sum(dim=0)
