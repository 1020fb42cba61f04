"""Bookkeeping of rows: who lives where, and how what cells hold moves when rows come and go."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from swarm_nca.grounds import Ground


def settled(ground: Ground) -> dict[str, Any]:
    """Rows, index table and stimulus as a ground has them now."""
    address = ground.alive()
    heard, stimulus = ground.look(address)
    places = int(ground.sizes.sum())
    row_at = torch.full((places + 1,), len(address), device=address.device)
    row_at[address] = torch.arange(len(address), device=address.device)
    return {"address": address, "neighbors": row_at[heard], "stimulus": stimulus}


def rows_at(address: Tensor, wanted: Tensor) -> Tensor:
    """The rows that live at wanted addresses, any shape; the number of rows where nobody does."""
    rows = torch.searchsorted(address, wanted)
    padded = torch.cat([address, address.new_full((1,), -1)])
    return torch.where(padded[rows] == wanted, rows, len(address))


def merged(kept: Tensor, born: Tensor) -> tuple[Tensor, Tensor]:
    """Two ascending lists as one, and where the first one's entries have come to stand."""
    where = torch.arange(len(kept), device=kept.device) + torch.searchsorted(born, kept)
    merged = kept.new_empty(len(kept) + len(born))
    merged[where] = kept
    merged[torch.arange(len(born), device=kept.device) + torch.searchsorted(kept, born)] = born
    return merged, where
