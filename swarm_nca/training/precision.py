"""Whether products in a shorter precision pay: processors differ in it, and none says so."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from swarm_nca.measure.stopwatch import interleaved

#: Cells that fire in one step of a batch, what each of them hears, and units of the first layer.
PRODUCT = (1_024, 171, 80)


def bfloat16_takes() -> float:
    """How many times as long as in float32 a rollout's largest product takes in bfloat16, here."""
    cells, heard, units = PRODUCT

    def product(kind: torch.dtype) -> Callable[[], Tensor]:
        messages, weight = (
            torch.ones(shape, dtype=kind) for shape in ((cells, heard), (heard, units))
        )
        out = torch.empty(cells, units, dtype=kind)
        return lambda: torch.mm(messages, weight, out=out)

    return interleaved(
        {"short": product(torch.bfloat16), "full": product(torch.float32)}, seconds=0.3
    ).ratio("short", "full")
