"""Matrix products by the fastest available library, with the same bytes whichever is fastest.

torch computes float32 products with MKL, which is fast on Intel processors. oneDNN, which torch
includes for convolutions, is faster on AMD processors with AVX-512. The first product of each shape
compares both libraries on drawn numbers. If their results have the same bytes, a timing of some
milliseconds decides; otherwise the processor's maker decides. Two runs on one machine therefore
give the same bytes, although two timings may decide differently. The environment variable
`SWARM_NCA_PRODUCTS` (`auto`, `torch`, `onednn`) overrides the choice. With `compiled` steps and
trainings use functions made for the rule, where they fit (`kernels.compiled`); all else is as with
`auto`.
"""

from __future__ import annotations

import math
import os
import platform
import time
from functools import cache
from typing import Any

import torch
from torch import Tensor

from swarm_nca.processor import by_intel

#: Rows are padded to multiples of this: oneDNN compiles and caches a kernel for every shape.
BLOCK = 32

#: For fewer rows than this, torch computes the products: it is as fast as oneDNN.
FEW = 128

#: The environment variable that names the library of float32 products, and its values.
VARIABLE, CHOICES = "SWARM_NCA_PRODUCTS", ("auto", "torch", "onednn", "compiled")

#: torch, without a private operator, is preferred unless oneDNN takes less than this of its time.
_WORTH = 0.95

#: Processor time of this thread, because a busy machine interrupts it. Windows counts it coarsely.
_COARSE = time.get_clock_info("thread_time").resolution > 1e-5
_CLOCK = time.perf_counter if _COARSE else time.thread_time

#: Rounds of a timing; the shortest time of each library counts.
_ROUNDS = 5


def _onednn() -> Any:
    """oneDNN's float32 product, or None; it is a private operator of torch and may be missing."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return None
    try:
        linear, ones = torch.ops.mkldnn._linear_pointwise, torch.ones(1, 1)
        linear(ones, ones, ones[0], "none", [], "")
        linear.binary(ones, ones, ones, None, "add")
    except (AttributeError, RuntimeError, TypeError):
        return None
    return linear


def _wanted() -> str:
    wanted = os.environ.get(VARIABLE, "auto")
    if wanted not in CHOICES:
        raise ValueError(f"{VARIABLE} must be {', '.join(CHOICES)}, got {wanted!r}")
    if wanted == "onednn" and _linear is None:
        raise ValueError(f"{VARIABLE}=onednn: this torch has no products by oneDNN; use auto")
    return wanted


_linear = _onednn()
_library = _wanted()

#: Whether oneDNN computes products of a shape, and whether it is faster for shapes of about a size.
_by_onednn: dict[tuple[Any, ...], bool] = {}
_faster: dict[tuple[Any, ...], bool] = {}


def library() -> str:
    """The choice of the environment, one of `CHOICES`."""
    return _library


def compiled() -> bool:
    """Whether steps and trainings should use compiled functions where they fit."""
    return _library == "compiled"


def by_onednn(dtype: torch.dtype, device: torch.device) -> bool:
    """Whether oneDNN may compute products of this precision, so that `BLOCK` matters."""
    if device.type != "cpu":
        return False
    # torch itself computes bfloat16 products with oneDNN.
    return dtype == torch.bfloat16 or (
        dtype == torch.float32 and _linear is not None and _library != "torch"
    )


def product(
    left: Tensor, right: Tensor, plus: Tensor | None = None, *, into: Tensor | None = None
) -> Tensor:
    """left [M, K] · right [K, N]: [M, N]; gradients are not recorded.

    Args:
        left, right: matrices in any memory layout.
        plus: added to the product; [N] or [M, N].
        into: [M, N], memory that the result may take, such as `plus` itself; new memory costs time.
    """
    if _goes_to_onednn(left, right, plus):
        return _of_onednn(left, right, plus)
    return _of_torch(left, right, plus, into)


def layer(inputs: Tensor, weights: Tensor, plus: Tensor, *, into: Tensor | None = None) -> Tensor:
    """plus + inputs [M, K] · weights [K, N]; records gradients when grad mode is on.

    Args:
        into: see `product`; not used when grad mode is on.
    """
    if torch.is_grad_enabled():
        return torch.addmm(plus, inputs, weights)
    if len(inputs) % BLOCK:
        return _of_torch(inputs, weights, plus, into)
    return product(inputs, weights, plus, into=into)


def filled_up(rows: int, like: Tensor) -> int:
    """`rows`, rounded up to whole blocks where that makes `layer` faster."""
    if rows < FEW or not by_onednn(like.dtype, like.device):
        return rows
    return rows + -rows % BLOCK


def _goes_to_onednn(left: Tensor, right: Tensor, plus: Tensor | None) -> bool:
    if left.dtype != torch.float32 or not left.is_cpu or left.shape[0] < FEW:
        return False
    # Layouts count, because oneDNN copies a transposed left factor.
    shape = (
        left.shape,
        left.stride(),
        right.shape,
        right.stride(),
        None if plus is None else plus.shape,
        torch.get_num_threads(),
    )
    known = _by_onednn.get(shape)
    if known is None:
        known = _by_onednn[shape] = _choose(left, right, plus)
    return known


def _choose(left: Tensor, right: Tensor, plus: Tensor | None) -> bool:
    """Whether oneDNN computes products of this shape: by timing where the bytes are the same."""
    rows, inner = left.shape
    whole = rows, right.shape[1]
    fits = 0 < inner == len(right) and (plus is None or plus.shape in (whole, whole[1:]))
    # torch raises the error for wrong shapes; oneDNN does not support empty sums.
    if not fits or not by_onednn(left.dtype, left.device) or _library == "onednn":
        return fits and _library == "onednn"
    # Drawn numbers: the present ones may be zeros, which are always equal.
    left, right = _drawn(left), _drawn(right)
    plus = None if plus is None else _drawn(plus)
    if not torch.equal(_of_torch(left, right, plus), _of_onednn(left, right, plus)):
        return not by_intel()
    forms = left.stride(1), right.stride(1), plus is None or plus.ndim, torch.get_num_threads()
    size = (rows.bit_length(), inner, right.shape[1], *forms)
    if size not in _faster:
        times = {_of_torch: math.inf, _of_onednn: math.inf}
        for _ in range(_ROUNDS):
            for library, shortest in times.items():
                began = _CLOCK()
                library(left, right, plus)
                times[library] = min(shortest, _CLOCK() - began)
        _faster[size] = times[_of_onednn] < _WORTH * times[_of_torch]
    return _faster[size]


def _drawn(like: Tensor) -> Tensor:
    """Normal deviates in the shape and layout of a matrix; they repeat after 2²⁰ numbers."""
    deviates = _deviates()
    if like.numel() > len(deviates):
        deviates = deviates.repeat(-(-like.numel() // len(deviates)))
    return deviates.as_strided(like.shape, torch.empty_like(like).stride())


@cache
def _deviates() -> Tensor:
    """2²⁰ normal deviates; new ones for every shape would take longer than products."""
    return torch.randn(1 << 20, generator=torch.Generator().manual_seed(0))


def _of_torch(
    left: Tensor, right: Tensor, plus: Tensor | None, into: Tensor | None = None
) -> Tensor:
    if plus is None:
        return torch.mm(left, right, out=into)
    return torch.addmm(plus, left, right, out=into)


def _of_onednn(left: Tensor, right: Tensor, plus: Tensor | None) -> Tensor:
    done: Tensor
    if plus is None or plus.ndim == 1:
        done = _linear(left, right.t(), plus, "none", [], "")
    else:
        done = _linear.binary(left, plus, right.t(), None, "add")
    return done
