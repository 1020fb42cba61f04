"""Whether products in a shorter precision pay: processors differ in it, and none says so."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from swarm_nca.matmul import product
from swarm_nca.measure.stopwatch import interleaved
from swarm_nca.rules import Rule

#: Cells that fire in a step, of one picture.
_CELLS = 64


def bfloat16_takes(rule: Rule, worlds: int) -> float:
    """How many times as long as in float32 a rollout's largest product takes in bfloat16, here.

    Args:
        rule: which is to be trained.
        worlds: of a batch.
    """
    layers = rule.layers()
    if layers is None:
        return 1.0
    cells, heard, units = worlds * _CELLS, rule.slots * rule.channels, len(layers[0].bias)

    def largest(kind: torch.dtype) -> Callable[[], Tensor]:
        messages, weight = (
            torch.ones(shape, dtype=kind) for shape in ((cells, heard), (heard, units))
        )
        return lambda: product(messages, weight)

    return interleaved(
        {"short": largest(torch.bfloat16), "full": largest(torch.float32)}, seconds=0.3
    ).ratio("short", "full")
