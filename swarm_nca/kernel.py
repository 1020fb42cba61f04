"""Layers of a rule as one compiled function: gather, products, rectifiers and noise of many cells.

`SWARM_NCA_PRODUCTS=compiled` asks for it. [kernel.c](kernel.c) is compiled with the C compiler of
this machine, once for each shape of a rule and process. Messages are read where they lie, the sums
of six cells stay in the registers of a core with AVX-512, and no activations go through memory. The
sums have another order than torch's, so that results differ by rounding.

In bfloat16 this needs a processor with AMX or AVX512-BF16.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_float, c_int, c_int64, c_void_p
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from swarm_nca.compiler import shared_library

_SOURCE = Path(__file__).with_name("kernel.c")

_FLAGS = "-std=gnu99", "-O3", "-march=native"


class Kernel:
    """The layers of one rule, with the prepared stimulus of N cells.

    Args:
        layers: weight [in, out] and bias [out] of each layer, float32 or bfloat16. The last K · C
            rows of the first weight are for the messages; all else of this layer is part of
            `prepared`.
        slots, channels: K and C, of the messages.
        prepared: [N, H].

    Raises:
        FileNotFoundError: there is no C compiler.
        RuntimeError: the compiler fails.
    """

    def __init__(
        self, layers: Sequence[tuple[Tensor, Tensor]], slots: int, channels: int, prepared: Tensor
    ) -> None:
        (weight, bias), *others = layers
        layers = [(weight[len(weight) - slots * channels :], bias), *others]
        outputs, short = [weight.shape[1] for weight, _ in layers], weight.dtype == torch.bfloat16
        self._library = _library(slots, channels, tuple(outputs), short)
        self._prepared = self._padded(prepared)
        ready = self._paired if short else self._padded
        self._held = [(ready(weight), self._padded(bias)) for weight, bias in layers]
        pointers = c_void_p * len(layers)
        self._weights = pointers(*(weight.data_ptr() for weight, _ in self._held))
        self._biases = pointers(*(bias.data_ptr() for _, bias in self._held))

    def answers(
        self,
        bank: Tensor,
        table: Tensor,
        rows: Tensor,
        into: Tensor,
        *,
        of_all: bool = False,
        noise: float = 0.0,
        deviates: Tensor | None = None,
        offsets: Tensor | None = None,
    ) -> None:
        """Write the answers of M cells.

        Args:
            bank: [R, C], of the weights' precision, contiguous.
            table: int64 [M, K], the rows of the bank that the cells hear; of all cells, [N, K],
                with `of_all`.
            rows: int64 [M], the rows of the cells.
            into: [M, C], float32, contiguous.
            noise: factor of the deviates; 0 needs none.
            deviates, offsets: a table, float32, and where the C deviates of each cell, int64 [M],
                begin.
        """
        held = [part.contiguous() for part in (bank, table, rows)]
        drawn = [None, None] if deviates is None or offsets is None else [deviates, offsets]
        self._library.answers(
            *(_at(part) for part in held[:2]),
            of_all,
            *(_at(part) for part in (self._prepared, held[2])),
            len(rows),
            self._weights,
            self._biases,
            noise if drawn[0] is not None else 0.0,
            *(_at(part) for part in (*drawn, into)),
        )

    def write(self, state: Tensor, rows: Tensor, change: Tensor, replaces: bool) -> None:
        """Add a change [M, C] to the rows int64 [M] of a state, or replace them."""
        self._library.write_rows(_at(state), _at(rows), len(rows), _at(change), replaces)

    def _padded(self, part: Tensor) -> Tensor:
        """A tensor with padded rows, float32."""
        width = part.shape[-1]
        wider = (0, self._library.padded(width) - width)
        return functional.pad(part.detach().float(), wider).contiguous()

    def _paired(self, weight: Tensor) -> Tensor:
        """Padded rows, [in / 2, out, 2], the factors of pairs of inputs; zeros up to 32 inputs."""
        inputs, outputs = weight.shape
        wider = (0, self._library.padded(outputs) - outputs, 0, -inputs % 32)
        padded = functional.pad(weight.detach(), wider)
        return padded.view(-1, 2, padded.shape[1]).transpose(1, 2).contiguous()


def _at(part: Tensor | None) -> int | None:
    """The address of a tensor's numbers."""
    return None if part is None else part.data_ptr()


@cache
def _library(slots: int, channels: int, outputs: tuple[int, ...], short: bool) -> ctypes.CDLL:
    """The functions for layers with these outputs, in bfloat16 if `short`."""
    last = len(outputs) - 1
    calls = [f"FIRST({outputs[0]}, {int(last > 0)})"]
    for i in range(1, len(outputs)):
        calls.append(f"NEXT({i}, {outputs[i - 1]}, {outputs[i]}, {int(i < last)})")
    constants = {
        "SLOTS": slots,
        "CHANNELS": channels,
        "FIRST_OUTPUTS": outputs[0],
        "WIDEST": max(outputs),
        "LAYERS": " ".join(calls),
    }
    defined = [f"-D{name}={value}" for name, value in constants.items()]
    library = shared_library(_SOURCE, *_FLAGS, *defined, *["-DBFLOAT16"][: int(short)])
    library.padded.argtypes, library.padded.restype = [c_int64], c_int64
    library.answers.restype = library.write_rows.restype = None
    library.answers.argtypes = [
        *(c_void_p, c_void_p, c_int, c_void_p, c_void_p, c_int64, c_void_p, c_void_p, c_float),
        *(c_void_p,) * 3,
    ]
    library.write_rows.argtypes = [c_void_p, c_void_p, c_int64, c_void_p, c_int]
    return library


def fits(dtype: torch.dtype) -> bool:
    """Whether a kernel can multiply numbers of this precision on this machine.

    Raises:
        FileNotFoundError: there is no C compiler.
        RuntimeError: the compiler fails.
    """
    if dtype != torch.bfloat16:
        return dtype == torch.float32
    return bool(_library(1, 1, (1,), False).bfloat16_units())
