"""Overflow: a penalty for states beyond a bound.

With |s| the magnitude of any channel and a bound b, per cell:

    loss      ½ Σ_c max(0, |s_c| − b)²
    gradient  sign(s_c) · max(0, |s_c| − b)
"""

from __future__ import annotations

from torch import Tensor

from swarm_nca.tasks.losses.cells import per_picture
from swarm_nca.world import World


def overflow(world: World, bound: float, *, each: bool = False) -> Tensor:
    """½ · Σ over cells and channels of (|s| − bound)₊², averaged over the pictures.

    It is 0 while all channels are within ±bound. It keeps free channels, which have no target, from
    growing without limit in long runs.
    """
    return per_picture(0.5 * (world.state.abs() - bound).clamp_min(0.0).square(), world, each=each)
