"""Hearing: which neighbour slots share weights, and so what a cell can tell apart by hearing it.

A cell with weights of its own for every slot knows who spoke from where. Where slots share their
weights, what comes from them is added up, and where exactly it came from is lost: with `ring` a
cell knows itself from the others and nothing more, so a swarm behaves alike on a picture and on
the same picture turned by quarters or mirrored. Shared weights are one row of the learned layer
that stands in several rows of the layer that is used.

To add one, name it in `Hearing`, and say in `GROUPS`, slot by slot, who shares with whom.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from swarm_nca.rules.bounds import shown
from swarm_nca.suggestion import did_you_mean

Hearing: TypeAlias = Literal["slots", "ring"]

#: The slot in which a cell hears itself.
_OWN = 4

#: Slot by slot of K, the group it shares its weights with; groups count from 0.
GROUPS: dict[Hearing, Callable[[int], list[int]]] = {
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
    if hearing not in known:
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
    return torch.cat([sensed, int(sensed.max()) + 1 + heard.reshape(-1)])
