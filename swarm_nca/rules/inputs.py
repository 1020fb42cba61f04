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
from swarm_nca.rules.filters import whole_numbers


@dataclass(frozen=True)
class Inputs:
    """One kind of inputs.

    Attributes:
        bits: of one input.
        quantize: inputs → values `first + step · code`, with a gradient.
        first, step: see `quantize`.
        ranged: whether inputs are divided by a range first, and values multiplied by it.
    """

    bits: int
    quantize: Callable[[Tensor], Tensor]
    first: float = -1.0
    step: float = 2.0
    ranged: bool = False

    def __call__(self, x: Tensor, reach: Tensor | None) -> Tensor:
        """The values of x; `reach` is the range, None for kinds without one."""
        return self.quantize(x) if reach is None else self.quantize(x / reach) * reach

    def codes(self, x: Tensor, reach: Tensor | None) -> Tensor:
        """int64: the codes of x, from 0."""
        values = self.quantize(x if reach is None else x / reach)
        return ((values.double() - self.first) / self.step).round().long()

    @property
    def whole(self) -> tuple[int, int, int]:
        """(a, b, d), so that the value of a code is (a · code − b) / d."""
        return whole_numbers(self.first, self.step)


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
