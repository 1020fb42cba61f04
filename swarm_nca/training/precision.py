"""Measures whether products in bfloat16 are faster than in float32 on this processor."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from swarm_nca.matmul import product
from swarm_nca.measure.stopwatch import interleaved
from swarm_nca.rules import Rule

#: Typical number of firing cells per picture and step.
_CELLS = 64


def bfloat16_takes(rule: Rule, worlds: int) -> float:
    """The time of a rollout's largest product in bfloat16, divided by the time in float32.

    Args:
        rule: the rule to train.
        worlds: worlds of a batch.
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
