"""The average of a run's weights, which is calmer than any of them: what some recipes end with.

An optimizer with noisy gradients circles round the place it is bound for; the exponential average
of where it has been lies nearer to it: a variant of the plain average of Polyak and Juditsky
(1992). Of n weights added so far it keeps no more than (n + 1) / (n + 10) of itself, so that the
first ones, which know nothing, are soon forgotten however much it is to keep later. Nothing of the
training itself depends on the average.
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
        rule: whose weights are averaged; until the first `add` they are the average.
        keep: share of itself that the average keeps when weights are added, in (0, 1); less while
            there are few.
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
        """Count in the present weights; the first ones are taken as they are."""
        self._model.update_parameters(rule)

    def memory(self) -> dict[str, Tensor]:
        """By name all that `remember` needs to go on."""
        return dict(self._model.state_dict())

    def remember(self, memory: dict[str, Tensor]) -> None:
        """Put back what `memory` gave.

        Raises:
            RuntimeError: something is missing, or of another shape.
        """
        self._model.load_state_dict(memory)
