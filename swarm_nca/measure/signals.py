"""Signals of a swarm about its own answer: what its cells do, without a label.

A signal gives every picture a trust value; `trust` measures how well it separates right answers
from wrong ones. To add a signal, write a function from `Conduct` to [P], larger for more trust, and
a line in `SIGNALS`.

Letters: P pictures, N cells of all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from swarm_nca.engine import rollout
from swarm_nca.measure.cell_stats import CellStats, decisions
from swarm_nca.measure.metrics import steps_to_agreement
from swarm_nca.measure.trust import aurc, auroc, coverage_at, risks
from swarm_nca.measure.vote_counts import VoteCounts
from swarm_nca.perturbations import Noise
from swarm_nca.rules import Rule

#: The last steps, over which flips are averaged.
LATE = 20

#: Standard deviation of the noise that is added to all states after the last step, and the steps
#: until the decisions are compared with those before it.
JOLT, AFTERWARDS = 1.0, 40


@dataclass(frozen=True, eq=False)
class Conduct:
    """What the swarms of P pictures do, up to their last step and shortly after.

    Attributes:
        last: decisions at the last step.
        flips: float64 [P], the share of cells that change from class to class in a step, mean of
            the measured steps among the last `LATE`.
        settled: int64 [P], see `steps_to_agreement`; counted in measured steps, −1 for never. A
            swarm without a decided cell does not agree here.
        moved: float64 [P], the share of cells that decide otherwise after a jolt.
        certainty: float64 [P], the mean difference of each cell's two highest class channels.
        strength: float64 [P], the mean of a class channel over all cells and measured steps, that
            of the class where it is largest.
    """

    last: VoteCounts
    flips: Tensor
    settled: Tensor
    moved: Tensor
    certainty: Tensor
    strength: Tensor

    @staticmethod
    def joined(parts: Sequence[Conduct]) -> Conduct:
        """The pictures of several batches, one after another."""
        return Conduct(
            VoteCounts.joined([part.last for part in parts]),
            *(
                torch.cat([getattr(part, name) for part in parts])
                for name in ("flips", "settled", "moved", "certainty", "strength")
            ),
        )


class Watcher:
    """Collects the conduct of swarms during an evaluation of the protocol `fresh`.

    Give it to `evaluate` as `watch`. It jolts a copy of the worlds after their last step.

    Args:
        rule: the rule that is evaluated.
        steps: the last step.
        seed: seed of the jolt and of the steps after it.
    """

    def __init__(self, rule: Rule, steps: int, seed: int = 0) -> None:
        self._rule, self._steps, self._seed = rule, steps, seed
        self._agrees: list[Tensor] = []
        self._flips: list[Tensor] = []
        self._strengths: Tensor | float = 0.0  # sum over steps
        self._parts: list[Conduct] = []

    def __call__(self, step: int, stats: CellStats) -> None:
        """Look at the statistics of one batch after a step."""
        self._agrees.append((stats.agrees & (stats.decided > 0)).cpu())
        self._strengths = stats.strengths.cpu() + self._strengths
        if step > self._steps - LATE and stats.flips is not None:
            self._flips.append(_over(stats.flips, stats.cells).cpu())
        if step == self._steps:
            self._parts.append(
                Conduct(
                    stats.counted(),
                    torch.stack(self._flips).mean(0),
                    steps_to_agreement(torch.stack(self._agrees)),
                    moved_by_a_jolt(stats, self._seed).cpu(),
                    certainty(stats).cpu(),
                    self._strengths.amax(1) / len(self._agrees),
                )
            )
            self._agrees, self._flips, self._strengths = [], [], 0.0

    @property
    def conduct(self) -> Conduct:
        """The conduct of all pictures, in order."""
        return Conduct.joined(self._parts)


def moved_by_a_jolt(stats: CellStats, seed: int = 0) -> Tensor:
    """float64 [B], the share of cells that decide otherwise `AFTERWARDS` steps after a jolt."""
    jolted = Noise(strength=JOLT)(stats.world, seed)
    later = decisions(rollout(jolted, stats.rule, AFTERWARDS, seed), stats.rule)
    return _over(stats.sums(later != stats.decision), stats.cells)


def certainty(stats: CellStats) -> Tensor:
    """float64 [B], the mean over cells of the highest minus the second highest class channel."""
    first, second = stats.rule.logits(stats.world.state.detach()).topk(2, dim=1)[0].unbind(1)
    return _over(stats.sums((first - second).nan_to_num(0.0)), stats.cells)


#: A function from the conduct to [P], larger for more trust.
Signal: TypeAlias = Callable[[Conduct], Tensor]


def _agreement(seen: Conduct) -> Tensor:
    return _over(seen.last.votes.amax(dim=1), seen.last.decided)


def _margin(seen: Conduct) -> Tensor:
    first, second = seen.last.votes.topk(2, dim=1)[0].unbind(1)
    return _over(first - second, seen.last.cells)


def _decided(seen: Conduct) -> Tensor:
    return _over(seen.last.decided, seen.last.cells)


def _steadiness(seen: Conduct) -> Tensor:
    return -seen.flips


def _speed(seen: Conduct) -> Tensor:
    return torch.where(seen.settled < 0, -torch.inf, -seen.settled.double())


def _firmness(seen: Conduct) -> Tensor:
    return -seen.moved


def _certainty(seen: Conduct) -> Tensor:
    return seen.certainty


def _strength(seen: Conduct) -> Tensor:
    return seen.strength


#: Every signal, by what it is made of.
SIGNALS: Mapping[str, Signal] = {
    "agreement": _agreement,
    "margin of the vote": _margin,
    "undecided share": _decided,
    "flips per step": _steadiness,
    "steps to agreement": _speed,
    "change after a jolt": _firmness,
    "margin of the channels": _certainty,
    "strength over time": _strength,
}


@dataclass(frozen=True)
class Trust:
    """How well one signal separates right pictures from wrong ones.

    Attributes:
        signal: its name in `SIGNALS`.
        auroc, aurc: see `trust`.
        coverage: the largest share of pictures that can be answered at a risk of 1 %.
    """

    signal: str
    auroc: float
    aurc: float
    coverage: float


def errors(votes: VoteCounts) -> Tensor:
    """bool [P], the pictures whose vote is wrong; any vote is wrong for an unknown label."""
    return (votes.majority != votes.label) | ~votes.labelled


def trusts(seen: Conduct) -> list[Trust]:
    """Every signal, the highest AUROC first (the lowest AURC if AUROC is not defined)."""
    wrong, found = errors(seen.last), []
    for name, signal in SIGNALS.items():
        trust = signal(seen)
        found.append(
            Trust(name, auroc(trust, wrong), aurc(trust, wrong), coverage_at(trust, wrong, 0.01))
        )
    return sorted(found, key=lambda one: (0.0 if math.isnan(one.auroc) else -one.auroc, one.aurc))


def as_json(seen: Conduct) -> dict[str, Any]:
    """The areas of every signal, and the best one's risk at 100 coverages, as plain data."""
    wrong, found = errors(seen.last), trusts(seen)
    best = risks(SIGNALS[found[0].signal](seen), wrong)
    shares = torch.linspace(0.01, 1.0, 100, dtype=torch.float64)
    rows = (shares * len(wrong)).ceil().long().clamp(min=1) - 1
    return {
        "wrong": float(wrong.double().mean()),
        "signals": [
            {**asdict(one), "auroc": None if math.isnan(one.auroc) else one.auroc} for one in found
        ],
        "coverage": ((rows + 1) / len(wrong)).tolist(),
        "risk": best[rows].tolist(),
    }


def _over(part: Tensor, whole: Tensor) -> Tensor:
    """float64 [P], part / whole, 0 where there is nothing."""
    return part.double() / whole.double().clamp(min=1.0)
