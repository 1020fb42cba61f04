"""Speed of rules in bits on this machine: exported C, and products of ±1."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from swarm_nca.bench import bench_rule
from swarm_nca.export.timing import cell_times
from swarm_nca.matmul import product
from swarm_nca.measure.stopwatch import interleaved
from swarm_nca.rules import Quantized, Rule
from swarm_nca.rules.whole_numbers import bit_planes

#: Rows, inputs and outputs of the products in bits: the first layer, for the cells of 60 digits.
BIT_PRODUCT = (4096, 180, 80)

#: Rules in bits that are timed as exported C, by name.
_IN_BITS: dict[str, dict[str, Any]] = {
    "8 bits": {"filters": "int8"},
    "4 bits": {"filters": "int4"},
    "1 bit": {"filters": "ste_sign"},
    "1 bit, 3 planes": {"filters": "ste_sign", "planes": 3},
    "1 bit, inputs 1 bit": {"filters": "ste_sign", "inputs": ("int1", "uint1", "uint1")},
    "1 bit, 5 planes, inputs 4 bits": {
        "filters": "ste_sign",
        "planes": 5,
        "inputs": ("int4", "uint4", "uint4"),
    },
}


def exported_cells(seconds: float = 4.0) -> list[dict[str, float | str]]:
    """Time the change of a cell in exported C: floats, and the same sizes in bits.

    Raises:
        FileNotFoundError: there is no C compiler.
    """
    rules: dict[str, Rule] = {"float32": bench_rule()}
    for name, settings in _IN_BITS.items():
        generator = torch.Generator().manual_seed(0)
        rules[name] = Quantized(**settings, generator=generator).requires_grad_(False)
    return cell_times(rules, seconds)


def bit_products() -> dict[str, Callable[[], Tensor]]:
    """Functions that compute one product of ±1 and ±1 in different ways, with equal results."""
    rows, inputs, outputs = BIT_PRODUCT
    generator = torch.Generator().manual_seed(0)
    left, right = (
        torch.randint(0, 2, shape, generator=generator) * 2 - 1
        for shape in ((rows, inputs), (inputs, outputs))
    )
    (words,), (filters,) = (bit_planes((signs > 0).long().numpy()) for signs in (left, right.T))

    def by_bits() -> Tensor:
        """64 products in one XOR and one count of bits."""
        unlike = np.zeros((rows, outputs), np.int32)
        for word in range(words.shape[1]):
            unlike += np.bitwise_count(words[:, word, None] ^ filters[:, word])
        return torch.from_numpy(inputs - 2 * unlike)

    floats = left.float(), right.float()
    halves = left.bfloat16(), right.bfloat16()
    integers = left.int(), right.int()
    arrays = left.int().numpy(), right.int().numpy()
    ways: dict[str, Callable[[], Tensor]] = {
        "float32": lambda: product(*floats),
        "bfloat16": lambda: torch.mm(*halves),
        "int32, torch": lambda: torch.mm(*integers),
        "int32, NumPy": lambda: torch.from_numpy(arrays[0] @ arrays[1]),
        "1 bit, NumPy": by_bits,
    }
    return ways


def products_in_bits(seconds: float = 4.0) -> list[dict[str, float | str]]:
    """Time `bit_products` in turn; the shortest CPU times."""
    tasks = bit_products()
    times = interleaved(tasks, seconds=seconds, clock=time.process_time)
    return [
        {
            "product": name,
            "ms": 1e3 * times.least(name),
            "over_float32": times.least(name) / times.least("float32"),
        }
        for name in tasks
    ]
