"""Parts shared by all losses: labels and targets of cells, and sums over pictures."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from swarm_nca.world import World


def labels(world: World) -> Tensor:
    """int64 [N], the class each cell should agree on.

    Raises:
        ValueError: a world without a label.
    """
    unknown = (world.label < 0).nonzero().view(-1)
    if len(unknown):
        raise ValueError(
            f"a loss needs the label of every world, and {len(unknown)} of {len(world)} have none, "
            f"world {int(unknown[0])} first; set them with World.from_images(…, labels=…)"
        )
    return world.label[world.world_of]


def targets(world: World, silent: bool = False) -> Tensor:
    """[N, classes], the labels one-hot.

    Args:
        silent: whether cells of worlds without a label should be silent: their target is zeros.
    """
    count = len(world.classes)
    if not silent:
        return functional.one_hot(labels(world), count).to(world.state.dtype)
    # −1 becomes a last column, which is left out.
    one_hot = functional.one_hot(world.label % (count + 1), count + 1)[:, :count]
    return one_hot.to(world.state.dtype)[world.world_of]


def per_picture(cells: Tensor, world: World, each: bool = False) -> Tensor:
    """The sum over the cells of each picture, of values [N] or [N, classes].

    Args:
        each: whether to return one sum per picture, [B], instead of their mean, a scalar.
    """
    if not each:
        return cells.sum() / len(world)
    per_cell = cells if cells.ndim == 1 else cells.sum(1)
    return per_cell.new_zeros(len(world)).index_add(0, world.world_of, per_cell)
