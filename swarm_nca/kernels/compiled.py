"""Layers compiled for their rule: gather, products, rectifiers and noise of many cells at once.

`SWARM_NCA_PRODUCTS=compiled` asks for it. Messages are read where they lie, the sums
of some cells stay in the registers of a core (six cells with AVX-512), and no activations go
through memory. The sums have another order than torch's, so that results differ by rounding.

In bfloat16 this needs a processor with AMX or AVX512-BF16.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import c_int64
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from swarm_nca.kernels.library import at, library, places, pointers
from swarm_nca.kernels.steps import Steps, Weights, heard_numbers, message_weights
from swarm_nca.randomness import table_for


class Totals(NamedTuple):
    """Sums of gradients of weights over steps.

    Attributes:
        stimulus: [N, S], of all cells, of the weights' precision.
        sums: of each layer, one row for each input, then one for the bias. Inputs of the first are
            what cells hear, then the stimulus.
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
        sensed: numbers of a stimulus, the first inputs.

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
        sensed: int = 0,
    ) -> None:
        outputs = tuple(weight.shape[1] for weight, _ in layers)
        short = layers[0][0].dtype == torch.bfloat16
        sums = 0 if filters is None else filters.shape[1]
        heard, sent = (slots, sums if sink is None else 0, channels), (1, 0, 1)
        if sink is not None:
            sent = (sink[0], sums, sink[1])
        self._library = library(heard, outputs, kind, sent, short, sensed)
        self._filters = None if filters is None else filters.detach().float().contiguous()
        ready = self._paired if short else self._in_rows
        self._held = [(ready(weight), self._in_rows(bias)) for weight, bias in layers]
        self._weights = pointers([weight for weight, _ in self._held])
        self._biases = pointers([bias for _, bias in self._held])

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
    """The layers of one rule, with the stimulus of N cells.

    Args:
        layers: weight and bias of each layer, float32 or bfloat16. The rows of the first weight are
            for the stimulus, then for the K · C messages, or P · C for their sums.
        slots, channels: K and C, of the messages.
        stimulus: [N, S], of all cells, of the weights' precision.
        filters: [K, P], the weight of each slot in each sum, if cells hear P sums of their messages
            instead.

    Raises:
        FileNotFoundError: there is no C compiler.
        OSError: the compiler fails, or its output cannot be loaded.
        ValueError: a first weight with other rows, or a stimulus of another precision.
    """

    def __init__(
        self,
        layers: Sequence[Weights],
        slots: int,
        channels: int,
        stimulus: Tensor,
        filters: Tensor | None = None,
    ) -> None:
        weight, sensed = layers[0][0], stimulus.shape[1]
        heard = heard_numbers(slots, channels, filters)
        if len(weight) != sensed + heard or weight.dtype != stimulus.dtype:
            raise ValueError(
                f"the first weight needs {sensed} rows for the stimulus and {heard} for messages, "
                f"of {stimulus.dtype}; got {len(weight)} rows of {weight.dtype}"
            )
        super().__init__(layers, "RECTIFIED", slots, channels, filters=filters, sensed=sensed)
        self._stimulus = stimulus.contiguous()

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

        Raises:
            ValueError: noise without offsets, or for more channels than the table serves.
        """
        held, deviates = [part.contiguous() for part in (bank, table, rows)], None
        if noise:
            deviates = _deviates([offsets], into)
        nothing = pointers([None] * (len(self._held) - 1))
        self._library.answers(
            at(held[0]),
            at(held[1]),
            of_all,
            at(self._filters),
            at(self._stimulus),
            at(held[2]),
            len(rows),
            self._weights,
            self._biases,
            noise,
            *(at(part) for part in (deviates, offsets, into)),
            *(None, nothing, nothing),  # nothing is kept
            *(None, None, None),
            -1,
        )

    def roll_out(
        self,
        state: Tensor,
        bank: Tensor,
        steps: Steps,
        change: Tensor,
        *,
        noise: float,
        follows: bool,
    ) -> None:
        """Take steps one after the other; see `Forward.roll_out`."""
        deviates = None
        if noise:
            deviates = _deviates(steps.offsets or [None], change)
        held = _Held(steps)
        self._library.roll_out(
            len(steps.rows),
            at(state),
            at(bank),
            follows,
            held.tables,
            steps.of_all,
            at(self._filters),
            at(self._stimulus),
            held.rows,
            held.cells,
            self._weights,
            self._biases,
            noise,
            at(deviates),
            pointers(steps.offsets or [None] * len(steps.rows)),
            at(change),
            places([steps.heard], steps.begins),
            places(steps.units, steps.begins),
        )

    def write(self, state: Tensor, rows: Tensor, change: Tensor, replaces: bool) -> None:
        """Add a change [M, C] to the rows int64 [M] of a state, or replace them."""
        rows = rows.contiguous()
        self._library.write_rows(at(state), at(rows), len(rows), at(change), replaces)


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
        self._sizes = [weight.shape for weight in weights]

    def totals(self, stimulus: Tensor, like: Tensor) -> Totals:
        """Zeros, to which `roll_back` adds the gradients of the weights; see `Backward`."""
        (heard, first), *others = self._sizes
        sizes = [(heard + stimulus.shape[1] + 1, first), *((n + 1, out) for n, out in others)]
        filled, room_for = self._library.filled, self._library.room_for
        sums = [like.new_zeros(filled(rows), self.padded(out)) for rows, out in sizes]
        room = max(room_for(*size) for size in sizes)
        return Totals(stimulus.contiguous(), sums, stimulus.new_empty(room))

    def gradients(self, totals: Totals) -> list[Tensor]:
        """The gradients of each layer's weight and bias; see `Backward`."""
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
        steps: Steps,
        layer_grads: Sequence[Tensor],
        shift: int,
        totals: Totals,
        absent: int,
        *,
        to_first: bool,
    ) -> None:
        """Go back through steps, the last first; see `Backward.roll_back`."""
        held, begins = _Held(steps), [begin + shift for begin in steps.begins]
        identity = torch.arange(max(map(len, steps.rows)))
        *unit_grads, tops = layer_grads
        self._library.roll_back(
            len(steps.rows),
            at(grads),
            not to_first,
            held.tables,
            steps.of_all,
            at(self._filters),
            at(identity),
            held.rows,
            held.cells,
            self._weights,
            self._biases,
            places([tops], begins),
            # Layers of the way back are in its order.
            places(unit_grads[::-1], begins),
            places(steps.units[::-1], steps.begins),
            places([steps.heard], steps.begins),
            self._sizes[0][0],
            at(totals.stimulus),
            totals.stimulus.shape[1],
            (c_int64 * len(self._sizes))(*(given for _, given in self._sizes)),
            pointers(totals.sums),
            at(totals.room),
            absent,
        )

    def sum_weights(
        self, steps: Steps, layer_grads: Sequence[Tensor], shift: int, totals: Totals
    ) -> None:
        """Nothing: `roll_back` has added them."""


def _deviates(offsets: Sequence[Tensor | None], like: Tensor) -> Tensor:
    """The table of normal deviates."""
    if any(part is None for part in offsets):
        raise ValueError("noise needs offsets of deviates")
    return table_for(like.shape[1], like.dtype, like.device)


class _Held:
    """The addresses of the rows and tables of steps, and the tensors to which they belong."""

    def __init__(self, steps: Steps) -> None:
        self._parts = [part.contiguous() for part in (*steps.rows, *steps.tables)]
        count = len(steps.rows)
        self.rows, self.tables = pointers(self._parts[:count]), pointers(self._parts[count:])
        self.cells = (c_int64 * count)(*map(len, steps.rows))
