"""Averages the curves of several runs, with intervals over pictures and over seeds.

A score is the mean of the runs with two separate ranges: the 95 % interval over pictures, for
shares of pictures and for cell accuracy (for several runs on the same pictures, the mean of their
bounds); and the spread over seeds, from the lowest to the highest run.

Letters: T measured steps, with the last of each phase.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import torch

from swarm_nca.comparison.eval_sets import COMPARED, ERROR, LOSS, Curves
from swarm_nca.comparison.groups import Group
from swarm_nca.measure import Protocol
from swarm_nca.measure.intervals import Z95, wilson
from swarm_nca.rules import size_of

#: Before the swap; after it with states kept; after it with states reset.
Phase: TypeAlias = Literal["fresh", "mutation", "restart"]
PHASES: tuple[Phase, ...] = get_args(Phase)

#: Metrics that are shares of pictures.
SHARES = ("total_agreement", "vote_accuracy", "agree_and_correct")

Numbers: TypeAlias = npt.NDArray[np.float64]


class Score(NamedTuple):
    """One metric of one group of runs; all fields [T], nan where unknown.

    Fields:
        mean: mean over runs.
        low, high: 95 % interval over pictures.
        least, most: lowest and highest run.
    """

    mean: Numbers
    low: Numbers
    high: Numbers
    least: Numbers
    most: Numbers


class Value(NamedTuple):
    """A score at one step."""

    mean: float
    low: float
    high: float
    least: float
    most: float


@dataclass(frozen=True)
class Standing:
    """The scores of a group of runs.

    Attributes:
        group: the runs.
        step: [T], counted through both phases.
        steps: length of each phase.
        scores: by protocol and metric.
    """

    group: Group
    step: Numbers
    steps: int
    scores: Mapping[Protocol, Mapping[str, Score]]

    @property
    def size(self) -> int:
        """Bytes of the rule's weights, scales and biases."""
        return size_of(self.group.entries[0].rule.memory())

    def log_loss(self, step: int) -> float:
        """log10 of the L2 loss on fresh pictures at a measured step; nan where it is unknown."""
        loss = self.value(LOSS, "fresh", step).mean
        return math.log10(loss) if loss > 0.0 else math.nan

    def value(self, metric: str, phase: Phase, step: int) -> Value:
        """A metric at a step of a phase, which must be a measured one."""
        protocol: Protocol = "restart" if phase == "restart" else "mutation"
        at = step if phase == "fresh" else self.steps + step
        row = int(np.searchsorted(self.step, at))
        return Value(*(float(numbers[row]) for numbers in self.scores[protocol][metric]))


def standing(
    group: Group, curves: Mapping[Protocol, Sequence[Curves]], steps: int, pictures: int
) -> Standing:
    """The standing of a group; `curves` holds for each protocol one item per run."""
    scores = {
        protocol: {metric: score(runs, metric, pictures) for metric in (*COMPARED, LOSS)}
        for protocol, runs in curves.items()
    }
    return Standing(group, curves["mutation"][0]["step"], steps, scores)


def score(runs: Sequence[Curves], metric: str, pictures: int) -> Score:
    """The score of runs in a metric, evaluated on the same `pictures` pictures."""
    values = np.stack([curves[metric] for curves in runs])
    low, high = np.full_like(values, np.nan), np.full_like(values, np.nan)
    if metric in SHARES:
        low, high = (bound.numpy() for bound in wilson(torch.from_numpy(values), pictures))
    elif metric == "cell_accuracy":
        reach = Z95 * np.stack([curves[ERROR] for curves in runs])
        low, high = np.clip(values - reach, 0, 1), np.clip(values + reach, 0, 1)
    return Score(values.mean(0), low.mean(0), high.mean(0), values.min(0), values.max(0))
