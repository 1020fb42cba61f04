"""Layers of a rule as one compiled function: gather, products, rectifiers and noise of many cells.

`SWARM_NCA_PRODUCTS=compiled` asks for it. [kernel.c](kernel.c) is compiled with the C compiler of
this machine, once for each shape of a rule and process. Messages are read where they lie, the sums
of some cells stay in the registers of a core (six cells with AVX-512), and no activations go
through memory. The sums have another order than torch's, so that results differ by rounding.

In bfloat16 this needs a processor with AMX or AVX512-BF16.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_float, c_int, c_int64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from swarm_nca.compiler import shared_library
from swarm_nca.randomness import table_for

_SOURCE = Path(__file__).with_name("kernel.c")

_FLAGS = "-std=gnu99", "-O3", "-march=native"

#: Weight [in, out] and bias [out].
Weights = tuple[Tensor, Tensor]


class Kernel:
    """The layers of one rule, with the prepared stimulus of N cells.

    Args:
        layers: weight and bias of each layer, float32 or bfloat16. The last K · C rows of the first
            weight are for the messages, or P · C for their sums; all else of this layer is part of
            `prepared`.
        slots, channels: K and C, of the messages.
        prepared: [N, H], or [1, H] for all cells.
        filters: [K, P], the weight of each slot in each sum, if cells hear P sums of their messages
            instead.

    Raises:
        FileNotFoundError: there is no C compiler.
        OSError: the compiler fails, or its output cannot be loaded.

    Attributes:
        block: what is kept of cells has a multiple of this many rows.
    """

    block = 1

    def __init__(
        self,
        layers: Sequence[Weights],
        slots: int,
        channels: int,
        prepared: Tensor,
        filters: Tensor | None = None,
    ) -> None:
        (_, bias), *others = layers
        heard = message_weights(layers, slots, channels, filters)
        self._layers = _Layers(
            [(heard, bias), *others], "RECTIFIED", slots, channels, filters=filters
        )
        self._prepared = self._layers.padded(prepared)

    def answers(
        self,
        bank: Tensor,
        table: Tensor,
        rows: Tensor,
        into: Tensor,
        *,
        of_all: bool = False,
        noise: float = 0.0,
        offsets: Tensor | None = None,
        heard: Tensor | None = None,
        units: Sequence[Tensor] = (),
    ) -> None:
        """Write the answers of M cells.

        Args:
            bank: [R, C], of the weights' precision, contiguous.
            table: int64 [M, K], the rows of the bank that the cells hear; of all cells, [N, K],
                with `of_all`.
            rows: int64 [M], the rows of the cells.
            into: [M, C], float32, contiguous.
            noise: factor of the deviates; 0 needs none.
            offsets: int64 [M], where the C deviates of each cell begin in `normal_table`.
            heard: [M, K · C], or [M, P · C], becomes what the cells hear.
            units: [M, `padded`] for each hidden layer, become its activations.

        Raises:
            ValueError: noise without offsets, or for more channels than the table serves.
        """
        deviates = None
        if noise:
            if offsets is None:
                raise ValueError("noise needs offsets of deviates")
            deviates = table_for(into.shape[1], into.dtype, into.device)
        self._layers(
            bank,
            table,
            self._prepared,
            rows,
            of_all=of_all,
            noise=noise,
            deviates=deviates,
            offsets=offsets,
            into=into,
            heard=heard,
            keeps=units,
        )

    def padded(self, width: int) -> int:
        """The length of a row of `width` numbers in `units`."""
        return self._layers.width(width)

    def write(self, state: Tensor, rows: Tensor, change: Tensor, replaces: bool) -> None:
        """Add a change [M, C] to the rows int64 [M] of a state, or replace them."""
        rows = rows.contiguous()
        self._layers.library.write_rows(_at(state), _at(rows), len(rows), _at(change), replaces)


class BackwardKernel:
    """The same layers backward: from gradients of answers to gradients of messages.

    Args:
        layers, slots, channels, filters: as for `Kernel`.

    Raises: as `Kernel`.
    """

    def __init__(
        self,
        layers: Sequence[Weights],
        slots: int,
        channels: int,
        filters: Tensor | None = None,
    ) -> None:
        heard = message_weights(layers, slots, channels, filters)
        weights = [heard, *(weight for weight, _ in layers[1:])]
        turned = [weight.t() for weight in reversed(weights)]
        backward = [(weight, weight.new_zeros(weight.shape[1])) for weight in turned]
        self._layers = _Layers(
            backward, "PASSED", 1, channels, sink=(slots, channels), filters=filters
        )
        self._nothing = self._layers.padded(torch.zeros(1, turned[0].shape[1]))

    def send_back(
        self,
        grads: Tensor,
        rows: Tensor,
        table: Tensor,
        into: Tensor | None,
        absent: int,
        *,
        of_all: bool = False,
        units: Sequence[Tensor],
        unit_grads: Sequence[Tensor],
    ) -> None:
        """Add the gradients of M cells' messages to the senders' gradients.

        Args:
            grads: [M, C], gradients of the answers, of the weights' precision, contiguous.
            rows: int64 [M], the rows of the cells.
            table: int64 [M, K], the rows of `into` that the cells heard; of all cells, [N, K],
                with `of_all`.
            into: [S, C], float32, contiguous; None: only `unit_grads` are wanted.
            absent: a row of `into` that is left out.
            units: [M, `padded`] for each hidden layer, as `Kernel.answers` keeps them.
            unit_grads: the same, become the gradients of the sums before the rectifiers.
        """
        self._layers(
            grads,
            torch.arange(len(rows)),
            self._nothing,
            rows,
            keeps=unit_grads[::-1],
            passes=units[::-1],
            into=into,
            targets=table,
            receivers=rows if of_all else None,
            absent=absent,
        )


class _Layers:
    """Weights in the order of kernel.c, and its function for their shapes.

    Args:
        kind: what becomes of the sums of hidden layers, a name in kernel.c.
        sink: slots and channels of an answer that is sent back.
        filters: [K, P], of the messages, or of the sink.
    """

    def __init__(
        self,
        layers: Sequence[Weights],
        kind: str,
        slots: int,
        channels: int,
        *,
        sink: tuple[int, int] | None = None,
        filters: Tensor | None = None,
    ) -> None:
        outputs = tuple(weight.shape[1] for weight, _ in layers)
        short = layers[0][0].dtype == torch.bfloat16
        sums = 0 if filters is None else filters.shape[1]
        heard, sent = (slots, sums if sink is None else 0, channels), (1, 0, 1)
        if sink is not None:
            sent = (sink[0], sums, sink[1])
        self.library = _library(heard, outputs, kind, sent, short)
        self._filters = None if filters is None else filters.detach().float().contiguous()
        ready = self._paired if short else self.padded
        self._held = [(ready(weight), self.padded(bias)) for weight, bias in layers]
        self._weights = _pointers([weight for weight, _ in self._held])
        self._biases = _pointers([bias for _, bias in self._held])

    def __deepcopy__(self, memo: object) -> _Layers:
        return self  # nothing changes it, and addresses cannot be copied

    def __call__(
        self,
        bank: Tensor,
        table: Tensor,
        prepared: Tensor,
        rows: Tensor,
        *,
        into: Tensor | None,
        of_all: bool = False,
        noise: float = 0.0,
        deviates: Tensor | None = None,
        offsets: Tensor | None = None,
        heard: Tensor | None = None,
        keeps: Sequence[Tensor] = (),
        passes: Sequence[Tensor] = (),
        targets: Tensor | None = None,
        receivers: Tensor | None = None,
        absent: int = -1,
    ) -> None:
        held = [part.contiguous() for part in (bank, table, rows)]
        change, sink = (into, None) if targets is None else (None, into)
        sent = [None if part is None else part.contiguous() for part in (targets, receivers)]
        hidden = len(self._held) - 1
        self.library.answers(
            _at(held[0]),
            _at(held[1]),
            of_all,
            _at(self._filters),
            _at(prepared),
            0 if len(prepared) == 1 else prepared.shape[1],
            _at(held[2]),
            len(rows),
            self._weights,
            self._biases,
            noise,
            *(_at(part) for part in (deviates, offsets, change, heard)),
            _pointers(keeps or [None] * hidden),
            _pointers(passes or [None] * hidden),
            *map(_at, (sink, *sent)),
            absent,
        )

    def width(self, width: int) -> int:
        """The length of a padded row of `width` numbers."""
        return int(self.library.padded(width))

    def padded(self, part: Tensor) -> Tensor:
        """A tensor with padded rows, float32."""
        wider = (0, self.width(part.shape[-1]) - part.shape[-1])
        return functional.pad(part.detach().float(), wider).contiguous()

    def _paired(self, weight: Tensor) -> Tensor:
        """Padded rows, [in / 2, out, 2], the factors of pairs of inputs; zeros up to 32 inputs."""
        inputs, outputs = weight.shape
        wider = (0, self.width(outputs) - outputs, 0, -inputs % 32)
        padded = functional.pad(weight.detach(), wider)
        return padded.view(-1, 2, padded.shape[1]).transpose(1, 2).contiguous()


def message_weights(
    layers: Sequence[Weights], slots: int, channels: int, filters: Tensor | None
) -> Tensor:
    """The rows of the first weight that are for the messages, or for their sums."""
    weight = layers[0][0]
    return weight[len(weight) - (slots if filters is None else filters.shape[1]) * channels :]


def _at(part: Tensor | None) -> int | None:
    """The address of a tensor's numbers."""
    return None if part is None else part.data_ptr()


def _pointers(parts: Sequence[Tensor | None]) -> Any:
    """The addresses of several tensors' numbers, as an array."""
    return (c_void_p * max(1, len(parts)))(*map(_at, parts))


@cache
def _library(
    heard: tuple[int, int, int],
    outputs: tuple[int, ...],
    kind: str,
    sent: tuple[int, int, int],
    short: bool,
) -> ctypes.CDLL:
    """The functions for layers with these outputs, in bfloat16 if `short`.

    Args:
        heard: slots, sums and channels of what cells hear.
        sent: the same of an answer that is sent back.
    """
    kinds = [*(kind for _ in outputs[1:]), "ANSWER"]
    calls = [f"FIRST({outputs[0]}, {kinds[0]})"]
    for i in range(1, len(outputs)):
        calls.append(f"NEXT({i}, {outputs[i - 1]}, {outputs[i]}, {kinds[i]})")
    sizes = "SLOTS", "SUMS", "CHANNELS"
    constants = {
        **dict(zip(sizes, heard, strict=True)),
        **{f"SINK_{name}": size for name, size in zip(sizes, sent, strict=True)},
        "FIRST_OUTPUTS": outputs[0],
        "WIDEST": max(outputs),
        "LAYERS": " ".join(calls),
    }
    defined = [f"-D{name}={value}" for name, value in constants.items()]
    library = shared_library(_SOURCE, *_FLAGS, *defined, *["-DBFLOAT16"][: int(short)])
    library.padded.argtypes, library.padded.restype = [c_int64], c_int64
    library.answers.restype = library.write_rows.restype = None
    library.answers.argtypes = [
        *(c_void_p, c_void_p, c_int, c_void_p, c_void_p, c_int64, c_void_p, c_int64),
        *(c_void_p, c_void_p, c_float),
        *(c_void_p,) * 9,
        c_int64,
    ]
    library.write_rows.argtypes = [c_void_p, c_void_p, c_int64, c_void_p, c_int]
    return library


def fits(dtype: torch.dtype) -> bool:
    """Whether a kernel can multiply numbers of this precision on this machine.

    Raises:
        FileNotFoundError: there is no C compiler.
        OSError: the compiler fails, or its output cannot be loaded.
    """
    if dtype != torch.bfloat16:
        return dtype == torch.float32
    return bool(_library((1, 0, 1), (1,), "RECTIFIED", (1, 0, 1), False).bfloat16_units())
