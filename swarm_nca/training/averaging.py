"""The average of a run's weights, which is calmer than any of them: what some recipes end with.

An optimizer with noisy gradients circles round the place it is bound for; the exponential average
of where it has been lies nearer to it: a variant of the plain average of Polyak and Juditsky
(1992). It begins with the weights after the first iteration, of which it still holds
keep^(iterations − 1) at the end. Nothing of the training itself depends on the average.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from swarm_nca.rules import Rule


class Average:
    """The running average of one rule's weights.

    Args:
        rule: whose weights are averaged; until the first `add` they are the average.
        keep: share of itself that the average keeps when weights are added, in (0, 1).
    """

    def __init__(self, rule: Rule, keep: float) -> None:
        averaging = get_ema_multi_avg_fn(keep)  # type: ignore[no-untyped-call]
        self._model = AveragedModel(rule, multi_avg_fn=averaging)

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
