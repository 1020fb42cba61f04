"""Counter-based draws: every random number is a pure function of where it is used.

A draw depends on (seed, the world's key, the cell's site, the step, the stream) and on nothing
else: there is no generator to be used up. So a world behaves the same alone, in any batch, on any
number of threads, and after a pause. The generator is Philox-4x32-10 (Salmon, Moraes, Dror and
Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011). One block of four 32-bit words
serves four successive steps.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from swarm_nca.arguments import whole

_WORD = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10

#: The last step: blocks of four steps are counted in words of 32 bits.
MOST_STEPS = (1 << 34) - 1

#: Counters worked on at once on a CPU: small enough for the second-level cache.
_CHUNK = 16_384

#: Normal deviates in the fixed table, and the longest row that can be read from any offset.
TABLE_SIZE = 1 << 20
LONGEST_ROW = 256


class Stream(IntEnum):
    """What a draw is for. Two uses of one (seed, key, site, step) never share a stream.

    LOSS takes one stream per neighbour slot: LOSS + slot. It must stay the last.
    """

    FIRE = 0
    NOISE = 1
    START = 2
    PERTURBATION = 3
    TRAINING = 4
    LOSS = 16


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[int, int]) -> tuple[Any, Any, Any, Any]:
    """Philox-4x32-10 on whole arrays.

    Args:
        counter: four words in [0, 2³²), as broadcastable numpy uint64 or torch int64 arrays.
        key: two words in [0, 2³²).

    Returns:
        Four arrays of words in [0, 2³²), of the counters' dtype and joint shape.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        # The mask after the shift serves int64, whose shift to the right keeps the sign.
        p0, p1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c2 = ((p1 >> 32) & _WORD) ^ c1 ^ k0, ((p0 >> 32) & _WORD) ^ c3 ^ k1
        c1, c3 = p1 & _WORD, p0 & _WORD
        k0, k1 = (k0 + _WEYL[0]) & _WORD, (k1 + _WEYL[1]) & _WORD
    return c0, c1, c2, c3


def words(seed: int, key: Tensor, site: Tensor, block: Tensor, stream: int) -> Tensor:
    """The four words of one block: those of steps 4·block, …, 4·block + 3.

    Args:
        seed: the run's seed, in [0, 2⁶⁴).
        key, site, block: int64 tensors that broadcast together, each in [0, 2³²).
        stream: see `Stream`.

    Returns:
        int64 [4, …] with values in [0, 2³²), on the counters' device.
    """
    halves = (seed & _WORD, (seed >> 32) & _WORD)
    counters: list[Tensor] = torch.broadcast_tensors(key, site, block)  # type: ignore[no-untyped-call]
    key, site, block = counters
    if site.device.type != "cpu":
        stream_words = torch.full_like(site, stream)
        return torch.stack(philox((site, key, block, stream_words), halves))
    out = np.empty((4, site.numel()), dtype=np.int64)
    columns = [t.reshape(-1).numpy().view(np.uint64) for t in (site, key, block)]
    for start in range(0, site.numel(), _CHUNK):
        part = slice(start, start + _CHUNK)
        site_part, key_part, block_part = (column[part] for column in columns)
        counter = (site_part, key_part, block_part, np.full_like(site_part, stream))
        for lane, word in enumerate(philox(counter, halves)):
            out[lane, part] = word
    return torch.from_numpy(out).reshape(4, *site.shape)


def check_seed(seed: int) -> int:
    """The seed as a plain int, if it is whole and in [0, 2⁶⁴); a ValueError otherwise."""
    return whole("seed", seed, 0, (1 << 64) - 1)


def threshold(rate: float) -> int:
    """The integer below which a word means "yes" with probability `rate`: devices decide alike."""
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"a rate must lie between 0 and 1, got {rate}")
    return round(rate * (1 << 32))


class StepDraws(Protocol):
    """What a step draws: from counters (`randomness.Draws`) or from an ordinary generator."""

    def word(self, t: int, stream: int) -> Tensor:
        """int64 [N] in [0, 2³²)."""

    def fires(self, t: int, rate: float) -> Tensor:
        """int64 [M], the rows that fire, ascending."""

    def normals(self, t: int, rows: Tensor, channels: int, dtype: torch.dtype) -> Tensor:
        """[M, channels] standard normal deviates."""


class Draws:
    """The words of one run for fixed rows: a window onto a pure function, some steps kept ahead.

    Args:
        seed: the run's seed.
        key: int64 [N], the key of each row's world.
        site: int64 [N], each row's site within its world.
        step: int64 [N], the step each row's world stands at; `word(t, …)` is the draw at step + t.
    """

    def __init__(self, seed: int, key: Tensor, site: Tensor, step: Tensor) -> None:
        self._seed, self._key, self._site = check_seed(seed), key, site
        aligned = bool((step == step[0]).all()) if len(step) else True
        # Rows whose worlds stand at one step share blocks; others take theirs row by row.
        self._step: int | Tensor = int(step[0]) if aligned and len(step) else step
        self._ahead = max(1, min(32, _CHUNK // max(1, len(site))))
        self._kept: dict[int, tuple[int, Tensor]] = {}  # by stream: first block, words

    def word(self, t: int, stream: int) -> Tensor:
        """int64 [N] in [0, 2³²): each row's word `t` steps from the start, for this stream."""
        if isinstance(self._step, Tensor):
            step = self._step + t
            own = words(self._seed, self._key, self._site, step // 4, stream)
            return own.gather(0, (step % 4)[None])[0]
        block, lane = divmod(self._step + t, 4)
        first, kept = self._kept.get(stream, (block + 1, torch.empty(0)))
        if not first <= block < first + len(kept):
            ahead = torch.arange(block, block + self._ahead, device=self._site.device)
            fresh = words(self._seed, self._key[None], self._site[None], ahead[:, None], stream)
            first, kept = self._kept[stream] = (block, fresh.transpose(0, 1))
        return kept[block - first, lane]

    def fires(self, t: int, rate: float) -> Tensor:
        """int64 [M]: the rows that fire at this step, ascending."""
        limit = threshold(rate)
        if rate == 1.0:
            return torch.arange(len(self._site), device=self._site.device)
        return (self.word(t, Stream.FIRE) < limit).nonzero().view(-1)

    def normals(self, t: int, rows: Tensor, channels: int, dtype: torch.dtype) -> Tensor:
        """[M, channels] standard normal deviates for these rows at this step."""
        offsets = self.word(t, Stream.NOISE).index_select(0, rows) >> 12
        return normal_rows(offsets, channels, dtype)


def normal_rows(offsets: Tensor, length: int, dtype: torch.dtype) -> Tensor:
    """[M, length] normal deviates: the stretches of the fixed table that begin at these offsets.

    Offsets lie in [0, 2²⁰). Two rows overlap with probability of about 2·length / 2²⁰, which no
    measure of a swarm notices, and which costs a tenth of making each deviate anew.
    """
    if length > LONGEST_ROW:
        raise ValueError(f"noise serves at most {LONGEST_ROW} channels, got {length}")
    table = _normal_table(dtype, offsets.device)
    return table.unfold(0, length, 1).index_select(0, offsets)


@cache
def _normal_table(dtype: torch.dtype, device: torch.device) -> Tensor:
    """[TABLE_SIZE + LONGEST_ROW] fixed deviates, the end repeating the beginning (Box–Muller)."""
    index = torch.arange(TABLE_SIZE // 4)
    zero = torch.zeros(1, dtype=torch.int64)
    block = words(0x5EED, zero, index, zero, 0xFFFF).numpy()
    uniform = (block + 0.5) / 2.0**32
    radius, angle = np.sqrt(-2.0 * np.log(uniform[:2])), 2.0 * np.pi * uniform[2:]
    deviates = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)]).reshape(-1)
    table = torch.from_numpy(np.concatenate([deviates, deviates[:LONGEST_ROW]]))
    # Rounded through float32 first, so that every dtype sees the same deviates.
    return table.to(torch.float32).to(dtype=dtype, device=device)
