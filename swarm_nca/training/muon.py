"""Muon: momentum whose matrices are made orthogonal before each step.

Jordan et al. 2024, kellerjordan.github.io/posts/muon. torch's own Muon multiplies bfloat16 numbers,
which takes ten times as long on a CPU without units for them: a sixth of an iteration.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

_MOMENTUM = 0.95

#: Of the polynomial a·x + b·x³ + c·x⁵: five rounds take singular values from 0.01 to 1 into 0.5 to
#: 1.5; smaller ones stay smaller.
_COEFFICIENTS, _ROUNDS = (3.4445, -4.7750, 2.0315), 5


class Muon(Optimizer):
    """Steps of matrices, as large as Adam's at the same rate.

    Args:
        weights: matrices.

    Raises:
        ValueError: a weight that is no matrix.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        if any(weight.ndim != 2 for weight in weights):
            raise ValueError("Muon updates matrices only: give other weights to Adam")
        super().__init__(weights, {"lr": 1e-3})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every matrix that has a gradient, with Nesterov's momentum."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(weight)
                momentum = state["momentum_buffer"]
                momentum.lerp_(weight.grad, 1 - _MOMENTUM)
                change = orthogonal(weight.grad.lerp(momentum, _MOMENTUM))
                weight.add_(change, alpha=-0.2 * math.sqrt(max(weight.shape)) * group["lr"])


def orthogonal(matrix: Tensor) -> Tensor:
    """A matrix near the nearest orthogonal one.

    The iteration of Newton and Schulz, with the coefficients of Jordan et al. Singular values above
    about a hundredth of the norm become 0.5 to 1.5.
    """
    if matrix.shape[0] > matrix.shape[1]:
        turned: Tensor = orthogonal(matrix.t()).t()
        return turned
    a, b, c = _COEFFICIENTS
    found: Tensor = matrix / matrix.norm().clamp(min=1e-7)
    for _ in range(_ROUNDS):
        square = found @ found.t()
        found = torch.addmm(
            found, torch.addmm(square, square, square, beta=b, alpha=c), found, beta=a
        )
    return found
