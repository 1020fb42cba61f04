"""Softmax cross-entropy: the first loss of the article (Randazzo et al., Distill 2020).

With class channels z, p = softmax(z) and the one-hot label e, per cell:

    loss      log Σ_j exp(z_j) − z_label
    gradient  p − e

It is never 0: larger channels always reduce it, so states grow without limit. It depends only on
differences between channels.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from swarm_nca.tasks.losses.cells import labels, per_picture
from swarm_nca.world import World


def ce(world: World, *, each: bool = False) -> Tensor:
    """The sum of cross-entropies over cells, averaged over the pictures.

    Zero states have a loss of log(classes) per living cell. Every label must be known.
    """
    cells = functional.cross_entropy(world.logits, labels(world), reduction="none")
    return per_picture(cells, world, each=each)
