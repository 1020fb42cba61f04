"""Matrix products, each by the library that is quickest at it.

torch gives products of float32 to MKL, which keeps its widest instructions for Intel's processors.
oneDNN, which torch carries for convolutions, uses those of any: on an AMD processor with AVX-512 it
takes half the time.
"""

from __future__ import annotations

import platform
from typing import Any

import torch
from torch import Tensor

#: oneDNN compiles its kernels anew for every shape it meets, and keeps them: rows come in blocks.
BLOCK = 32

#: Fewer rows than this torch multiplies as quickly itself.
FEW = 128


def _onednn() -> Any:
    """oneDNN's product of float32, where there is one: torch uses it, but does not promise it."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return None
    try:
        linear, one = torch.ops.mkldnn._linear_pointwise, torch.ones(1, 1)
        linear(one, one, one[0], "none", [], "")
        linear.binary(one, one, one, None, "add")
    except (AttributeError, RuntimeError, TypeError):
        return None
    return linear


_linear = _onednn()


def by_onednn(dtype: torch.dtype, device: torch.device) -> bool:
    """Whether products of this precision may be oneDNN's work, so that `BLOCK` matters."""
    if device.type != "cpu":
        return False
    # torch has oneDNN's products of bfloat16 itself.
    return dtype == torch.bfloat16 or (dtype == torch.float32 and _linear is not None)


def product(left: Tensor, right: Tensor, plus: Tensor | None = None) -> Tensor:
    """left [M, K] · right [K, N] as a new tensor [M, N]; gradients are not recorded.

    Args:
        left, right: matrices in any order of memory.
        plus: added to it; a row [N], or rows [M, N].
    """
    shape = len(left), right.shape[1]
    fits = 0 < left.shape[1] == len(right) and (plus is None or plus.shape in (shape, shape[1:]))
    if _linear is None or not fits or left.dtype != torch.float32 or left.device.type != "cpu":
        # What does not fit torch refuses; sums of nothing oneDNN does not make.
        return torch.mm(left, right) if plus is None else torch.addmm(plus, left, right)
    done: Tensor
    if plus is None or plus.ndim == 1:
        done = _linear(left, right.t(), plus, "none", [], "")
    else:
        done = _linear.binary(left, plus, right.t(), None, "add")
    return done


def layer(inputs: Tensor, weights: Tensor, plus: Tensor) -> Tensor:
    """plus + inputs [M, K] · weights [K, N], with gradients where they are recorded."""
    if torch.is_grad_enabled() or len(inputs) < FEW or len(inputs) % BLOCK:
        return torch.addmm(plus, inputs, weights)
    return product(inputs, weights, plus)


def filled_up(rows: int, like: Tensor) -> int:
    """How many rows a `layer` over so many is best given: those past them fill a block up."""
    if rows < FEW or not by_onednn(like.dtype, like.device):
        return rows
    return rows + -rows % BLOCK
