"""Quantizers: weights or activations in a few bits, with a gradient that lets them learn.

A quantizer rounds a tensor to a few values. Its true derivative is 0 nearly everywhere, so that the
backward pass multiplies the gradient by a factor of its own; the formulas stand in each docstring.
The last axis of a weight tensor counts its filters (the outputs of a layer).

`QUANTIZERS` is the table of all of them. Every quantizer takes a floating tensor of any shape,
returns one of the same shape and dtype, and raises ValueError for other tensors and for settings
out of bounds. NaN stays NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: The most bits that `dorefa` and `uniform` round to.
MOST_BITS = 16


class Quantizer(Protocol):
    """A function of a tensor, with settings that have defaults."""

    def __call__(self, x: Tensor, /, **settings: Any) -> Tensor:
        """The quantized tensor."""


def ste_sign(x: Tensor, clip: float = 1.0) -> Tensor:
    """+1 where x ≥ 0, else −1; gradient factor 1 where |x| ≤ clip, else 0.

    The straight-through estimator of Bengio et al. 2013 and Courbariaux et al. 2016; 1 bit.
    """
    _check(x, clip=clip)
    return _quantized(x, _sign(x), _within(x, clip))


def approx_sign(x: Tensor) -> Tensor:
    """+1 where x ≥ 0, else −1; gradient factor 2(1 − |x|) where |x| ≤ 1, else 0.

    The derivative of a piecewise quadratic sign (Liu et al. 2018, Bi-Real Net); 1 bit.
    """
    _check(x)
    return _quantized(x, _sign(x), (2.0 * (1.0 - x.detach().abs())).clamp_min(0.0))


def swish_sign(x: Tensor, beta: float = 5.0) -> Tensor:
    """+1 where x ≥ 0, else −1; gradient factor β(2 − βx·tanh(βx/2)) / (1 + cosh βx).

    The derivative of the SignSwish (Darabi et al. 2018, BNN+); 1 bit.
    """
    _check(x, beta=beta)
    scaled = (beta * x.detach()).clamp(
        -80.0, 80.0
    )  # cosh of more overflows float32; the factor is 0
    factor = beta * (2.0 - scaled * torch.tanh(scaled / 2.0)) / (1.0 + torch.cosh(scaled))
    return _quantized(x, _sign(x), factor)


def ste_heaviside(x: Tensor, clip: float = 1.0) -> Tensor:
    """1 where x > 0, else 0; gradient factor 1 where |x| ≤ clip, else 0; 1 bit."""
    _check(x, clip=clip)
    return _quantized(x, _kept_nan(x, (x.detach() > 0).to(x.dtype)), _within(x, clip))


def magnitude_aware_sign(x: Tensor, clip: float = 1.0) -> Tensor:
    """c·sign(x) with c the mean of |x| of each filter; gradient factor c where |x| ≤ clip, else 0.

    No gradient flows through c (Bethge et al. 2018, after Rastegari et al. 2016, XNOR-Net); 1 bit
    for each weight, and one scale for each filter.
    """
    _check(x, clip=clip)
    if x.dim() == 0:
        raise ValueError("magnitude_aware_sign needs a last axis that counts the filters")
    scale = x.detach().abs().flatten(0, -2).mean(0) if x.dim() > 1 else x.detach().abs()
    return _quantized(x, scale * _sign(x), scale * _within(x, clip))


def ste_tern(x: Tensor, threshold: float | Literal["mean"] = 0.05, clip: float = 1.0) -> Tensor:
    """Sign of x where |x| ≥ Δ, else 0; gradient factor 1 where |x| ≤ clip, else 0.

    Args:
        x: the tensor.
        threshold: Δ; `mean` takes 0.7 · mean|x| over the whole tensor (Li et al. 2016, TWN).
        clip: where the gradient ends.
    """
    _check(x, clip=clip)
    if threshold != "mean" and not (_is_number(threshold) and 0.0 <= threshold < math.inf):
        raise ValueError(f"threshold is a number of 0 or more, or 'mean', got {threshold!r}")
    size = x.detach().abs()
    limit = 0.7 * size.mean() if threshold == "mean" else threshold
    value = torch.where(size >= limit, _sign(x), torch.zeros_like(size))
    return _quantized(x, _kept_nan(x, value), _within(x, clip))


def dorefa(
    x: Tensor, bits: int = 2, mode: Literal["activations", "weights"] = "activations"
) -> Tensor:
    """Rounded to n + 1 = 2^bits evenly spaced values (Zhou et al. 2016, DoReFa-Net).

    `activations`: round(n·clip(x, 0, 1)) / n, gradient factor 1 on [0, 1], else 0. `weights`: with
    u = tanh(x) / (2·max|tanh(x)|) + ½, 2·round(n·u)/n − 1; the gradient goes through tanh, the
    rounding counts as the identity and the maximum as a constant. Halves round to even.

    Args:
        x: the tensor.
        bits: 1 to 16.
        mode: what is quantized.
    """
    _check(x)
    steps, held = 2 ** _bits(bits) - 1, x.detach()
    if mode == "activations":
        value = torch.round(steps * held.clamp(0.0, 1.0)) / steps
        return _quantized(x, value, ((held >= 0.0) & (held <= 1.0)).to(x.dtype))
    if mode == "weights":
        bent = torch.tanh(held)
        largest = bent.abs().max() if bent.numel() else bent.new_ones(())
        largest = torch.where(largest > 0, largest, torch.ones_like(largest))  # all zeros stay so
        value = 2.0 * torch.round(steps * (bent / (2.0 * largest) + 0.5)) / steps - 1.0
        return _quantized(x, value, (1.0 - bent.square()) / largest)
    raise ValueError(f"mode is 'activations' or 'weights', got {mode!r}")


def uniform(x: Tensor, bits: int = 4) -> Tensor:
    """The nearest of 2^bits evenly spaced values from −1 to 1; gradient factor 1 where |x| ≤ 1.

    With n = 2^bits − 1 the values are −1, −1 + 2/n, …, 1: odd integers divided by n, without 0.
    They are the sums of `bits` sign planes in powers of two, so that 1 bit is `ste_sign`. A scale
    that is learned beside it makes it a relative of learned step sizes (Esser et al. 2020, LSQ).
    Halves round up.

    Args:
        x: the tensor.
        bits: 1 to 16.
    """
    _check(x)
    steps, held = 2 ** _bits(bits) - 1, x.detach()
    code = torch.floor(steps * (held.clamp(-1.0, 1.0) + 1.0) / 2.0 + 0.5)
    return _quantized(x, (2.0 * code - steps) / steps, _within(x, 1.0))


#: All quantizers by name, and the bits that one value of each takes.
QUANTIZERS: Mapping[str, tuple[Callable[..., Tensor], int]] = MappingProxyType(
    {
        "ste_sign": (ste_sign, 1),
        "approx_sign": (approx_sign, 1),
        "swish_sign": (swish_sign, 1),
        "ste_heaviside": (ste_heaviside, 1),
        "magnitude_aware_sign": (magnitude_aware_sign, 1),
        "ste_tern": (ste_tern, 2),
        "dorefa": (dorefa, 2),
        "uniform": (uniform, 4),
    }
)


class _Quantize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, value: Tensor, factor: Tensor) -> Tensor:
        ctx.save_for_backward(factor)
        return value.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (factor,) = ctx.saved_tensors
        return gradient * factor, None, None


def _quantized(x: Tensor, value: Tensor, factor: Tensor) -> Tensor:
    quantize: Any = _Quantize.apply
    result: Tensor = quantize(x, value, factor)
    return result


def _sign(x: Tensor) -> Tensor:
    held = x.detach()
    return _kept_nan(x, torch.where(held >= 0, 1.0, -1.0).to(x.dtype))


def _kept_nan(x: Tensor, value: Tensor) -> Tensor:
    held = x.detach()
    return torch.where(held.isnan(), held, value)


def _within(x: Tensor, clip: float) -> Tensor:
    return (x.detach().abs() <= clip).to(x.dtype)


def _bits(bits: object) -> int:
    if isinstance(bits, bool) or not isinstance(bits, int) or not 1 <= bits <= MOST_BITS:
        raise ValueError(f"bits is an integer from 1 to {MOST_BITS}, got {bits!r}")
    return bits


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check(x: Tensor, **positive: float) -> None:
    if not isinstance(x, Tensor) or not x.is_floating_point():
        kind = x.dtype if isinstance(x, Tensor) else type(x).__name__
        raise ValueError(f"a quantizer takes a tensor of floating numbers, got {kind}")
    for name, value in positive.items():
        if not (_is_number(value) and 0.0 < value < math.inf):
            raise ValueError(f"{name} is a finite number above 0, got {value!r}")
