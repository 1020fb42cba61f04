"""Matrix products by the fastest available library.

torch computes float32 products with MKL, which uses its widest instructions on Intel processors
only. oneDNN, which torch includes for convolutions, uses them on every processor: on an AMD
processor with AVX-512 it takes half the time.
"""

from __future__ import annotations

import platform
from typing import Any

import torch
from torch import Tensor

#: Rows are padded to multiples of this: oneDNN compiles and caches a kernel for every shape.
BLOCK = 32

#: For fewer rows than this, torch is as fast as oneDNN.
FEW = 128


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


_linear = _onednn()


def by_onednn(dtype: torch.dtype, device: torch.device) -> bool:
    """Whether oneDNN may compute products of this precision, so that `BLOCK` matters."""
    if device.type != "cpu":
        return False
    # torch itself computes bfloat16 products with oneDNN.
    return dtype == torch.bfloat16 or (dtype == torch.float32 and _linear is not None)


def product(left: Tensor, right: Tensor, plus: Tensor | None = None) -> Tensor:
    """left [M, K] · right [K, N] as a new tensor [M, N]; gradients are not recorded.

    Args:
        left, right: matrices in any memory layout.
        plus: added to the product; [N] or [M, N].
    """
    shape = len(left), right.shape[1]
    fits = 0 < left.shape[1] == len(right) and (plus is None or plus.shape in (shape, shape[1:]))
    if _linear is None or not fits or left.dtype != torch.float32 or left.device.type != "cpu":
        # torch raises the error for wrong shapes; oneDNN does not support empty sums.
        return torch.mm(left, right) if plus is None else torch.addmm(plus, left, right)
    done: Tensor
    if plus is None or plus.ndim == 1:
        done = _linear(left, right.t(), plus, "none", [], "")
    else:
        done = _linear.binary(left, plus, right.t(), None, "add")
    return done


def layer(inputs: Tensor, weights: Tensor, plus: Tensor) -> Tensor:
    """plus + inputs [M, K] · weights [K, N]; records gradients when grad mode is on."""
    if torch.is_grad_enabled() or len(inputs) < FEW or len(inputs) % BLOCK:
        return torch.addmm(plus, inputs, weights)
    return product(inputs, weights, plus)


def filled_up(rows: int, like: Tensor) -> int:
    """`rows`, rounded up to whole blocks where that makes `layer` faster."""
    if rows < FEW or not by_onednn(like.dtype, like.device):
        return rows
    return rows + -rows % BLOCK
