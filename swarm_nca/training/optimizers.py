"""Going down the gradient: Adam, as published, or Muon, which needs a fraction of the iterations.

Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon) turns the averaged gradient of a weight
matrix into the nearest orthogonal one before it steps, so that every direction in which a layer
can change moves at the same speed. For cells that must first find a language together this is
what counts: the directions in which they begin to agree are few and faint at first, and are not
drowned. Biases have no directions; Adam moves them.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.optim import Adam, Muon, Optimizer

from swarm_nca.rules import Rule

Method = Literal["adam", "muon"]

#: What gradients are divided by the length of: nothing, each tensor, or parts of the first one.
Normalization = Literal["none", "tensors", "shares"]


class Optimizers:
    """One rule's optimizers, under one learning rate.

    Args:
        rule: whose weights are moved.
        method: `adam` for all weights, or `muon` for the matrices.
    """

    def __init__(self, rule: Rule, method: Method) -> None:
        weights = list(rule.parameters())
        if method == "adam":
            self._optimizers: list[Optimizer] = [Adam(weights)]
            return
        matrices = [weight for weight in weights if weight.ndim == 2]
        # As large as Adam's steps would be, so that one rate serves both.
        muon = Muon(matrices, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
        self._optimizers = [muon, Adam([weight for weight in weights if weight.ndim != 2])]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for optimizer in self._optimizers:
            optimizer.zero_grad()

    def step(self, rate: float) -> None:
        """Move every weight that has a gradient, at this learning rate."""
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()

    def memory(self, weight: Tensor) -> dict[str, Tensor]:
        """What is remembered of a weight's earlier gradients; empty before the first step."""
        for optimizer in self._optimizers:
            if weight in optimizer.state:
                return dict(optimizer.state[weight])
        return {}

    def remember(self, weight: Tensor, memory: dict[str, Tensor]) -> None:
        """Put back what `memory` gave."""
        for optimizer in self._optimizers:
            if any(weight is one for group in optimizer.param_groups for one in group["params"]):
                # A count of steps stays where optimizers keep it: with the processor.
                optimizer.state[weight] = {
                    name: value if name == "step" else value.to(weight.device)
                    for name, value in memory.items()
                }


def normalize_gradients(rule: Rule, how: Normalization) -> None:
    """Divide each gradient by its own L2 norm (+ 1e-8), as published.

    With `shares` the first layer's gradient counts as two: what the stimulus gets and what the
    messages get are divided separately, which keeps the fewer stimulus weights from being drowned.
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
