"""L2 on softmax probabilities: what the clothing automata are described with (McAteer 2020).

It is the Brier score (Brier 1950), halved. With class channels z, p = softmax(z) and the one-hot
label e, per cell:

    loss      ½ Σ_j (p_j − e_j)²
    gradient  p_j · ((p_j − e_j) − Σ_i p_i (p_i − e_i))

The gradient fades at both ends: where a cell is right, and where it is surely wrong (p_label → 0),
which it then may stay. Only differences between channels count.
"""

from __future__ import annotations

from torch import Tensor

from swarm_nca.tasks.losses.cells import per_picture, targets
from swarm_nca.world import World


def softmax_l2(world: World, *, each: bool = False) -> Tensor:
    """½ · Σ over cells and classes of (softmax − one-hot)², averaged over the pictures.

    A rule that does nothing scores 0.45 per living cell of ten classes; the worst is 1. Every label
    must be known.
    """
    return per_picture(0.5 * (world.logits.softmax(1) - targets(world)).square(), world, each=each)
