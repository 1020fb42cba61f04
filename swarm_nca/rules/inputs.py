"""Kinds of inputs: how what a layer reads is quantized before its product.

Inputs of k bits are `ranged`: evenly spaced values in ±range (`int`) or from 0 to range (`uint`),
with a range that is learned (Choi et al. 2018, PACT; Esser et al. 2020, LSQ). The others are the
quantizers of the post on clothing automata (McAteer 2020), applied as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from torch import Tensor

from swarm_nca.rules import quantizers
from swarm_nca.rules.filters import Values


@dataclass(frozen=True)
class Inputs(Values):
    """One kind of inputs.

    Attributes:
        ranged: whether inputs are divided by a range first, and values multiplied by it.
    """

    ranged: bool = False

    def __call__(self, x: Tensor, reach: Tensor | None) -> Tensor:
        """The values of x; `reach` is the range, None for kinds without one."""
        return self.quantize(x) if reach is None else self.quantize(x / reach) * reach


def _signed(bits: int) -> Inputs:
    return Inputs(bits, partial(quantizers.uniform, bits=bits), -1.0, 2.0 / (2**bits - 1), True)


def _unsigned(bits: int) -> Inputs:
    return Inputs(bits, partial(quantizers.dorefa, bits=bits), 0.0, 1.0 / (2**bits - 1), True)


#: All kinds by name; `float` stands for layers whose inputs are not quantized.
INPUTS: Mapping[str, Inputs] = MappingProxyType(
    {
        "ste_sign": Inputs(1, quantizers.ste_sign),
        "approx_sign": Inputs(1, quantizers.approx_sign),
        "swish_sign": Inputs(1, quantizers.swish_sign),
        "ste_heaviside": Inputs(1, quantizers.ste_heaviside, 0.0, 1.0),
        "ste_tern": Inputs(2, quantizers.ste_tern, -1.0, 1.0),
        "dorefa": Inputs(2, quantizers.dorefa, 0.0, 1.0 / 3.0),
        **{f"int{bits}": _signed(bits) for bits in range(1, 9)},
        **{f"uint{bits}": _unsigned(bits) for bits in range(1, 9)},
    }
)
