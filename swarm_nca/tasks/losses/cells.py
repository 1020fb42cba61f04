"""What every loss asks of a world, and how the losses of its cells become one number."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from swarm_nca.world import World


def labels(world: World) -> Tensor:
    """int64 [N], the class each cell should agree on.

    Raises:
        ValueError: a world whose label is not known.
    """
    unknown = (world.label < 0).nonzero().view(-1)
    if len(unknown):
        raise ValueError(
            f"a loss asks for the label of every world, and {len(unknown)} of {len(world)} have "
            f"none, world {int(unknown[0])} first; give them with World.from_images(…, labels=…)"
        )
    return world.label[world.world_of]


def targets(world: World) -> Tensor:
    """[N, classes], the labels one-hot."""
    return functional.one_hot(labels(world), len(world.classes)).to(world.state.dtype)


def per_picture(cells: Tensor, world: World, each: bool = False) -> Tensor:
    """The sum over all cells [N], or cells and classes [N, classes], of a picture.

    Args:
        each: [B], one sum per picture, instead of their mean, a scalar.
    """
    if not each:
        return cells.sum() / len(world)
    alone = cells if cells.ndim == 1 else cells.sum(1)
    return alone.new_zeros(len(world)).index_add(0, world.world_of, alone)
