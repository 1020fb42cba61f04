"""Optimizers: Adam, as published, or Muon, which needs a fraction of the iterations.

Muon (`muon.py`) replaces the averaged gradient of a weight matrix by the nearest orthogonal matrix,
so that a layer changes equally fast in every direction. This helps here because the directions in
which cells begin to agree have small gradients at first. Biases are not matrices; Adam updates
them.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.optim import Adam, Optimizer

from swarm_nca.rules import Rule
from swarm_nca.training.muon import Muon

Method = Literal["adam", "muon"]

#: What gradients are divided by: nothing, the norm of each tensor, or norms of the first's parts.
Normalization = Literal["none", "tensors", "shares"]


class Optimizers:
    """One rule's optimizers, under one learning rate.

    Args:
        rule: its weights are updated.
        method: `adam` for all weights, or `muon` for the matrices.
    """

    def __init__(self, rule: Rule, method: Method) -> None:
        weights = list(rule.parameters())
        if method == "adam":
            self._optimizers: list[Optimizer] = [Adam(weights)]
            return
        matrices = [weight for weight in weights if weight.ndim == 2]
        others = [weight for weight in weights if weight.ndim != 2]
        self._optimizers = [Muon(matrices), Adam(others)]

    def zero_grad(self) -> None:
        """Clear the gradients."""
        for optimizer in self._optimizers:
            optimizer.zero_grad()

    def step(self, rate: float) -> None:
        """Update every weight that has a gradient, at this learning rate."""
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()

    def memory(self, weight: Tensor) -> dict[str, Tensor]:
        """The optimizer state of a weight; empty before the first step."""
        for optimizer in self._optimizers:
            if weight in optimizer.state:
                return dict(optimizer.state[weight])
        return {}

    def remember(self, weight: Tensor, memory: dict[str, Tensor]) -> None:
        """Restore the optimizer state that `memory` gave."""
        for optimizer in self._optimizers:
            owned = (other for group in optimizer.param_groups for other in group["params"])
            if any(weight is other for other in owned):
                # Optimizers keep the count of steps on the CPU.
                optimizer.state[weight] = {
                    name: value if name == "step" else value.to(weight.device)
                    for name, value in memory.items()
                }


def normalize_gradients(rule: Rule, how: Normalization) -> None:
    """Divide each gradient by its own L2 norm (+ 1e-8), as published.

    With `shares` the first layer's gradient is divided in two parts, stimulus and messages, so that
    the few stimulus weights get gradients as large as the message weights.
    """
    if how == "none":
        return
    for name, weight in rule.named_parameters():
        if weight.grad is None:
            continue
        parts = [weight.grad]
        if how == "shares" and name == "perception":
            parts = [weight.grad[: rule.sensing_rows], weight.grad[rule.sensing_rows :]]
        for part in parts:
            part.div_(part.norm() + 1e-8)
