"""The automaton as a dense convolution: computes every pixel, then masks living, firing cells.

Such rules are usually run this way: a 3×3 convolution with zero padding and two 1×1 ones over the
whole picture, then a mask. The draws are the engine's, so both give the same trajectory. The module
is a baseline of speed and an independent oracle.

Letters: B pictures of H×W pixels, C state channels, N living cells.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from swarm_nca.engine import check_fit, draws_of, ordinary, rates_of
from swarm_nca.rules import Rule
from swarm_nca.topologies import Grid
from swarm_nca.world import World


class Dense:
    """Steps pictures of one size with dense convolutions.

    Args:
        world: pictures and states at the start; not changed.
        rule: gradients flow to its weights if grad mode is on.
        seed, fire_rate, noise: as for `engine.rollout`.
        channels_last: whether channels are last in memory, instead of torch's default layout. On a
            CPU this halves the convolutions' time, so it is the stricter baseline.

    Raises:
        ValueError: pictures of several sizes, a grid that is not a Moore grid without torus, links
            that lose messages, or a rule that does not fit.
    """

    def __init__(
        self,
        world: World,
        rule: Rule,
        seed: int = 0,
        *,
        fire_rate: float | None = None,
        noise: float | None = None,
        channels_last: bool = False,
    ) -> None:
        check_fit(world, rule)
        canvas = world.canvas
        sizes = set(zip(canvas.height.tolist(), canvas.width.tolist(), strict=True))
        if len(sizes) != 1 or canvas.grid != Grid() or not ordinary(world):
            raise ValueError(
                "a dense convolution needs pictures of one size on the plain Moore grid with "
                f"perfect links and sound cells, got sizes {sorted(sizes)}, {canvas.grid}, "
                f"{world.links}"
            )
        (height, width) = sizes.pop()
        self._layers = rule.layers() or []
        if not self._layers:
            raise ValueError(
                f"a dense convolution needs a rule with layers(), {rule.kind!r} has none: use an "
                "mlp rule"
            )
        self._rule, self._draws, self._address = rule, draws_of(world, seed), world.address
        self._fire_rate, self._noise = rates_of(world, rule, fire_rate, noise)
        self._layout = torch.channels_last if channels_last else torch.contiguous_format
        self._grey = canvas.grey.view(len(world), 1, height, width)
        # Addresses of cells number the pixels of all pictures, row by row.
        rows = world.state.new_zeros(len(canvas.grey), rule.channels)
        self._states = self._pictures(rows.index_copy(0, self._address, world.state))
        self.steps = 0

    @property
    def state(self) -> Tensor:
        """[N, C], the states of the living cells, in the order of the world's rows."""
        rows = self._states.permute(0, 2, 3, 1).reshape(-1, self._rule.channels)
        return rows[self._address]

    def step(self) -> None:
        """Take one step."""
        fired = self._draws.fires(self.steps, self._fire_rate)
        pixel = self._address[fired]
        mask = torch.zeros_like(self._grey).view(-1).index_fill_(0, pixel, 1.0)
        change = self._change()
        if self._noise:
            normals = self._draws.normals(self.steps, fired, self._rule.channels, change.dtype)
            rows = normals.new_zeros(len(mask), self._rule.channels).index_copy_(0, pixel, normals)
            change = torch.add(change, self._pictures(rows), alpha=self._noise)
        self._states = torch.addcmul(self._states, change, mask.view_as(self._grey))
        self.steps += 1

    def _change(self) -> Tensor:
        """[B, C, H, W], the rule's change at every pixel, alive or dead."""
        rule, (first, *others) = self._rule, self._layers
        units = len(first.bias)
        grey_part, state_part = first.weight.tensor_split([rule.stimulus_size])
        parts = [state_part.view(9, rule.channels, units)]
        if rule.stimulus_size:
            parts.insert(0, grey_part.view(9, 1, units))
        kernel = torch.cat(parts, dim=1)
        kernel = kernel.permute(2, 1, 0).reshape(units, -1, 3, 3)
        inputs = self._states
        if rule.stimulus_size:
            inputs = torch.cat([self._grey, inputs], dim=1)
        inputs = inputs.contiguous(memory_format=self._layout)
        values = functional.conv2d(inputs, kernel, first.bias, padding=1)
        for layer in others:
            values = functional.conv2d(values.relu_(), _pointwise(layer.weight), layer.bias)
        return values

    def _pictures(self, rows: Tensor) -> Tensor:
        """[B·H·W, C] as [B, C, H, W], in the chosen memory layout."""
        worlds, _, height, width = self._grey.shape
        pictures = rows.view(worlds, height, width, -1).permute(0, 3, 1, 2)
        return pictures.contiguous(memory_format=self._layout)


def _pointwise(weight: Tensor) -> Tensor:
    """A layer's weight [in, out] as the kernel of a 1×1 convolution [out, in, 1, 1]."""
    return weight.t()[:, :, None, None]
