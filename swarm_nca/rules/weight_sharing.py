"""Hearing: which neighbour slots share weights, and so which directions a rule distinguishes.

With separate weights for every slot, a rule depends on the direction of each message. Messages in
slots with shared weights are added up, so their direction is lost. With `ring` a rule distinguishes
only the cell itself from its neighbours, so a swarm behaves the same on a picture and on the same
picture turned by 90° or mirrored. A shared weight is one row of the learned layer that is copied to
several rows of the used layer.

To add a hearing, name it in `Hearing`, and give the group of each slot in `GROUPS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from swarm_nca.arguments import shown
from swarm_nca.suggestion import did_you_mean

Hearing: TypeAlias = Literal["slots", "ring", "sobel"]

#: The slot of a cell's own message.
_OWN = 4

#: Number of slots → the group of each slot, from 0. The slots of one group share weights.
GROUPS: dict[str, Callable[[int], list[int]]] = {
    "slots": lambda slots: list(range(slots)),
    "ring": lambda slots: [int(slot != _OWN) for slot in range(slots)],
}


def shared_rows(hearing: Hearing, slots: int, channels: int, stimulus_size: int) -> Tensor:
    """int64 [S + K·C]: for each row of the used perception layer, the learned row that it copies.

    Learned rows are ordered: first one per group of stimulus values, then C per group of slots. A
    stimulus with as many values as slots (the patch of a picture) has the groups of the slots;
    other stimuli share nothing.

    Raises:
        ValueError: an unknown hearing, or too few slots to contain the cell's own.
    """
    known = get_args(Hearing)
    if hearing not in GROUPS:
        raise ValueError(
            f"hearing must be one of {', '.join(known)}, got {shown(hearing)}"
            f"{did_you_mean(hearing, known)}"
        )
    if hearing == "ring" and slots <= _OWN:
        raise ValueError(
            f"hearing 'ring' treats a cell's own slot, number {_OWN}, separately: it needs more "
            f"than {_OWN} slots, got {slots}; use hearing='slots'"
        )
    group = torch.tensor(GROUPS[hearing](slots))
    sensed = group if stimulus_size == slots else torch.arange(stimulus_size)
    heard = group[:, None] * channels + torch.arange(channels)
    first = int(sensed.max()) + 1 if len(sensed) else 0
    return torch.cat([sensed, first + heard.reshape(-1)])


def filters_of(slots: int, angle: float = 0.0) -> Tensor:
    """float64 [9, 3]: the identity, and the Sobel filters across columns and rows divided by 8.

    From growing neural cellular automata (Mordvintsev et al., Distill 2020). Filters turned by an
    angle make a pattern grow turned by that angle.

    Args:
        slots: K, which must be 9.
        angle: degrees.

    Raises:
        ValueError: another number of slots.
    """
    if slots != 9:
        raise ValueError(f"hearing 'sobel' filters a 3×3 patch: it needs 9 slots, got {slots}")
    smooth, slope = (
        torch.tensor(values, dtype=torch.float64) for values in ((1, 2, 1), (-1, 0, 1))
    )
    across = torch.outer(smooth, slope).reshape(-1) / 8
    down = torch.outer(slope, smooth).reshape(-1) / 8
    own = torch.zeros(9, dtype=torch.float64)
    own[_OWN] = 1.0
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return torch.stack([own, cos * across - sin * down, sin * across + cos * down], dim=1)
