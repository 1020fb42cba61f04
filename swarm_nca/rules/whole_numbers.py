"""A rule quantized throughout, computed in whole numbers.

If filters and inputs of a layer have a few evenly spaced values, its products are sums of products
of whole numbers. With weight codes w and input codes x, whose values are (a·w − b)/d and
(A·x − B)/D,

    Σ (a·w − b)(A·x − B) = a·A·Σ w·x − a·B·Σ w − b·A·Σ x + I·b·B,

exactly. Σ w·x is a product of whole numbers or, bit by bit, a count: each pair of bit planes gives
2^(m + n) · |w_m AND x_n|, of which one instruction counts 64. Scales, ranges and biases come last,
in floats.

Letters: M cells, I inputs and O outputs of a layer, P planes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from swarm_nca.rules.filters import FILTERS
from swarm_nca.rules.inputs import INPUTS
from swarm_nca.rules.quantized import Quantized

Whole = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

#: Σ w·x: codes [M, I] and [I, N] → [M, N].
Products = Callable[[Whole, Whole], Whole]


def multiplied(inputs: Whole, weights: Whole) -> Whole:
    """Products of whole numbers: [M, I] · [I, N]."""
    found: Whole = inputs @ weights
    return found


def counted(inputs: Whole, weights: Whole) -> Whole:
    """The same by AND and a count of bits, for codes of up to 8 bits."""
    left, right = bit_planes(inputs), bit_planes(weights.T)
    found = np.zeros((len(inputs), weights.shape[1]), np.int64)
    for m, of_inputs in enumerate(left):
        for n, of_weights in enumerate(right):
            for word in range(of_inputs.shape[1]):
                both = of_inputs[:, None, word] & of_weights[None, :, word]
                found += np.bitwise_count(both).astype(np.int64) << (m + n)
    return found


def check_whole(rule: Quantized) -> None:
    """Raise a ValueError unless all layers of a rule can be computed in whole numbers."""
    floats = [
        name
        for name, kinds in zip(rule.names, zip(rule.filters, rule.inputs, strict=True), strict=True)
        if "float" in kinds
    ]
    if floats:
        raise ValueError(
            f"whole numbers need quantized filters and inputs: {', '.join(floats)} has floats; set "
            "rule.filters and rule.inputs"
        )
    if rule.scales == "both":
        raise ValueError("whole numbers have no scale for each input: set rule.scales: output")
    if rule.hearing != "slots":
        raise ValueError("whole numbers are for rules that hear each slot: set hearing: slots")


@torch.no_grad()
def change(
    rule: Quantized, stimulus: Tensor, messages: Tensor, products: Products = counted
) -> Tensor:
    """[M, S] stimulus and [M, K, C] messages → [M, C] change of state, as `Quantized.change`.

    Args:
        products: how whole numbers are multiplied; `multiplied` or `counted`.

    Raises:
        ValueError: a rule that is not quantized throughout.
    """
    check_whole(rule)
    parts = [stimulus, messages.flatten(1)] if rule.stimulus_size else [messages.flatten(1)]
    units = stimulus
    for n, name in enumerate(rule.names):
        given = parts if n == 0 else [units.relu()]
        codes = rule.codes(name)
        scale = rule.factors(name)[1]
        total: Any = rule.get_parameter(f"{name}_bias").half().float() if rule.bias else 0.0
        begun = 0
        for part, inputs in enumerate(given):
            reach = rule.reach_of(n, part)
            held = codes[:, begun : begun + inputs.shape[1]]
            begun += inputs.shape[1]
            found = _sums(rule, n, inputs, reach, held, products)
            if scale is not None:
                found = found * scale.view(len(held), -1)
            total = total + found.sum(1) * (1.0 if reach is None else reach)
        units = total
    return units


def _sums(
    rule: Quantized, n: int, inputs: Tensor, reach: Tensor | None, codes: Tensor, products: Products
) -> Tensor:
    """float32 [M, P, O]: the sums of values of inputs [M, I] times values of codes [P, I, O]."""
    of_inputs, of_filters = INPUTS[rule.inputs[n]], FILTERS[rule.filters[n]]
    read = of_inputs.codes(inputs if reach is None else inputs / reach).numpy()
    planes, size, outputs = codes.shape
    weights = codes.permute(1, 0, 2).reshape(size, planes * outputs).numpy()
    (a, b, d), (big_a, big_b, big_d) = of_filters.whole, of_inputs.whole
    whole = (
        a * big_a * products(read, weights)
        - a * big_b * weights.sum(0)
        - b * big_a * read.sum(1)[:, None]
        + size * b * big_b
    )
    return torch.from_numpy(whole).view(-1, planes, outputs).float() / (d * big_d)


def bit_planes(codes: Whole) -> list[Words]:
    """For each bit, lowest first, rows of codes [R, I] in words of 64 bits, [R, ceil(I / 64)]."""
    padded = np.pad(codes, ((0, 0), (0, -codes.shape[1] % 64)))
    bits = int(codes.max(initial=0)).bit_length()
    rows = [
        np.packbits((padded >> bit & 1).astype(np.uint8), axis=1, bitorder="little")
        for bit in range(bits)
    ]
    return [np.ascontiguousarray(row).view(np.uint64) for row in rows]
