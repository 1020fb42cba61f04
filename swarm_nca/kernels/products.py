"""Layers of a rule for many cells by products of torch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from swarm_nca.kernels.steps import Steps, Weights, message_weights
from swarm_nca.matmul import BLOCK, by_onednn, product
from swarm_nca.randomness import normal_rows
from swarm_nca.rules import Layer, through

#: In bfloat16 the rows of a product are a multiple of this many, because oneDNN compiles a kernel
#: for each number: so many rows lie free before the first of what steps keep.
FILLED = 256


class TorchKernel:
    """The layers of one rule.

    Args:
        layers, slots, channels, filters: as for `compiled.Kernel`.
        prepared: [N, H], the first layer's bias and its products with the stimulus; [1, H] if it is
            that of all cells.

    Attributes:
        block: see `Forward`.
    """

    def __init__(
        self,
        layers: Sequence[Weights],
        slots: int,
        channels: int,
        prepared: Tensor,
        filters: Tensor | None = None,
    ) -> None:
        self._layers, self._prepared = [Layer(*each) for each in layers], prepared
        self._filters = None if filters is None else filters.to(prepared.dtype)
        self.block = BLOCK if by_onednn(prepared.dtype, prepared.device) else 1

    def padded(self, width: int) -> int:
        """`width`: rows are not padded."""
        return width

    def _answers(
        self,
        bank: Tensor,
        table: Tensor,
        rows: Tensor,
        into: Tensor,
        *,
        of_all: bool,
        noise: float,
        offsets: Tensor | None,
        heard: Tensor,
        units: Sequence[Tensor],
    ) -> None:
        """Write the answers of M cells; see `compiled.Kernel.answers`.

        Args:
            heard, units: as in `Steps`, with M' ≥ M rows; the further rows fill up a block, and
                hear zeros.

        Raises:
            ValueError: noise without offsets, or for more channels than the table serves.
        """
        reads, channels = (table.index_select(0, rows) if of_all else table), bank.shape[1]
        received = heard.view(len(heard), heard.shape[1] // channels, channels)
        if self._filters is None:
            torch.index_select(bank, 0, reads.reshape(-1), out=received[: len(rows)].flatten(0, 1))
        else:
            messages = bank.index_select(0, reads.reshape(-1)).view(*reads.shape, channels)
            torch.matmul(self._filters.t(), messages, out=received[: len(rows)])
        heard[len(rows) :] = 0.0
        prepared = units[0] if units else bank.new_empty(len(heard), channels)
        if len(self._prepared) == 1:
            prepared.copy_(self._prepared.expand_as(prepared))
        else:
            torch.index_select(self._prepared, 0, rows, out=prepared[: len(rows)])
            prepared[len(rows) :] = 0.0
        answers = through(self._layers, prepared, heard, into=prepared, units=units)
        into.copy_(answers[: len(rows)])
        if noise:
            if offsets is None:
                raise ValueError("noise needs offsets of deviates")
            into.add_(normal_rows(offsets, channels, into.dtype), alpha=noise)

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
        for t, (rows, table) in enumerate(zip(steps.rows, steps.tables, strict=True)):
            answers, kept = change[: len(rows)], slice(*steps.begins[t : t + 2])
            self._answers(
                bank,
                table,
                rows,
                answers,
                of_all=steps.of_all,
                noise=noise,
                offsets=steps.offsets[t] if steps.offsets else None,
                heard=steps.heard[kept],
                units=[each[kept] for each in steps.units],
            )
            state.index_add_(0, rows, answers)
            if follows:
                bank.index_copy_(0, rows, state.index_select(0, rows).to(bank.dtype))


class TorchTotals(NamedTuple):
    """Sums of gradients of weights over steps.

    Attributes:
        stimulus: [N, S], of all cells, of the weights' precision.
        sums: of each layer's weights for what it hears, [out, in].
        biases: of each layer, [out].
        sensed: of the first weights for the stimulus, [out, S].
    """

    stimulus: Tensor
    sums: list[Tensor]
    biases: list[Tensor]
    sensed: Tensor


class TorchBackwardKernel:
    """The same layers backward; the arguments are those of `compiled.BackwardKernel`."""

    def __init__(
        self,
        layers: Sequence[Weights],
        slots: int,
        channels: int,
        filters: Tensor | None = None,
    ) -> None:
        heard = message_weights(layers, slots, channels, filters)
        self._filters = None if filters is None else filters.to(heard.dtype)
        self._turned = [weight.t() for weight in (heard, *(weight for weight, _ in layers[1:]))]

    def totals(self, stimulus: Tensor, like: Tensor) -> TorchTotals:
        """Zeros, to which `sum_weights` adds the gradients of the weights; see `Backward`."""
        shapes = [each.shape for each in (*self._turned, stimulus)]
        sums = [like.new_zeros(shape) for shape in shapes[:-1]]
        sensed = like.new_zeros(shapes[0][0], stimulus.shape[1])
        return TorchTotals(stimulus, sums, [each.new_zeros(len(each)) for each in sums], sensed)

    def gradients(self, totals: TorchTotals) -> list[Tensor]:
        """The gradients of each layer's weight and bias; see `Backward`."""
        first, *others = (each.t() for each in totals.sums)
        weights = [torch.cat([totals.sensed.t(), first]), *others]
        return [each for pair in zip(weights, totals.biases, strict=True) for each in pair]

    def roll_back(
        self,
        grads: Tensor,
        steps: Steps,
        layer_grads: Sequence[Tensor],
        shift: int,
        totals: TorchTotals,
        absent: int,
        *,
        to_first: bool,
    ) -> None:
        """Go back through steps, the last first; see `Backward.roll_back`.

        Args:
            totals: `sum_weights` adds to them.
            steps, layer_grads: in bfloat16, `FILLED` rows lie free before the first step, and are
                zeros in what is kept.
            absent: its row gets gradients too; nothing reads it.
        """
        relu_backward = torch.ops.aten.threshold_backward.grad_input
        for t in reversed(range(len(steps.rows))):
            rows, (begin, end) = steps.rows[t], steps.begins[t : t + 2]
            *unit_grads, top = (each[begin + shift : end + shift] for each in layer_grads)
            top[: len(rows)] = grads.index_select(0, rows)
            top[len(rows) :] = 0.0
            for turned, below, units in zip(
                self._turned[:0:-1], unit_grads[::-1], steps.units[::-1], strict=True
            ):
                top = product(top, turned, into=below)
                relu_backward(top, units[begin:end], 0, grad_input=below)
                top = below
            if t == 0 and not to_first:
                break
            channels = grads.shape[1]
            reads = steps.tables[t].index_select(0, rows) if steps.of_all else steps.tables[t]
            sent = product(top, self._turned[0])[: len(rows)]
            if self._filters is not None:
                sent = self._filters @ sent.view(len(sent), self._filters.shape[1], channels)
            # Not index_put_: its order of addition varies with several threads.
            grads.index_add_(0, reads.reshape(-1), sent.reshape(-1, channels).to(grads.dtype))

    def sum_weights(
        self, steps: Steps, layer_grads: Sequence[Tensor], shift: int, totals: TorchTotals
    ) -> None:
        """Add the gradients of the weights of a group; see `Backward.sum_weights`."""
        begins, short = steps.begins, layer_grads[0].dtype == torch.bfloat16
        fill = (begins[0] - begins[-1]) % FILLED if short else 0
        kept = slice(begins[0] - fill, begins[-1])
        given = slice(kept.start + shift, kept.stop + shift)
        for n, inputs in enumerate((steps.heard, *steps.units)):
            outputs = layer_grads[n][given]
            outputs[:fill] = 0.0
            _add_product(totals.sums[n], outputs, inputs[kept])
            totals.biases[n] += outputs.sum(0)
        if totals.sensed.numel():
            counts = [end - begin for begin, end in pairwise(begins)]
            acted = [
                functional.pad(rows, (0, count - len(rows)))
                for rows, count in zip(steps.rows, counts, strict=True)
            ]
            sensed = functional.pad(totals.stimulus[torch.cat(acted)], (0, 0, fill, 0))
            _add_product(totals.sensed, layer_grads[0][given], sensed)


def _add_product(total: Tensor, outputs: Tensor, inputs: Tensor) -> None:
    """Add outputsᵀ · inputs to a total, which may have a longer precision than the factors."""
    if total.dtype == outputs.dtype:
        total.addmm_(outputs.t(), inputs)
    else:
        total += outputs.t() @ inputs
