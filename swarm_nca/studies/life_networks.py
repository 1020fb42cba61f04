"""Convolutional networks that learn Life; many of one architecture are computed together.

For each predicted step an architecture has a 3×3 convolution and a 1×1 convolution, each followed
by ReLU; a last 1×1 convolution with a sigmoid gives the probability that a cell is alive (Springer
and Kenyon, "It's Hard for Neural Networks to Learn the Game of Life", 2020). Letters:

- N: networks in the computation; K: weights of one network (biases included);
- n: steps; m: width; C: channels;
- P: cells, in the order row, column, board: boards are adjacent in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

#: Distribution of initial weights: normal with deviation 1, or uniform by fan-in and fan-out.
Start: TypeAlias = Literal["normal", "glorot"]


@dataclass(frozen=True)
class Layer:
    """One convolution: `window` is 9 (3×3) or 1 (1×1) cells."""

    inputs: int
    outputs: int
    window: int

    @property
    def kernel(self) -> int:
        """The number of weights without biases."""
        return self.outputs * self.inputs * self.window


@dataclass(frozen=True)
class Architecture:
    """An m-fold network for n steps; m = 1 is the minimal one, with 23 n + 2 weights.

    Args:
        steps: n, how many steps ahead the network predicts, at least 1.
        width: m; the 3×3 convolutions have 2 m filters, the 1×1 convolutions m.

    Raises:
        ValueError: a number below 1.
    """

    steps: int
    width: int

    def __post_init__(self) -> None:
        if self.steps < 1 or self.width < 1:
            raise ValueError(
                "a network needs at least 1 step and a width of at least 1, got "
                f"{self.steps} and {self.width}"
            )

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The convolutions from the board to the output."""
        m = self.width
        pairs = [
            (Layer(m if step else 1, 2 * m, 9), Layer(2 * m, m, 1)) for step in range(self.steps)
        ]
        return (*(layer for pair in pairs for layer in pair), Layer(m, 1, 1))

    @property
    def weights(self) -> int:
        """K, biases included."""
        return sum(layer.kernel + layer.outputs for layer in self.layers)

    def parts(self, rows: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Views of rows [N, K]: for each layer kernels [N, out, in · window], biases [N, out, 1].

        A kernel's inputs are ordered as in `torch.nn.Conv2d`: channel, row, column.
        """
        begin = 0
        for layer in self.layers:
            middle, end = begin + layer.kernel, begin + layer.kernel + layer.outputs
            kernel = rows[:, begin:middle].view(
                len(rows), layer.outputs, layer.inputs * layer.window
            )
            yield kernel, rows[:, middle:end].view(len(rows), layer.outputs, 1)
            begin = end

    def kernel_positions(self) -> Tensor:
        """int64: the positions in a row that belong to kernels, not to biases."""
        marks = torch.zeros(1, self.weights, dtype=torch.bool)
        for kernel, _ in self.parts(marks):
            kernel.fill_(True)
        return marks[0].nonzero().view(-1)


def initial_weights(
    architecture: Architecture, seed: int, networks: Sequence[int], start: Start = "normal"
) -> Tensor:
    """Initial weights [N, K] of the networks with these numbers; biases are zero.

    A network's weights depend only on the seed, the architecture and its number.
    """
    rows = torch.zeros(len(networks), architecture.weights)
    for row, number in zip(rows, networks, strict=True):
        draws = np.random.default_rng([seed, architecture.steps, architecture.width, number])
        for layer, (kernel, _) in zip(
            architecture.layers, architecture.parts(row[None]), strict=True
        ):
            if start == "normal":
                values = draws.standard_normal(layer.kernel)
            else:
                reach = (6 / (layer.window * (layer.inputs + layer.outputs))) ** 0.5
                values = draws.uniform(-reach, reach, layer.kernel)
            kernel.copy_(torch.from_numpy(values).view_as(kernel))
    return rows


class Networks:
    """Networks that are computed together on the same input.

    Args:
        architecture: the architecture of all networks.
        rows: float32 [N, K], their weights; not copied, and may be changed in place.
        side: side of the square boards; needed for more than one step, where
            P = side · side · boards.
    """

    def __init__(self, architecture: Architecture, rows: Tensor, side: int) -> None:
        self.rows, self._side = rows, side
        self._layers = list(architecture.parts(rows))
        self._gradient = torch.empty_like(rows)
        self._slots = list(architecture.parts(self._gradient))

    def logits(self, patches: Tensor) -> Tensor:
        """The outputs [N, P] before the sigmoid, above 0 for alive, given `patches` [9, P]."""
        return self._forward(patches)[-1][:, 0]

    def gradient(self, patches: Tensor, target: Tensor, share: Tensor | float) -> Tensor:
        """The gradient [N, K] of the binary cross-entropy; the next call overwrites it.

        Args:
            patches: float32 [9, P], the 3×3 neighbourhood of each cell.
            target: float32 [P], 1 if the cell is alive n steps later.
            share: weight of each cell in the mean, [P] or one number; the weights sum to 1.
        """
        values = self._forward(patches)
        delta = values[-1].sigmoid_().sub_(target).mul_(share)
        last = len(self._layers) - 1
        for index in range(last, 0, -1):
            (into_kernel, into_bias), inputs = self._slots[index], values[index]
            torch.sum(delta, dim=2, keepdim=True, out=into_bias)
            # Without out=, which is slow for a tensor that is not contiguous.
            into_kernel.copy_(torch.bmm(delta, inputs.transpose(1, 2)))
            delta = torch.bmm(self._layers[index][0].transpose(1, 2), delta)
            if index % 2 == 0 and index < last:
                # The input of a 3×3 convolution holds neighbourhoods of the previous output.
                delta, inputs = from_patches(delta, self._side), centres(inputs)
            delta = torch.ops.aten.threshold_backward(delta, inputs, 0)
        into_kernel, into_bias = self._slots[0]
        torch.sum(delta, dim=2, keepdim=True, out=into_bias)
        products = torch.mm(delta.view(-1, delta.shape[2]), patches.t())
        into_kernel.copy_(products.view_as(into_kernel))
        return self._gradient

    def _forward(self, patches: Tensor) -> list[Tensor]:
        """The inputs of each layer, after ReLU, and the outputs [N, 1, P]."""
        (kernel, bias), *rest = self._layers
        first = torch.mm(kernel.reshape(-1, 9), patches)
        values = [patches, first.view(len(kernel), -1, first.shape[1]).add_(bias).relu_()]
        for index, (kernel, bias) in enumerate(rest, start=1):
            last = index == len(rest)
            if index % 2 == 0 and not last:
                values[index] = to_patches(values[index], self._side)
            outputs = torch.baddbmm(bias, kernel, values[index])
            values.append(outputs if last else outputs.relu_())
        return values


def to_patches(values: Tensor, side: int) -> Tensor:
    """The 3×3 neighbourhoods on a torus: [N, C, P] → [N, C · 9, P]."""
    networks, channels, cells = values.shape
    board = values.view(networks, channels, side, side, -1)
    padded = torch.cat([board[:, :, -1:], board, board[:, :, :1]], dim=2)
    padded = torch.cat([padded[:, :, :, -1:], padded, padded[:, :, :, :1]], dim=3)
    windows = padded.unfold(2, side, 1).unfold(3, side, 1)  # [N, C, 3, 3, boards, side, side]
    return windows.permute(0, 1, 2, 3, 5, 6, 4).reshape(networks, channels * 9, cells)


def from_patches(values: Tensor, side: int) -> Tensor:
    """The transpose of `to_patches`: [N, C · 9, P] → [N, C, P], sums over neighbourhoods."""
    networks, inputs, cells = values.shape
    windows = values.view(networks, inputs // 9, 3, 3, side, side, -1)
    boards = windows.shape[-1]
    padded = values.new_zeros(networks, inputs // 9, side + 2, side + 2, boards)
    for row in range(3):
        for column in range(3):
            place = padded[:, :, row : row + side, column : column + side]
            place += windows[:, :, row, column]
    padded[:, :, side] += padded[:, :, 0]
    padded[:, :, 1] += padded[:, :, side + 1]
    padded[:, :, :, side] += padded[:, :, :, 0]
    padded[:, :, :, 1] += padded[:, :, :, side + 1]
    return padded[:, :, 1:-1, 1:-1].reshape(networks, inputs // 9, cells)


def centres(patches: Tensor) -> Tensor:
    """The central cells of neighbourhoods: [N, C · 9, P] → [N, C, P]."""
    return patches[:, 4::9]
