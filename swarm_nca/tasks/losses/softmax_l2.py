"""L2 on softmax probabilities, as described for the clothing automata (McAteer 2020).

It is half the Brier score (Brier 1950). With class channels z, p = softmax(z) and the one-hot label
e, per cell:

    loss      ½ Σ_j (p_j − e_j)²
    gradient  p_j · ((p_j − e_j) − Σ_i p_i (p_i − e_i))

The gradient vanishes if a cell is right, but also if it is wrong with certainty (p_label → 0); such
a cell may stay wrong. The loss depends only on differences between channels.
"""

from __future__ import annotations

from torch import Tensor

from swarm_nca.tasks.losses.cells import per_picture, targets
from swarm_nca.world import World


def softmax_l2(world: World, *, each: bool = False) -> Tensor:
    """½ · Σ over cells and classes of (softmax − one-hot)², averaged over the pictures.

    Zero states have a loss of 0.45 per living cell with ten classes; the largest loss is
    1. Every label must be known.
    """
    return per_picture(0.5 * (world.logits.softmax(1) - targets(world)).square(), world, each=each)
