"""Trains the networks of one cell of the table together; returns which of them learned.

All networks of a cell get the same batches; they differ in their initial weights. A network leaves
the computation when it makes no mistake on the evaluation set, or when it cannot change any more:
all its weights except the last bias stayed the same over a round of batches, because its ReLUs are
0 everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from swarm_nca.studies.life_boards import Batch, Boards
from swarm_nca.studies.life_networks import (
    Architecture,
    Networks,
    Start,
)

#: Streams of random numbers, besides the initial weights.
_BATCHES, _EXAM, _PROBE = 101, 102, 103

#: Boards tested before the evaluation set, on which most networks already fail.
_PROBED = 64

#: Networks that are evaluated together.
_EXAMINED = 4


@dataclass(frozen=True)
class Protocol:
    """Settings of the training and evaluation of networks.

    Args:
        examples: maximum number of boards per network.
        batch: boards in a batch.
        side: side of the square boards.
        density: share of live cells; None draws one for each board, uniformly from 0 to 1.
        start: distribution of the initial weights.
        rate: Adam's learning rate.
        round: batches between two evaluations.
        eval_set: boards of the evaluation set for more than one step.
        seed: seed of all draws.

    Raises:
        ValueError: a number outside its bounds.
    """

    examples: int = 1_000_000
    batch: int = 8
    side: int = 8
    density: float | None = None
    start: Start = "normal"
    rate: float = 1e-3
    round: int = 250
    eval_set: int = 4_096
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("examples", "batch", "round", "eval_set"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not self.rate > 0:
            raise ValueError(f"the learning rate must be above 0, got {self.rate}")
        if self.seed < 0:
            raise ValueError(f"the seed must be at least 0, got {self.seed}")

    def boards(self, steps: int) -> Boards:
        """The source of boards for networks that predict `steps` steps."""
        return Boards(steps, self.side, self.density)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a network's training.

    Attributes:
        examples: boards seen until the first evaluation without a mistake; None if there is none.
        dead: whether training stopped because the network could not change any more.
    """

    examples: int | None
    dead: bool


class Adam:
    """Adam (Kingma and Ba 2015) on rows of weights [N, K]; rows can be removed between steps."""

    def __init__(self, rows: Tensor, rate: float) -> None:
        self.rows, self._rate, self._steps = rows, rate, 0
        self._first, self._second = torch.zeros_like(rows), torch.zeros_like(rows)

    def step(self, gradient: Tensor) -> None:
        """Update the weights by one step, in place."""
        self._steps += 1
        self._first.mul_(0.9).add_(gradient, alpha=0.1)
        self._second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        scale = (1 - 0.999**self._steps) ** 0.5
        divisor = self._second.sqrt().div_(scale).add_(1e-8)
        self.rows.addcdiv_(self._first, divisor, value=-self._rate / (1 - 0.9**self._steps))

    def keep(self, which: Tensor) -> None:
        """Keep only these rows, given as int64 indices."""
        self.rows = self.rows[which]
        self._first, self._second = self._first[which], self._second[which]


def train(
    architecture: Architecture,
    rows: Tensor,
    protocol: Protocol,
    stream: int = 0,
    tell: Callable[[int, int, int], None] | None = None,
) -> list[Outcome]:
    """Train networks from initial weights [N, K]; returns one outcome for each.

    Args:
        stream: stream of the batches; equal numbers give equal batches.
        tell: called after each round with examples seen, networks that learned, networks left.
    """
    boards, seed = protocol.boards(architecture.steps), protocol.seed
    source = np.random.default_rng([seed, architecture.steps, _BATCHES, stream])
    probe, eval_set = (
        boards.eval_set(np.random.default_rng([seed, architecture.steps, what]), size)
        for what, size in ((_PROBE, min(_PROBED, protocol.eval_set)), (_EXAM, protocol.eval_set))
    )
    outcomes: dict[int, Outcome] = {}
    left = torch.arange(len(rows))
    adam = Adam(rows.clone(), protocol.rate)
    batches, seen = -(-protocol.examples // protocol.batch), 0
    with torch.no_grad():
        while len(left) and seen < batches:
            count = min(protocol.round, batches - seen)
            before = adam.rows.clone()
            networks = Networks(architecture, adam.rows, protocol.side)
            for batch in boards.batches(source, protocol.batch, count):
                adam.step(networks.gradient(batch.patches, batch.target, batch.share))
            seen += count
            learned = flawless(architecture, adam.rows, (probe, eval_set), protocol.side)
            dead = (before[:, :-1] == adam.rows[:, :-1]).all(dim=1) & ~learned
            examples = seen * protocol.batch
            for number in left[learned].tolist():
                outcomes[number] = Outcome(examples, dead=False)
            for number in left[dead].tolist():
                outcomes[number] = Outcome(None, dead=True)
            stay = (~(learned | dead)).nonzero().view(-1)
            left = left[stay]
            adam.keep(stay)
            if tell is not None:
                successes = sum(outcome.examples is not None for outcome in outcomes.values())
                tell(examples, successes, len(left))
    return [outcomes.get(number, Outcome(None, False)) for number in range(len(rows))]


def flawless(architecture: Architecture, rows: Tensor, exams: Sequence[Batch], side: int) -> Tensor:
    """bool [N]: whether networks [N, K] make no mistake on any of the evaluation sets."""
    right = torch.ones(len(rows), dtype=torch.bool)
    for eval_set in exams:
        alive = eval_set.target > 0.5
        candidates = right.nonzero().view(-1)
        for begin in range(0, len(candidates), _EXAMINED):
            part = candidates[begin : begin + _EXAMINED]
            answers = Networks(architecture, rows[part], side).logits(eval_set.patches)
            right[part] = ((answers > 0) == alive).all(dim=1)
    return right
