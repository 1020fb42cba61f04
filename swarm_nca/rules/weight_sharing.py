"""Hearing: which neighbour slots share weights, and so what a cell can tell apart by hearing it.

A cell with weights of its own for every slot knows who spoke from where. Where slots share their
weights, what comes from them is added up, and where exactly it came from is lost: with `ring` a
cell knows itself from the others and nothing more, so a swarm behaves alike on a picture and on
the same picture turned by quarters or mirrored. Shared weights are one row of the learned layer
that stands in several rows of the layer that is used.

To add one, name it in `Hearing`, and say in `GROUPS`, slot by slot, who shares with whom.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from swarm_nca.rules.bounds import shown
from swarm_nca.suggestion import did_you_mean

Hearing: TypeAlias = Literal["slots", "ring", "sobel"]

#: The slot in which a cell hears itself.
_OWN = 4

#: Slot by slot of K, the group it shares its weights with; groups count from 0.
GROUPS: dict[str, Callable[[int], list[int]]] = {
    "slots": lambda slots: list(range(slots)),
    "ring": lambda slots: [int(slot != _OWN) for slot in range(slots)],
}


def shared_rows(hearing: Hearing, slots: int, channels: int, stimulus_size: int) -> Tensor:
    """int64 [S + K·C]: for each row of the perception layer, the learned row it is a copy of.

    Learned rows are in order of use: those of the stimulus, group by group, then C for each group
    of slots. The stimulus shares as the slots do where it has as many values as there are slots
    (a picture's patch, seen from the same places); other stimuli share nothing.

    Raises:
        ValueError: an unknown hearing, or slots among which none is the cell's own.
    """
    known = get_args(Hearing)
    if hearing not in GROUPS:
        raise ValueError(
            f"hearing must be one of {', '.join(known)}, got {shown(hearing)}"
            f"{did_you_mean(hearing, known)}"
        )
    if hearing == "ring" and slots <= _OWN:
        raise ValueError(
            f"hearing 'ring' tells a cell's own slot, number {_OWN}, from the others: it needs "
            f"more than {_OWN} slots, got {slots}; use hearing='slots'"
        )
    group = torch.tensor(GROUPS[hearing](slots))
    sensed = group if stimulus_size == slots else torch.arange(stimulus_size)
    heard = group[:, None] * channels + torch.arange(channels)
    first = int(sensed.max()) + 1 if len(sensed) else 0
    return torch.cat([sensed, first + heard.reshape(-1)])


def filters_of(slots: int, angle: float = 0.0) -> Tensor:
    """float64 [9, 3]: identity, and the Sobel filters along columns and rows over 8.

    As in growing neural cellular automata (Mordvintsev et al., Distill 2020): turned by an angle,
    the filters see the world as a pattern turned by that angle does.

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
