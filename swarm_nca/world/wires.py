"""Changed links of single cells, as a further field of a world that moves with its cells.

`wire` [N, K] holds for each slot of a cell the site of the sender that it hears, or one of two
negative numbers. It replaces what the space says, also after edits of the picture: a link to a cell
that dies is silent, and works again when the pixel is alive again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from swarm_nca.world.rows import rows_at

if TYPE_CHECKING:
    from swarm_nca.world.record import World

#: The name of the field.
WIRE = "wire"

#: Instead of a site: the sender that the space gives, or none.
AS_IN_SPACE, CUT = -1, -2


def wires_of(world: World) -> Tensor:
    """int64 [N, K], a copy of the field; `AS_IN_SPACE` everywhere if the world lacks it."""
    held = world.cell_fields.get(WIRE)
    return torch.full_like(world.neighbors, AS_IN_SPACE) if held is None else held.clone()


def rewired(world: World) -> World:
    """The world whose index table follows its space and, where it has them, its changed links."""
    wires = world.cell_fields.get(WIRE)
    if wires is None:
        return world
    places = world.space.sizes
    first = (places.cumsum(0) - places)[world.world_of]
    changed = rows_at(world.address, (first[:, None] + wires).clamp(min=0))
    heard = torch.where(wires >= 0, changed, world.neighbors)
    return replace(world, neighbors=heard.masked_fill(wires == CUT, world.cells))
