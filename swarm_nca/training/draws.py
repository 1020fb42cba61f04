"""Draws for training: an ordinary generator, seeded anew for every iteration.

Training needs no world to be reproducible in other company, only the whole run; so it takes the
cheaper draws, and an iteration's depend on (seed, iteration) alone, which is what makes resuming
exact. A GPU makes those of a rollout itself; they differ from a CPU's.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from swarm_nca.randomness import TABLE_SIZE, Stream, normal_rows, threshold, words
from swarm_nca.rules import Rule

#: In the place of an iteration: the draw of which pictures are held out.
SPLIT = -1


def generator_of(seed: int, iteration: int) -> torch.Generator:
    """The generator of one iteration: 0 before the first, `SPLIT` before all.

    On a CPU torch uses the lower 32 bits of a generator's seed only, so the seed decides where in
    them the iterations begin to count: no two iterations of one run share a generator.
    """
    return torch.Generator().manual_seed((_beginning(seed) + iteration) % (1 << 32))


@cache
def _beginning(seed: int) -> int:
    """Where in the generators' seeds the iterations of a run begin to count."""
    zero = torch.zeros(1, dtype=torch.int64)
    return int(words(seed, zero, zero, zero, Stream.TRAINING)[0])


class GeneratorDraws:
    """The draws of N rows over one rollout, as a step asks for them in order."""

    def __init__(self, generator: torch.Generator, rows: int) -> None:
        self._generator, self._rows = generator, rows

    def word(self, t: int, stream: int) -> Tensor:
        """int64 [N] in [0, 2³²)."""
        return torch.randint(1 << 32, (self._rows,), generator=self._generator)

    def fires(self, t: int, rate: float) -> Tensor:
        """int64 [M], the rows that fire, ascending."""
        return (self.word(t, 0) < threshold(rate)).nonzero().view(-1)

    def normals(self, t: int, rows: Tensor, channels: int, dtype: torch.dtype) -> Tensor:
        """[M, channels] standard normal deviates."""
        offsets = torch.randint(TABLE_SIZE, (len(rows),), generator=self._generator)
        return normal_rows(offsets, channels, dtype)


def masks(
    generator: torch.Generator, steps: int, rule: Rule, like: Tensor
) -> tuple[Tensor, Tensor]:
    """The draws of a whole rollout at once, made on the device of a state.

    Args:
        generator: gives the seed of the device's own generator.
        steps: T.
        rule: whose rates count.
        like: [N, C], the state to roll out.

    Returns:
        fires: bool [T, N], who acts in each step.
        jolts: [T, N, C], the noise of those who act.
    """
    seed = int(torch.randint(1 << 62, (), generator=generator))
    there = torch.Generator(like.device).manual_seed(seed)
    drawn = torch.rand(steps, len(like), generator=there, device=like.device)
    shape = (steps, *like.shape)
    jolts = torch.randn(shape, generator=there, dtype=like.dtype, device=like.device)
    return drawn < rule.fire_rate, jolts.mul_(rule.noise)
