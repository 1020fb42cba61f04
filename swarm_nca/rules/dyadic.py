"""Fixed direction filters for rules whose learned weights have few bits.

A binary filter spends its bits on telling directions apart. These filters do so before any learned
weight: sums and differences of the nine slots, with weights that are powers of two or sums of a few
of them, so that a machine without multiplier computes them by shifts and additions.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor

Directions: TypeAlias = Literal["dyadic", "dyadic6", "dyadic9"]

#: Along one axis: mean, slope and curve.
_MEAN, _SLOPE, _CURVE = (1, 2, 1), (-1, 0, 1), (1, -2, 1)

#: A filter as (down, across, divisor); None stands for the cell itself.
_Product: TypeAlias = tuple[tuple[int, int, int], tuple[int, int, int], int] | None

#: The filters of `dyadic6`.
_SIX: list[_Product] = [
    None,
    (_MEAN, _SLOPE, 8),
    (_SLOPE, _MEAN, 8),
    (_MEAN, _CURVE, 16),
    (_CURVE, _MEAN, 16),
    (_SLOPE, _SLOPE, 4),
]

_PRODUCTS: dict[str, list[_Product]] = {
    "dyadic6": _SIX,
    "dyadic9": [*_SIX, (_CURVE, _SLOPE, 8), (_SLOPE, _CURVE, 8), (_CURVE, _CURVE, 16)],
}

#: The Laplace filter, times 16.
_LAPLACE = (1, 2, 1, 2, -12, 2, 1, 2, 1)


def directions(name: Directions) -> Tensor:
    """float64 [9, P]: the weight of each slot in each of P sums; exact in float32.

    `dyadic`: the cell itself, two Sobel filters divided by 8, and a Laplace filter divided by 16.
    `dyadic6`: the cell itself, both slopes, both curves and the diagonal of its patch. `dyadic9`:
    also the three products that remain, so that nothing of the nine slots is lost.

    Raises:
        ValueError: an unknown name.
    """
    own = torch.zeros(9, dtype=torch.float64)
    own[4] = 1.0
    if name == "dyadic":
        laplace = torch.tensor(_LAPLACE, dtype=torch.float64) / 16
        both = [_product(*one) for one in _PRODUCTS["dyadic6"][1:3] if one is not None]
        return torch.stack([own, *both, laplace], dim=1)
    if name not in _PRODUCTS:
        raise ValueError(f"directions are dyadic, dyadic6 or dyadic9, got {name!r}")
    parts = [own if one is None else _product(*one) for one in _PRODUCTS[name]]
    return torch.stack(parts, dim=1)


def _product(down: tuple[int, ...], across: tuple[int, ...], divisor: int) -> Tensor:
    vertical, horizontal = (torch.tensor(line, dtype=torch.float64) for line in (down, across))
    return torch.outer(vertical, horizontal).reshape(-1) / divisor
