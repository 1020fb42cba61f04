"""Converts sites of one world from numbers, (row, column) pairs or a mask to addresses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from swarm_nca.arguments import dense, shown, whole
from swarm_nca.spaces import PixelSpace, Space
from swarm_nca.world.making import integers


def addresses(space: Space, sites: Any, world: Any) -> Tensor:
    """int64 [n], the addresses of some sites of one world, in the given order.

    Args:
        sites: numbers [n] or one number; on pictures also (row, column) pairs [n, 2]; or a mask,
            bool [H, W] on pictures and bool [nodes] on graphs.
        world: the number of the world in the batch.

    Raises:
        ValueError: invalid, unknown or repeated sites.
    """
    number = whole("world", world, 0, len(space.sizes) - 1)
    size, shape = int(space.sizes[number]), None
    if isinstance(space, PixelSpace):
        shape = (int(space.height[number]), int(space.width[number]))
    given = dense("sites", sites)
    if given.dtype == bool:
        site = torch.from_numpy(given.reshape(-1).nonzero()[0])
        if given.shape != (shape or (size,)):
            raise ValueError(
                f"a mask of sites must have the shape {list(shape or (size,))} of this world, got "
                f"{list(given.shape)}"
            )
    else:
        site = _numbers(integers("sites", given), shape)
    if len(site.unique()) < len(site):  # type: ignore[no-untyped-call]
        raise ValueError(f"each site may be given once, got {shown(given.tolist())}")
    if len(site) and not 0 <= int(site.min()) <= int(site.max()) < size:
        raise ValueError(
            f"sites of this world run from 0 to {size - 1}, got {shown(given.tolist())}"
        )
    return site.to(space.sizes.device) + int(space.sizes[:number].sum())


def _numbers(given: Tensor, shape: tuple[int, int] | None) -> Tensor:
    """int64 [n], site numbers from numbers, or from (row, column) pairs on a picture [H, W]."""
    if given.ndim < 2:
        return given.reshape(-1)
    if shape is None:
        raise ValueError(
            f"nodes are given by their numbers [n], or by a mask; got the shape {list(given.shape)}"
        )
    if given.ndim > 2 or given.shape[1] != 2:
        raise ValueError(
            "sites are pixel numbers [n], (row, column) pairs [n, 2], or a boolean mask [H, W]; "
            f"got the shape {list(given.shape)}"
        )
    height, width = shape
    row, column = given.unbind(1)
    outside = (row < 0) | (row >= height) | (column < 0) | (column >= width)
    if bool(outside.any()):
        raise ValueError(
            f"pixels of this world run from (0, 0) to {(height - 1, width - 1)}, got "
            f"{tuple(given[outside][0].tolist())}"
        )
    return row * width + column
