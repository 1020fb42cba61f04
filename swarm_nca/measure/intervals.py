"""95 % intervals of scores over pictures.

The sample consists of pictures, because the cells of one picture do not decide independently. A
share of pictures gets Wilson's interval (Wilson 1927), which is valid near 0 and 1 too. Cell
accuracy, a ratio of two sums over pictures, gets the error of a ratio estimator (Cochran,
*Sampling Techniques*, 1977, section 2.11). The mean of a few runs gets Student's interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

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


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean of independent finite values, and the bounds of its 95 % interval (Student 1908).

    The bounds are nan for fewer than two values.

    Raises:
        ValueError: no values.
    """
    count = len(values)
    if not count:
        raise ValueError("the mean of no values is unknown: give at least 1 value")
    mean = math.fsum(values) / count
    if count == 1:
        return mean, math.nan, math.nan
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    reach = _student(count - 1) * math.sqrt(variance / count)
    return mean, mean - reach, mean + reach


#: Student's t that contains 95 % of its distribution, for 1, 2, … degrees of freedom.
_STUDENT = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622)


def _student(freedom: int) -> float:
    """Student's t for 95 %; from 10 degrees of freedom on by its expansion around the normal.

    The expansion is that of Abramowitz and Stegun (1964), 26.7.5; its error is below 1e-4.
    """
    if freedom <= len(_STUDENT):
        return _STUDENT[freedom - 1]
    z = Z95
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
