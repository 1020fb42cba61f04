"""A fence around states: nothing inside, a spring outside.

With |s| the size of a channel, free or of a class, and a bound b, per cell:

    loss      ½ Σ_c max(0, |s_c| − b)²
    gradient  sign(s_c) · max(0, |s_c| − b)
"""

from __future__ import annotations

from torch import Tensor

from swarm_nca.tasks.losses.cells import per_picture
from swarm_nca.world import World


def overflow(world: World, bound: float, *, each: bool = False) -> Tensor:
    """½ · Σ over cells and channels of (|s| − bound)₊², averaged over the pictures.

    Nothing while every channel stays within ±bound; past it a cell is pulled back, which keeps the
    free channels, on which no target acts, from running away in long use.
    """
    return per_picture(0.5 * (world.state.abs() - bound).clamp_min(0.0).square(), world, each=each)
