"""Kinds of inputs: how what a layer reads is quantized before its product.

Inputs of k bits are `ranged`: evenly spaced values in ±range (`int`) or from 0 to range (`uint`),
with a range that is learned (Choi et al. 2018, PACT; Esser et al. 2020, LSQ). The others are the
quantizers of the post on clothing automata (McAteer 2020), applied as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from torch import Tensor

from swarm_nca.rules import quantizers


@dataclass(frozen=True)
class Inputs:
    """One kind of inputs.

    Attributes:
        bits: of one input.
        quantize: inputs → values with a gradient.
        ranged: whether inputs are divided by a range first, and values multiplied by it.
        signed: whether values lie on both sides of 0.
    """

    bits: int
    quantize: Callable[[Tensor], Tensor]
    ranged: bool = False
    signed: bool = True

    def __call__(self, x: Tensor, reach: Tensor | None) -> Tensor:
        """The values of x; `reach` is the range, a scalar or one for each input."""
        return self.quantize(x) if reach is None else self.quantize(x / reach) * reach


#: All kinds by name; `float` stands for layers whose inputs are not quantized.
INPUTS: Mapping[str, Inputs] = MappingProxyType(
    {
        "ste_sign": Inputs(1, quantizers.ste_sign),
        "approx_sign": Inputs(1, quantizers.approx_sign),
        "swish_sign": Inputs(1, quantizers.swish_sign),
        "ste_heaviside": Inputs(1, quantizers.ste_heaviside),
        "ste_tern": Inputs(2, quantizers.ste_tern),
        "dorefa": Inputs(2, quantizers.dorefa),
        **{
            f"int{bits}": Inputs(bits, partial(quantizers.uniform, bits=bits), True)
            for bits in range(1, 9)
        },
        **{
            f"uint{bits}": Inputs(bits, partial(quantizers.dorefa, bits=bits), True, False)
            for bits in range(1, 9)
        },
    }
)
