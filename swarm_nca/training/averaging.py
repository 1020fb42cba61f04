"""The exponential average of a run's weights, which some recipes use as the final rule.

With noisy gradients weights fluctuate around the optimum; their average lies nearer to it: a
variant of the plain average of Polyak and Juditsky (1992). After n additions the average keeps at
most (n + 1) / (n + 10) of itself, so that the untrained first weights are soon forgotten. Training
does not depend on the average.
"""

from __future__ import annotations

from typing import TypeAlias, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from swarm_nca.rules import Rule

Tensors: TypeAlias = tuple[Tensor, ...] | list[Tensor]


class Average:
    """The running average of one rule's weights.

    Args:
        rule: its weights are averaged; until the first `add` they are the average.
        keep: share that the average keeps when weights are added, in (0, 1); less at first.
    """

    def __init__(self, rule: Rule, keep: float) -> None:
        @torch.no_grad()
        def add(average: Tensors, weights: Tensors, added: Tensor | int) -> None:
            now = min(keep, (int(added) + 1) / (int(added) + 10))
            torch._foreach_lerp_(average, weights, 1 - now)

        self._model = AveragedModel(rule, multi_avg_fn=add)

    @property
    def rule(self) -> Rule:
        """A rule with the averaged weights; later additions change it."""
        return cast(Rule, self._model.module)

    def add(self, rule: Rule) -> None:
        """Add the present weights; the first addition replaces the average."""
        self._model.update_parameters(rule)

    def memory(self) -> dict[str, Tensor]:
        """The tensors that `remember` restores, by name."""
        return dict(self._model.state_dict())

    def remember(self, memory: dict[str, Tensor]) -> None:
        """Restore the tensors that `memory` gave.

        Raises:
            RuntimeError: a tensor is missing or has another shape.
        """
        self._model.load_state_dict(memory)
