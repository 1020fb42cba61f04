"""How wrong a swarm is: functions of the class channels, averaged over pictures."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from swarm_nca.world import World


def l2(world: World) -> Tensor:
    """½ · Σ over cells and classes of (one-hot − s)², per picture, averaged over the pictures.

    The published loss of self-classifying MNIST (Randazzo et al. 2020): it has a finite target, so
    a swarm that has agreed stops pushing. A rule that does nothing scores 0.5 per living cell.
    Every label must be known.
    """
    wanted = functional.one_hot(world.label[world.world_of], len(world.classes))
    return 0.5 * (wanted - world.logits).square().sum() / len(world)


def overflow(world: World, bound: float) -> Tensor:
    """½ · Σ over cells and channels of (|s| − bound)₊², averaged over the pictures.

    Nothing while every channel stays within ±bound; past it a cell is pulled back, which keeps the
    free channels, on which no target acts, from running away in long use.
    """
    return 0.5 * (world.state.abs() - bound).clamp_min(0.0).square().sum() / len(world)


#: Losses a recipe may name.
LOSSES = {"l2": l2}


def loss_of(name: str, world: World, bound: float | None) -> Tensor:
    """The named loss of a world, with the overflow beyond `bound` added where one is given."""
    loss = LOSSES[name](world)
    return loss if bound is None else loss + overflow(world, bound)
