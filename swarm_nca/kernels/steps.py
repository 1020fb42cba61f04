"""Steps with memory for their gradient, and what every kernel does with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

from torch import Tensor

#: Weight [in, out] and bias [out].
Weights = tuple[Tensor, Tensor]


class Steps(NamedTuple):
    """Steps of M cells each, one after the other, with memory for what their gradient needs.

    Attributes:
        rows, tables, offsets: of each step, as for `compiled.Kernel.answers`; no offsets without
            noise.
        of_all: whether the tables are of all cells.
        begins: where the rows of each step begin in `heard` and `units`, and where the last end.
        heard: [R, K · C], or [R, P · C], becomes what the cells hear.
        units: [R, `padded`] for each hidden layer, become its activations.
    """

    rows: Sequence[Tensor]
    tables: Sequence[Tensor]
    offsets: Sequence[Tensor]
    of_all: bool
    begins: Sequence[int]
    heard: Tensor
    units: Sequence[Tensor]

    def between(self, first: int, stop: int) -> Steps:
        """The steps from `first` to `stop` − 1."""
        part = slice(first, stop)
        return self._replace(
            rows=self.rows[part],
            tables=self.tables[part],
            offsets=self.offsets[part],
            begins=self.begins[first : stop + 1],
        )


def message_weights(
    layers: Sequence[Weights], slots: int, channels: int, filters: Tensor | None
) -> Tensor:
    """The rows of the first weight that are for the messages, or for their sums."""
    weight = layers[0][0]
    return weight[len(weight) - heard_numbers(slots, channels, filters) :]


def heard_numbers(slots: int, channels: int, filters: Tensor | None) -> int:
    """How many numbers a cell hears: all its messages, or their sums."""
    return (slots if filters is None else filters.shape[1]) * channels


T = TypeVar("T")


class Forward(Protocol):
    """A kernel of the way forward; see `compiled.Kernel`.

    Attributes:
        block: what is kept of cells has a multiple of this many rows.
    """

    block: int

    def padded(self, width: int) -> int:
        """The length of a row of `width` numbers in `Steps.units`."""

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
        """Take steps one after the other; each adds the answers of its cells to their states.

        Args:
            state: [N, C] and more, float32, contiguous.
            bank: [R, C], of the weights' precision; what cells hear in the first step.
            change: memory for the answers of a step.
            noise: factor of the deviates; 0 needs none.
            follows: whether the bank is a copy of the state, and follows it.

        Raises:
            ValueError: noise without offsets, or for more channels than the table serves.
        """


class Backward(Protocol[T]):
    """A kernel of the way back, which sums gradients of weights in a T."""

    def totals(self, stimulus: Tensor, like: Tensor) -> T:
        """Zeros, to which the gradients of the weights are added.

        Args:
            stimulus: [N, S], of all cells, of the weights' precision.
            like: the gradients of the states, float32.
        """

    def gradients(self, totals: T) -> list[Tensor]:
        """The gradients of each layer's weight, the first for the stimulus too, and bias."""

    def roll_back(
        self,
        grads: Tensor,
        steps: Steps,
        layer_grads: Sequence[Tensor],
        shift: int,
        totals: T,
        absent: int,
        *,
        to_first: bool,
    ) -> None:
        """Go back through steps, the last first: add the gradients of messages to their senders'.

        Args:
            grads: [S, C], the gradients of the states, float32, contiguous; the tables name its
                rows.
            steps: as they were taken.
            layer_grads: memory for the gradients of the sums of each hidden layer, with rows like
                `units`, and of the answers [.., C].
            shift: the rows of a step begin so much later there than in `steps`.
            totals: the sums of the gradients of the weights.
            absent: a row of `grads` whose gradients nothing reads.
            to_first: whether senders get gradients in the first of the steps too.
        """

    def sum_weights(
        self, steps: Steps, layer_grads: Sequence[Tensor], shift: int, totals: T
    ) -> None:
        """Add the gradients of the weights of a group of steps, after `roll_back`.

        A kernel may have added them in `roll_back`, and then has nothing to do here.
        """
