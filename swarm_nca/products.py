"""Matrix products, each by the library that is quickest at it.

torch gives products of float32 to MKL, which keeps its widest instructions for Intel's processors.
oneDNN, which torch carries for convolutions, uses those of any: on an AMD processor with AVX-512 it
takes half the time.
"""

from __future__ import annotations

import platform

import torch
from torch import Tensor

#: oneDNN compiles its kernels anew for every shape it meets, so rows should come in whole blocks.
BLOCK = 32

#: Fewer rows than this torch multiplies as quickly itself.
FEW = 128

_linear = (
    getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    if torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    and platform.machine() in ("x86_64", "AMD64")
    else None
)


def by_onednn(dtype: torch.dtype, device: torch.device) -> bool:
    """Whether products of this precision are oneDNN's work, for which `BLOCK` matters."""
    if device.type != "cpu":
        return False
    return dtype == torch.bfloat16 or (dtype == torch.float32 and _linear is not None)


def product(left: Tensor, right: Tensor, plus: Tensor | None = None) -> Tensor:
    """left [M, K] · right [K, N] as a new tensor [M, N], without gradients.

    Args:
        left, right: matrices in any order of memory.
        plus: added to it; a row [N], or rows [M, N].
    """
    # torch has oneDNN's products of bfloat16 itself.
    if _linear is None or left.dtype != torch.float32 or left.device.type != "cpu":
        return torch.mm(left, right) if plus is None else torch.addmm(plus, left, right)
    done: Tensor
    if plus is None or plus.ndim == 1:
        done = _linear(left, right.t(), plus, "none", [], "")
    else:
        done = _linear.binary(left, plus, right.t(), None, "add")
    return done


def layer(inputs: Tensor, weights: Tensor, plus: Tensor) -> Tensor:
    """plus + inputs [M, K] · weights [K, N], with gradients where they are recorded."""
    if torch.is_grad_enabled() or len(inputs) < FEW:
        return torch.addmm(plus, inputs, weights)
    return product(inputs, weights, plus)


def filled_up(rows: int, like: Tensor) -> int:
    """How many rows a `layer` over so many is best given: those past them fill a block up."""
    if rows < FEW or not by_onednn(like.dtype, like.device):
        return rows
    return rows + -rows % BLOCK
