"""L2 on the raw class channels: the published loss (Randazzo et al., Distill 2020).

With class channels z and the one-hot label e, per cell:

    loss      ½ Σ_j (e_j − z_j)²
    gradient  z − e

The target is finite: the gradient is 0 once the channels reach it, so states stay small. The loss
depends on values, not only on their order: adding a constant to all channels changes it.
"""

from __future__ import annotations

from torch import Tensor

from swarm_nca.tasks.losses.cells import per_picture, targets
from swarm_nca.world import World


def l2(world: World, *, each: bool = False, silent: bool = False) -> Tensor:
    """½ · Σ over cells and classes of (one-hot − s)², averaged over the pictures.

    Zero states have a loss of 0.5 per living cell. Every label must be known, unless `silent` is
    set: the cells of a world without a label should then show no class, and their target is zero in
    all class channels.
    """
    cells = 0.5 * (targets(world, silent) - world.logits).square()
    return per_picture(cells, world, each=each)
