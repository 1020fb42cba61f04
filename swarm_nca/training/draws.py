"""Draws for training: an ordinary generator, seeded for every iteration.

In training the whole run must be reproducible, but not each world in other batches, so cheaper
draws suffice. The draws of an iteration depend only on (seed, iteration), so resuming is exact. A
GPU makes the draws of a rollout itself; they differ from a CPU's.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from swarm_nca.randomness import TABLE_SIZE, StepDraws, Stream, words
from swarm_nca.rules import Rule

#: Used as iterations: the draw of the held-out pictures, and those of worlds that weights are
#: rounded for.
SPLIT, ROUNDING = -1, -2


def generator_of(seed: int, iteration: int) -> torch.Generator:
    """The generator of an iteration; 0 is for the start of a run, `SPLIT` for held-out pictures.

    On a CPU torch uses only the lower 32 bits of a generator's seed. The run's seed gives an offset
    in these, to which the iteration is added, so all iterations of a run have different generators.
    """
    return torch.Generator().manual_seed((_offset(seed) + iteration) % (1 << 32))


@cache
def _offset(seed: int) -> int:
    """The generator seed to which a run's iterations are added."""
    zero = torch.zeros(1, dtype=torch.int64)
    return int(words(seed, zero, zero, zero, Stream.TRAINING)[0])


class GeneratorDraws(StepDraws):
    """The draws of N rows over one rollout, made in the order of the calls."""

    def __init__(self, generator: torch.Generator, rows: int) -> None:
        self._generator, self._rows = generator, rows
        self._fired: dict[int, Tensor] = {}

    def word(self, t: int, stream: int) -> Tensor:
        """int64 [N] in [0, 2³²)."""
        return torch.randint(1 << 32, (self._rows,), generator=self._generator)

    def fires(self, t: int, rate: float) -> Tensor:
        """int64 [M], the rows that fire, ascending."""
        fired = self._fired[t] = super().fires(t, rate)
        return fired

    def offsets(self, t: int, rows: Tensor) -> Tensor:
        """int64 [M]: where the deviates of these rows begin in the table.

        All rows that fire get a draw, so that several processes draw the same for each row.
        """
        fired = self._fired.get(t, rows)
        drawn = torch.randint(TABLE_SIZE, (len(fired),), generator=self._generator)
        return drawn if len(fired) == len(rows) else drawn[torch.searchsorted(fired, rows)]


def masks(
    generator: torch.Generator, steps: int, rule: Rule, like: Tensor
) -> tuple[Tensor, Tensor]:
    """The draws of a whole rollout at once, made on the device of a state.

    Args:
        generator: draws the seed of the device's generator.
        steps: T.
        rule: gives fire rate and noise.
        like: [N, C], the state to roll out.

    Returns:
        fires: bool [T, N], the cells that fire in each step.
        noise: [T, N, C], the noise of each step.
    """
    seed = int(torch.randint(1 << 62, (), generator=generator))
    on_device = torch.Generator(like.device).manual_seed(seed)
    drawn = torch.rand(steps, len(like), generator=on_device, device=like.device)
    shape = (steps, *like.shape)
    noise = torch.randn(shape, generator=on_device, dtype=like.dtype, device=like.device)
    return drawn < rule.fire_rate, noise.mul_(rule.noise)
