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
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from swarm_nca.compiler import shared_library
from swarm_nca.randomness import table_for

_SOURCE = Path(__file__).with_name("kernel.c")

_FLAGS = "-std=gnu99", "-O3", "-march=native"

#: Weight [in, out] and bias [out].
Weights = tuple[Tensor, Tensor]


class Step(NamedTuple):
    """A step of M cells, and the memory for what its gradient needs.

    Attributes:
        rows, table, offsets, heard, units: as for `Kernel.answers`.
    """

    rows: Tensor
    table: Tensor
    offsets: Tensor | None
    heard: Tensor
    units: Sequence[Tensor]


class StepBack(NamedTuple):
    """The way back of a step of M cells.

    Attributes:
        rows, table, heard, units: as for `Step`.
        grads: [M, C], of the weights' precision, become the gradients of the answers.
        unit_grads: [M, `padded`] for each hidden layer, become the gradients of the sums before the
            rectifiers.
    """

    rows: Tensor
    table: Tensor
    heard: Tensor
    units: Sequence[Tensor]
    grads: Tensor
    unit_grads: Sequence[Tensor]


class Totals(NamedTuple):
    """Sums of gradients of weights over steps.

    Attributes:
        stimulus: [N, S], of all cells, of the weights' precision.
        sums: of each layer, one row for each input, and one for the bias.
        room: memory for factors.
    """

    stimulus: Tensor
    sums: list[Tensor]
    room: Tensor


class _Layers:
    """Weights in the order of kernel.c, and its functions for their shapes.

    Args:
        kind: what becomes of the sums of hidden layers, a name in kernel.c.
        sink: slots and channels of an answer that is sent back.
        filters: [K, P], of the messages, or of the sink.

    Attributes:
        block: what is kept of cells has a multiple of this many rows.
    """

    block = 1

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
        self._library = _library(heard, outputs, kind, sent, short)
        self._filters = None if filters is None else filters.detach().float().contiguous()
        ready = self._paired if short else self._in_rows
        self._held = [(ready(weight), self._in_rows(bias)) for weight, bias in layers]
        self._weights = _pointers([weight for weight, _ in self._held])
        self._biases = _pointers([bias for _, bias in self._held])

    def __deepcopy__(self, memo: object) -> _Layers:
        return self  # nothing changes it, and addresses cannot be copied

    def padded(self, width: int) -> int:
        """The length of a row of `width` numbers in `units`."""
        return int(self._library.padded(width))

    def _in_rows(self, part: Tensor) -> Tensor:
        """A tensor with padded rows, float32."""
        wider = (0, self.padded(part.shape[-1]) - part.shape[-1])
        return functional.pad(part.detach().float(), wider).contiguous()

    def _paired(self, weight: Tensor) -> Tensor:
        """Padded rows, [in / 2, out, 2], the factors of pairs of inputs; zeros up to 32 inputs."""
        inputs, outputs = weight.shape
        wider = (0, self.padded(outputs) - outputs, 0, -inputs % 32)
        padded = functional.pad(weight.detach(), wider)
        return padded.view(-1, 2, padded.shape[1]).transpose(1, 2).contiguous()


class Kernel(_Layers):
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
    """

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
        super().__init__([(heard, bias), *others], "RECTIFIED", slots, channels, filters=filters)
        self._prepared = self._in_rows(prepared)
        self._apart = 0 if len(prepared) == 1 else self._prepared.shape[1]

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
        held, deviates = [part.contiguous() for part in (bank, table, rows)], None
        if noise:
            deviates = _deviates([offsets], into)
        nothing = [None] * (len(self._held) - 1)
        self._library.answers(
            _at(held[0]),
            _at(held[1]),
            of_all,
            _at(self._filters),
            _at(self._prepared),
            self._apart,
            _at(held[2]),
            len(rows),
            self._weights,
            self._biases,
            noise,
            *(_at(part) for part in (deviates, offsets, into, heard)),
            _pointers(units or nothing),
            _pointers(nothing),
            *(None, None, None),
            -1,
        )

    def roll_out(
        self,
        state: Tensor,
        bank: Tensor,
        steps: Sequence[Step],
        change: Tensor,
        *,
        of_all: bool,
        noise: float,
        follows: bool,
    ) -> None:
        """Take steps one after the other; each adds the answers of its cells to their states.

        Args:
            state: [N, C] and more, float32, contiguous.
            bank: see `answers`; what cells hear in the first step.
            change: memory for the answers of a step.
            of_all: whether the tables are of all cells.
            noise: see `answers`.
            follows: whether the bank is a copy of the state, and follows it.

        Raises:
            ValueError: as `answers`.
        """
        deviates = _deviates([step.offsets for step in steps], change) if noise else None
        rows, tables, held = _held(steps)
        self._library.roll_out(
            len(steps),
            _at(state),
            _at(bank),
            follows,
            tables,
            of_all,
            _at(self._filters),
            _at(self._prepared),
            self._apart,
            rows,
            _counts(steps),
            self._weights,
            self._biases,
            noise,
            _at(deviates),
            _pointers([step.offsets for step in steps]),
            _at(change),
            _pointers([step.heard for step in steps]),
            _pointers([each for step in steps for each in step.units]),
        )
        del held

    def write(self, state: Tensor, rows: Tensor, change: Tensor, replaces: bool) -> None:
        """Add a change [M, C] to the rows int64 [M] of a state, or replace them."""
        rows = rows.contiguous()
        self._library.write_rows(_at(state), _at(rows), len(rows), _at(change), replaces)


class BackwardKernel(_Layers):
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
        super().__init__(backward, "PASSED", 1, channels, sink=(slots, channels), filters=filters)
        self._zeros = self._in_rows(torch.zeros(1, turned[0].shape[1]))
        self._sizes = [weight.shape for weight in weights]

    def totals(self, stimulus: Tensor, like: Tensor) -> Totals:
        """Zeros, to which `roll_back` adds the gradients of the weights.

        Args:
            stimulus: [N, S], of all cells, of the weights' precision.
            like: the gradients of the states, float32.
        """
        (heard, first), *others = self._sizes
        sizes = [(heard + stimulus.shape[1] + 1, first), *((n + 1, out) for n, out in others)]
        filled, room_for = self._library.filled, self._library.room_for
        sums = [like.new_zeros(filled(rows), self.padded(out)) for rows, out in sizes]
        room = max(room_for(*size) for size in sizes)
        return Totals(stimulus.contiguous(), sums, stimulus.new_empty(room))

    def gradients(self, totals: Totals) -> list[Tensor]:
        """The gradients of each layer's weight, the first for the stimulus too, and bias."""
        found, sensed = [], totals.stimulus.shape[1]
        for number, (total, (taken, given)) in enumerate(
            zip(totals.sums, self._sizes, strict=True)
        ):
            weight, bias = total[:taken, :given], total[taken, :given]
            if number == 0:
                weight = torch.cat([total[taken : taken + sensed, :given], weight])
                bias = total[taken + sensed, :given]
            found += [weight, bias]
        return found

    def roll_back(
        self,
        grads: Tensor,
        steps: Sequence[StepBack],
        totals: Totals,
        absent: int,
        *,
        of_all: bool,
        to_first: bool,
    ) -> None:
        """Go back through steps, the last first: add the gradients of messages to their senders'.

        Args:
            grads: [S, C], the gradients of the states, float32, contiguous; the tables name its
                rows.
            steps: in the order in which they were taken; they may share memory for gradients.
            totals: become the sums of the gradients of the weights.
            absent: a row of `grads` that gets none.
            of_all: whether the tables are of all cells.
            to_first: whether senders get gradients in the first of the steps too.
        """
        rows, tables, held = _held(steps)
        identity = torch.arange(max(len(step.rows) for step in steps))
        self._library.roll_back(
            len(steps),
            _at(grads),
            not to_first,
            tables,
            of_all,
            _at(self._filters),
            _at(self._zeros),
            _at(identity),
            rows,
            _counts(steps),
            self._weights,
            self._biases,
            _pointers([step.grads for step in steps]),
            # Layers of the way back are in its order.
            _pointers([each for step in steps for each in step.unit_grads[::-1]]),
            _pointers([each for step in steps for each in step.units[::-1]]),
            _pointers([step.heard for step in steps]),
            self._sizes[0][0],
            _at(totals.stimulus),
            totals.stimulus.shape[1],
            (c_int64 * len(self._sizes))(*(given for _, given in self._sizes)),
            _pointers(totals.sums),
            _at(totals.room),
            absent,
        )
        del held


def message_weights(
    layers: Sequence[Weights], slots: int, channels: int, filters: Tensor | None
) -> Tensor:
    """The rows of the first weight that are for the messages, or for their sums."""
    weight = layers[0][0]
    return weight[len(weight) - (slots if filters is None else filters.shape[1]) * channels :]


def _deviates(offsets: Sequence[Tensor | None], like: Tensor) -> Tensor:
    """The table of normal deviates."""
    if any(part is None for part in offsets):
        raise ValueError("noise needs offsets of deviates")
    return table_for(like.shape[1], like.dtype, like.device)


def _held(steps: Sequence[Step] | Sequence[StepBack]) -> tuple[Any, Any, list[Tensor]]:
    """The addresses of rows and tables of steps, and the tensors to which they belong."""
    rows = [step.rows.contiguous() for step in steps]
    tables = [step.table.contiguous() for step in steps]
    return _pointers(rows), _pointers(tables), rows + tables


def _counts(steps: Sequence[Step] | Sequence[StepBack]) -> Any:
    """The numbers of cells of steps, as an array."""
    return (c_int64 * len(steps))(*(len(step.rows) for step in steps))


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
        "HIDDEN": len(outputs) - 1,
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
    library.roll_out.restype = library.roll_back.restype = None
    library.roll_out.argtypes = [
        *(c_int64, c_void_p, c_void_p, c_int, c_void_p, c_int, c_void_p, c_void_p, c_int64),
        *(c_void_p,) * 4,
        c_float,
        *(c_void_p,) * 5,
    ]
    library.roll_back.argtypes = [
        *(c_int64, c_void_p, c_int, c_void_p, c_int),
        *(c_void_p,) * 11,
        *(c_int64, c_void_p, c_int64, c_void_p, c_void_p, c_void_p, c_int64),
    ]
    for size in library.filled, library.room_for:
        size.argtypes, size.restype = [c_int64] * (1 + (size is library.room_for)), c_int64
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
