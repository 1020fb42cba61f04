"""Counter-based random numbers: every draw is a pure function of its position in the run.

A draw depends on the seed, the key of the world, the site of the cell, the step and the stream, and
on nothing else. A world therefore behaves the same alone, in any batch, on any number of threads,
and after a pause. The generator is Philox-4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random
numbers: as easy as 1, 2, 3", SC 2011). One block of four 32-bit words serves four successive steps.
"""

from __future__ import annotations

from abc import abstractmethod
from enum import IntEnum
from functools import cache
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from swarm_nca.arguments import whole
from swarm_nca.threads import on_threads

_WORD = 0xFFFFFFFF
_HALF = 1 << 31
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10

#: The last step: a 32-bit word counts blocks of four steps.
MOST_STEPS = (1 << 34) - 1

#: Counters computed at once on a CPU; they fit into the second-level cache. On a GPU a call on few
#: counters takes as long as one on many.
_CHUNK, _GPU_CHUNK = 16_384, 1 << 20

#: Normal deviates in the fixed table, and the longest row that `normal_rows` reads.
TABLE_SIZE = 1 << 20
LONGEST_ROW = 256


class Stream(IntEnum):
    """The purpose of a draw. Different purposes at one (seed, key, site, step) differ in stream.

    LOSS and DELAY use one stream per neighbour slot, such as LOSS + slot; CHOICE uses one per kind
    of choice, up to LOSS.
    """

    FIRE = 0
    NOISE = 1
    START = 2
    PERTURBATION = 3
    TRAINING = 4
    LIE = 5
    CHOICE = 6
    LOSS = 16
    DELAY = 1 << 20


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[int, int]) -> tuple[Any, Any, Any, Any]:
    """Philox-4x32-10 on whole arrays.

    Args:
        counter: four words in [0, 2³²), as numpy uint64 or torch int64 arrays of one shape.
        key: two words in [0, 2³²).

    Returns:
        Four arrays of words in [0, 2³²), of the counters' dtype and shape.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        # In place, as far as the arrays are new: half the time.
        p0, p1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        high0, high1 = p0 >> 32, p1 >> 32
        if isinstance(c0, Tensor):  # int64: a right shift keeps the sign
            high0 &= _WORD
            high1 &= _WORD
        high1 ^= c1
        high1 ^= k0
        high0 ^= c3
        high0 ^= k1
        p0 &= _WORD
        p1 &= _WORD
        c0, c1, c2, c3 = high1, p1, high0, p0
        k0, k1 = (k0 + _WEYL[0]) & _WORD, (k1 + _WEYL[1]) & _WORD
    return c0, c1, c2, c3


def words(
    seed: int, key: Tensor, site: Tensor, block: Tensor, stream: int, threads: int = 1
) -> Tensor:
    """The four words of one block, for steps 4·block, …, 4·block + 3.

    Args:
        seed: seed of the run, in [0, 2⁶⁴).
        key, site, block: int64 tensors that broadcast together, each in [0, 2³²).
        stream: see `Stream`.
        threads: the most that compute them, on a CPU.

    Returns:
        int64 [4, …] with values in [0, 2³²), on the counters' device.
    """
    return _unsigned(_signed(seed, key, site, block, stream, threads))


def _signed(
    seed: int, key: Tensor, site: Tensor, block: Tensor, stream: int, threads: int
) -> Tensor:
    """int32 [4, …]: `words` less 2³¹, in half the memory and the same order."""
    halves = (seed & _WORD, (seed >> 32) & _WORD)
    counters: list[Tensor] = torch.broadcast_tensors(key, site, block)  # type: ignore[no-untyped-call]
    key, site, block = counters
    if site.device.type != "cpu":
        stream_words = torch.full_like(site, stream)
        unsigned = torch.stack(philox((site, key, block, stream_words), halves))
        return (unsigned - _HALF).to(torch.int32)
    out = np.empty((4, site.numel()), dtype=np.int32)
    columns = [t.reshape(-1).numpy().view(np.uint64) for t in (site, key, block)]

    def fill(_: int, piece: int) -> None:
        part = slice(_CHUNK * piece, _CHUNK * (piece + 1))
        site_part, key_part, block_part = (column[part] for column in columns)
        counter = (site_part, key_part, block_part, np.full_like(site_part, stream))
        for lane, word in enumerate(philox(counter, halves)):
            out[lane, part] = word.view(np.int64) - _HALF

    on_threads(fill, -(-site.numel() // _CHUNK), threads)
    return torch.from_numpy(out).reshape(4, *site.shape)


def _unsigned(signed: Tensor) -> Tensor:
    """int64, in [0, 2³²), of words less 2³¹."""
    return signed.to(torch.int64) + _HALF


def check_seed(seed: int) -> int:
    """The seed as a plain int; raises a ValueError unless it is whole and in [0, 2⁶⁴)."""
    return whole("seed", seed, 0, (1 << 64) - 1)


def threshold(rate: float) -> int:
    """The integer that a word is below with probability `rate`; the same on every device."""
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"a rate must lie between 0 and 1, got {rate}")
    return round(rate * (1 << 32))


class StepDraws(Protocol):
    """Random numbers of a step, from counters (`Draws`) or from an ordinary generator."""

    @abstractmethod
    def word(self, t: int, stream: int) -> Tensor:
        """int64 [N] in [0, 2³²)."""

    def word_of(self, t: int, stream: int, rows: Tensor) -> Tensor:
        """int64 [M] in [0, 2³²), the words of some rows."""
        return self.word(t, stream).index_select(0, rows)

    def firing(self, t: int, rate: float) -> Tensor:
        """bool [N], whether each row fires."""
        return self.word(t, Stream.FIRE) < threshold(rate)

    def fires(self, t: int, rate: float) -> Tensor:
        """int64 [M], the rows that fire, ascending."""
        return self.firing(t, rate).nonzero().view(-1)

    @abstractmethod
    def offsets(self, t: int, rows: Tensor) -> Tensor:
        """int64 [M]: where the deviates of these rows begin in `normal_table`.

        The rows are ascending. Draws of a generator serve only rows that fire at this step; those
        of counters serve all.
        """

    def normals(self, t: int, rows: Tensor, channels: int, dtype: torch.dtype) -> Tensor:
        """[M, channels] standard normal deviates for these rows at this step."""
        return normal_rows(self.offsets(t, rows), channels, dtype)


class Draws(StepDraws):
    """Random words of one run for fixed rows; caches the next few steps.

    Args:
        seed: seed of the run.
        key: int64 [N], key of each row's world.
        site: int64 [N], site of each row in its world.
        step: int64 [N], present step of each row's world; `word(t, …)` is the draw at step + t.
    """

    def __init__(self, seed: int, key: Tensor, site: Tensor, step: Tensor) -> None:
        self._seed, self._key, self._site = check_seed(seed), key, site
        aligned = bool((step == step[0]).all()) if len(step) else True
        # If all worlds are at the same step, the rows share blocks.
        self._step: int | Tensor = int(step[0]) if aligned and len(step) else step
        room = _CHUNK if site.is_cpu else _GPU_CHUNK
        self._ahead = max(1, min(32, room // max(1, len(site))))
        self._threads = torch.get_num_threads()
        self._kept: dict[int, tuple[int, Tensor]] = {}  # by stream: first block, words
        self._last: dict[int, tuple[int, Tensor]] = {}  # by stream: t, words; for other steps

    def word(self, t: int, stream: int) -> Tensor:
        """int64 [N] in [0, 2³²): the word of each row `t` steps after the start."""
        return _unsigned(self._signed(t, stream))

    def word_of(self, t: int, stream: int, rows: Tensor) -> Tensor:
        """int64 [M] in [0, 2³²), the words of some rows; others are not converted."""
        return _unsigned(self._signed(t, stream).index_select(0, rows))

    def firing(self, t: int, rate: float) -> Tensor:
        """bool [N]: whether each row fires at this step."""
        limit = threshold(rate)
        if limit > _WORD:
            return torch.ones_like(self._site, dtype=torch.bool)
        return self._signed(t, Stream.FIRE) < limit - _HALF

    def offsets(self, t: int, rows: Tensor) -> Tensor:
        """int64 [M]: where the deviates of these rows at this step begin in `normal_table`."""
        return self.word_of(t, Stream.NOISE, rows) >> 12

    def _signed(self, t: int, stream: int) -> Tensor:
        """int32 [N]: `word` less 2³¹."""
        if isinstance(self._step, Tensor):
            if self._last.get(stream, (None,))[0] != t:
                step = self._step + t
                places = self._key, self._site, step // 4
                blocks = _signed(self._seed, *places, stream, self._threads)
                self._last[stream] = t, blocks.gather(0, (step % 4)[None])[0]
            return self._last[stream][1]
        block, lane = divmod(self._step + t, 4)
        first, kept = self._kept.get(stream, (block + 1, torch.empty(0)))
        if not first <= block < first + len(kept):
            ahead = torch.arange(block, block + self._ahead, device=self._site.device)
            places = self._key[None], self._site[None], ahead[:, None]
            fresh = _signed(self._seed, *places, stream, self._threads)
            first, kept = self._kept[stream] = (block, fresh.transpose(0, 1))
        return kept[block - first, lane]


def normal_rows(offsets: Tensor, length: int, dtype: torch.dtype) -> Tensor:
    """[M, length] normal deviates: slices of a fixed table, which start at the offsets.

    Offsets are in [0, 2²⁰). Two rows overlap with a probability of about 2·length / 2²⁰, which has
    no visible effect on a swarm. Reading the table takes a tenth of the time of new deviates.
    """
    table = table_for(length, dtype, offsets.device)
    return table.unfold(0, length, 1).index_select(0, offsets)


def table_for(length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The table of deviates for rows of this length.

    Raises:
        ValueError: rows longer than the end of the table repeats.
    """
    if length > LONGEST_ROW:
        raise ValueError(f"noise serves at most {LONGEST_ROW} channels, got {length}")
    return normal_table(dtype, device)


@cache
def normal_table(dtype: torch.dtype, device: torch.device) -> Tensor:
    """[TABLE_SIZE + LONGEST_ROW] fixed deviates (Box–Muller); the end repeats the beginning."""
    index = torch.arange(TABLE_SIZE // 4)
    zero = torch.zeros(1, dtype=torch.int64)
    block = words(0x5EED, zero, index, zero, 0xFFFF).numpy()
    uniform = (block + 0.5) / 2.0**32
    radius, angle = np.sqrt(-2.0 * np.log(uniform[:2])), 2.0 * np.pi * uniform[2:]
    deviates = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)]).reshape(-1)
    table = torch.from_numpy(np.concatenate([deviates, deviates[:LONGEST_ROW]]))
    # Rounded to float32 first, so that every dtype gets the same deviates.
    return table.to(torch.float32).to(dtype=dtype, device=device)
