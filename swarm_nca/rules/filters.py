"""Kinds of filters: how the weights of one layer are quantized, and how they are stored in bits.

A weight tensor in training holds latents in [−1, 1]. `Filters.quantize` gives its values, with a
gradient; `codes` and `values` turn the same values into whole numbers of `bits` bits and back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from swarm_nca.rules import quantizers


@dataclass(frozen=True)
class Values:
    """A few evenly spaced values: `first + step · code`, with codes from 0.

    Attributes:
        bits: of one code.
        quantize: numbers → the nearest values, with a gradient.
        first, step: see above.
    """

    bits: int
    quantize: Callable[[Tensor], Tensor]
    first: float = -1.0
    step: float = 2.0

    @property
    def whole(self) -> tuple[int, int, int]:
        """(a, b, d), so that the value of a code is (a · code − b) / d."""
        if self.first == 0.0:
            return 1, 0, round(1.0 / self.step)
        if self.step == 1.0:
            return 1, 1, 1
        most = round(2.0 / self.step)
        return 2, most, most

    def codes(self, numbers: Tensor) -> Tensor:
        """int64: the codes of numbers."""
        values = self.quantize(numbers.detach())
        return ((values.double() - self.first) / self.step).round().long()


@dataclass(frozen=True)
class Filters(Values):
    """One kind of filters: latents become values.

    Attributes:
        codes_in_use: number of codes, at most 2^bits.
        latents: values → latents whose values they are.
    """

    codes_in_use: int = 2
    latents: Callable[[Tensor], Tensor] = torch.clone

    def values(self, codes: Tensor, dtype: torch.dtype) -> Tensor:
        """The values of codes, exactly as `quantize` gives them."""
        return self.quantize(self.latents_of(codes, dtype))

    def latents_of(self, codes: Tensor, dtype: torch.dtype) -> Tensor:
        """Latents in the middle of each code's interval."""
        return self.latents((self.first + self.step * codes.double()).clamp(-1.0, 1.0)).to(dtype)


def _uniform(bits: int) -> Filters:
    steps = 2**bits - 1
    return Filters(bits, partial(quantizers.uniform, bits=bits), -1.0, 2.0 / steps, steps + 1)


def _dorefa(bits: int) -> Filters:
    """DoReFa's weights; their latents undo its tanh, for tensors that hold a largest value."""
    quantize = partial(quantizers.dorefa, bits=bits, mode="weights")
    largest = torch.tanh(torch.ones((), dtype=torch.float64))
    steps = 2**bits - 1
    return Filters(
        bits, quantize, -1.0, 2.0 / steps, steps + 1, lambda values: torch.atanh(values * largest)
    )


#: All kinds by name; `float` stands for layers that are not quantized.
FILTERS: Mapping[str, Filters] = MappingProxyType(
    {
        "ste_sign": Filters(1, quantizers.ste_sign),
        "approx_sign": Filters(1, quantizers.approx_sign),
        "swish_sign": Filters(1, quantizers.swish_sign),
        "ste_heaviside": Filters(1, quantizers.ste_heaviside, 0.0, 1.0),
        "ste_tern": Filters(2, quantizers.ste_tern, -1.0, 1.0, 3),
        "ternary": Filters(2, partial(quantizers.ste_tern, threshold=0.5), -1.0, 1.0, 3),
        "dorefa": _dorefa(2),
        **{f"int{bits}": _uniform(bits) for bits in range(2, 9)},
    }
)


def pack(codes: Tensor, bits: int) -> Tensor:
    """uint8 [ceil(n · bits / 8)]: codes of `bits` bits one after another, lowest bits first.

    Args:
        codes: n whole numbers from 0 to 2^bits − 1, in any shape.
    """
    flat: npt.NDArray[np.int64] = codes.reshape(-1).cpu().numpy()
    planes = (flat[:, None] >> np.arange(bits)) & 1
    return torch.from_numpy(np.packbits(planes.astype(np.uint8), bitorder="little"))


def unpack(packed: Tensor, bits: int, count: int) -> Tensor:
    """int64 [count]: the codes that `pack` packed.

    Raises:
        ValueError: another number of bytes than `count` codes take, or a filled-up bit that is set.
    """
    flat: npt.NDArray[np.uint8] = packed.reshape(-1).cpu().numpy()
    if len(flat) != packed_bytes(count, bits):
        raise ValueError(
            f"{count:,} weights of {bits} bits take {packed_bytes(count, bits):,} bytes, got "
            f"{len(flat):,}"
        )
    planes = np.unpackbits(flat, bitorder="little")
    if planes[count * bits :].any():
        raise ValueError("the bits after the last weight must be zeros")
    codes = (planes[: count * bits].reshape(count, bits).astype(np.int64) << np.arange(bits)).sum(1)
    return torch.from_numpy(codes)


def packed_bytes(count: int, bits: int) -> int:
    """Bytes of `count` codes of `bits` bits."""
    return (count * bits + 7) // 8
