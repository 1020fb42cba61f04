"""The same automaton as a dense convolution: every pixel computed, the living and firing kept.

This is how such rules are usually run: a 3×3 convolution with zero padding and two 1×1 ones over
the whole picture, then a mask. It draws what the engine draws, so both give the same trajectory: a
yardstick of speed and an independent oracle at once. Channels lie last in memory, which halves the
convolutions' time on a CPU.

Letters: B pictures of H×W pixels, C state channels, N living cells.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from swarm_nca.engine import check_fit, draws_of
from swarm_nca.links import Links
from swarm_nca.rules import Rule
from swarm_nca.topologies import Grid
from swarm_nca.world import World


class Dense:
    """Pictures of one size under a rule, stepped as a whole.

    Args:
        world: its pictures and states are where it starts; never changed.
        rule: gradients flow to its weights where grad mode is on.
        seed, fire_rate, noise: as for `engine.rollout`.

    Raises:
        ValueError: pictures of several sizes, a grid other than Moore's without a torus, links that
            lose messages, or a rule that does not fit.
    """

    def __init__(
        self,
        world: World,
        rule: Rule,
        seed: int = 0,
        *,
        fire_rate: float | None = None,
        noise: float | None = None,
    ) -> None:
        check_fit(world, rule)
        canvas = world.canvas
        sizes = set(zip(canvas.height.tolist(), canvas.width.tolist(), strict=True))
        if len(sizes) != 1 or canvas.grid != Grid() or world.links != Links():
            raise ValueError(
                "a dense convolution takes pictures of one size on the plain Moore grid with "
                f"perfect links, got sizes {sorted(sizes)}, {canvas.grid}, {world.links}"
            )
        (height, width) = sizes.pop()
        self._rule, self._draws, self._address = rule, draws_of(world, seed), world.address
        self._fire_rate = rule.fire_rate if fire_rate is None else fire_rate
        self._noise = rule.noise if noise is None else noise
        # Living cells' addresses are pixels of all pictures laid out row by row, channels last.
        self._shape = (len(world), height, width)
        self._grey = canvas.grey.view(*self._shape, 1).permute(0, 3, 1, 2)
        pixels = world.state.new_zeros(len(canvas.grey), rule.channels)
        self._pixels = pixels.index_copy(0, self._address, world.state)
        self.steps = 0

    @property
    def state(self) -> Tensor:
        """[N, C], what the living cells hold, in the order of the world's rows."""
        return self._pixels[self._address]

    def step(self) -> None:
        """Take one step."""
        fired = self._draws.fires(self.steps, self._fire_rate)
        pixel = self._address[fired]
        mask = self._pixels.new_zeros(len(self._pixels), 1).index_fill_(0, pixel, 1.0)
        change = self._change()
        if self._noise:
            normals = self._draws.normals(self.steps, fired, change.shape[1], change.dtype)
            change = change.index_add(0, pixel, normals, alpha=self._noise)
        self._pixels = torch.addcmul(self._pixels, change, mask)
        self.steps += 1

    def _change(self) -> Tensor:
        """[B·H·W, C], the rule's answer at every pixel, alive or dead."""
        rule, channels = self._rule, self._rule.channels
        units = rule.hidden[0]
        grey_part, state_part = rule.perception.tensor_split([rule.stimulus_size])
        kernel = torch.cat(
            [grey_part.view(9, 1, units), state_part.view(9, channels, units)], dim=1
        )
        states = self._pixels.view(*self._shape, channels).permute(0, 3, 1, 2)
        seen = torch.cat([self._grey, states], dim=1)
        first = functional.conv2d(
            seen,
            kernel.permute(2, 1, 0).reshape(units, 1 + channels, 3, 3),
            rule.perception_bias,
            padding=1,
        ).relu_()
        second = functional.conv2d(first, _pointwise(rule.middle), rule.middle_bias).relu_()
        change = functional.conv2d(second, _pointwise(rule.output), rule.output_bias)
        return change.permute(0, 2, 3, 1).reshape(-1, channels)


def _pointwise(weight: Tensor) -> Tensor:
    """A layer's weight [in, out] as the kernel of a 1×1 convolution [out, in, 1, 1]."""
    return weight.t()[:, :, None, None]
