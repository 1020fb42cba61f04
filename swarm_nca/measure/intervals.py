"""95 % intervals of scores over pictures.

The sample consists of pictures, because the cells of one picture do not decide independently. A
share of pictures gets Wilson's interval (Wilson 1927), which is valid near 0 and 1 too. Cell
accuracy, a ratio of two sums over pictures, gets the error of a ratio estimator (Cochran,
*Sampling Techniques*, 1977, section 2.11).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: Standard deviations on each side that contain 95 % of a normal distribution.
Z95 = 1.959964


def wilson(share: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The interval (low, high) of the true share, each like `share`, the share of `count` pictures.

    Raises:
        ValueError: no pictures.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1 picture, got {count}")
    extra = Z95 * Z95 / count
    middle = (share + extra / 2) / (1 + extra)
    inside = (share * (1 - share) / count + extra / (4 * count)).clamp_min(0.0)
    reach = Z95 / (1 + extra) * inside.sqrt()
    return (middle - reach).clamp(0.0, 1.0), (middle + reach).clamp(0.0, 1.0)


def ratio_error(part: Tensor, whole: Tensor) -> Tensor:
    """The standard error of Σ part / Σ whole over pictures: [T, P] and [P] → float64 [T].

    nan for fewer than two pictures, or if Σ whole is 0.
    """
    part, whole = part.double(), whole.double()
    pictures = len(whole)
    if pictures < 2:
        return torch.full((len(part),), math.nan, dtype=torch.float64)
    ratio = part.sum(1) / whole.sum()
    residual = part - ratio[:, None] * whole
    variance = residual.square().sum(1) * pictures / (pictures - 1)
    return variance.sqrt() / whole.sum()
