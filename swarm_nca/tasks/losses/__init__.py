"""How wrong a swarm is: one loss, one file, each a function of the class channels of all cells.

Losses are sums over cells averaged over pictures, as published: a picture weighs as much as it has
cells. Trainers divide gradients by their own length, so a loss's scale is free. How cells decide is
the argmax of their class channels, whatever they were trained by.

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
    """How wrong a batch is."""

    def __call__(self, world: World, *, each: bool = False) -> Tensor:
        """The mean over B worlds, a scalar; with `each` one loss for each, [B]."""


#: Losses a recipe may name.
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


def loss_of(name: str, world: World, bound: float | None, each: bool = False) -> Tensor:
    """The named loss of a world, with the overflow beyond `bound` added where one is given.

    Args:
        each: [B], one loss per picture, instead of their mean, a scalar.
    """
    loss = LOSSES[name](world, each=each)
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
