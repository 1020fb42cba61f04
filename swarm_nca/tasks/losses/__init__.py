"""Losses of classification: functions of the class channels of all cells, one per file.

Losses are sums over cells, averaged over pictures, as published; the weight of a picture is its
number of cells. Trainers normalise gradients, so the scale of a loss has no effect. The decision of
a cell is always the argmax of its class channels.

To add a loss, write a function from `World` to a scalar, and a line in `LOSSES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from torch import Tensor

from swarm_nca.tasks.losses.ce import ce
from swarm_nca.tasks.losses.l2 import l2
from swarm_nca.tasks.losses.overflow import overflow
from swarm_nca.tasks.losses.softmax_l2 import softmax_l2
from swarm_nca.tasks.losses.sparsegen_lin import sparsegen_lin, sparsegen_lin_loss
from swarm_nca.tasks.losses.sparsemax import sparsemax, sparsemax_loss
from swarm_nca.tasks.losses.sum_norm import sum_norm, sum_norm_loss
from swarm_nca.world import World


class Loss(Protocol):
    """A loss of a batch."""

    def __call__(self, world: World, *, each: bool = False) -> Tensor:
        """The mean over B worlds, a scalar; with `each` one loss per world, [B]."""


#: The losses that a recipe can name.
LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "l2": l2,
        "softmax-l2": softmax_l2,
        "ce": ce,
        "sparsemax": sparsemax_loss,
        "sum-norm": sum_norm_loss,
        "sparsegen-lin": sparsegen_lin_loss,
    }
)


def loss_of(
    name: str, world: World, bound: float | None, each: bool = False, silent: bool = False
) -> Tensor:
    """The named loss, plus the overflow beyond `bound` if a bound is given.

    Args:
        each: whether to return one loss per picture, [B], instead of their mean, a scalar.
        silent: whether cells of worlds without a label should be silent; for `l2` only.
    """
    loss = l2(world, each=each, silent=True) if silent else LOSSES[name](world, each=each)
    return loss if bound is None else loss + overflow(world, bound, each=each)


__all__ = [
    "LOSSES",
    "Loss",
    "ce",
    "l2",
    "loss_of",
    "overflow",
    "softmax_l2",
    "sparsegen_lin",
    "sparsegen_lin_loss",
    "sparsemax",
    "sparsemax_loss",
    "sum_norm",
    "sum_norm_loss",
]
