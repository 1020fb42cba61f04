"""From the curves of several runs to one with intervals: over pictures, and over seeds.

The mean is that of the runs. Two ranges go with it, and are never mixed: the 95 % interval over
pictures (of several runs, which saw the same pictures, the mean of their bounds), known for shares
of pictures and for cell accuracy; and from the least to the most of the runs, the spread over
seeds.

Letters: T looks, the last of each phase among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import torch

from swarm_nca.comparison.eval_sets import ERROR, Curves
from swarm_nca.comparison.groups import Group
from swarm_nca.measure import METRICS, Protocol
from swarm_nca.measure.intervals import Z95, wilson

#: What is told apart: pictures at first, and after the swap, states kept or not.
Phase: TypeAlias = Literal["fresh", "mutation", "restart"]
PHASES: tuple[Phase, ...] = get_args(Phase)

#: Metrics that are shares of pictures.
SHARES = ("total_agreement", "vote_accuracy", "agree_and_correct")

Numbers: TypeAlias = npt.NDArray[np.float64]


class Score(NamedTuple):
    """One metric of one group of runs; all [T], nan where unknown.

    Fields:
        mean: over runs.
        low, high: the 95 % interval over pictures.
        least, most: of the runs.
    """

    mean: Numbers
    low: Numbers
    high: Numbers
    least: Numbers
    most: Numbers


class Value(NamedTuple):
    """A score at one moment."""

    mean: float
    low: float
    high: float
    least: float
    most: float


@dataclass(frozen=True)
class Standing:
    """How a group of runs did.

    Attributes:
        group: the runs.
        step: [T], counted through both phases.
        steps: of each phase.
        scores: by protocol and metric.
    """

    group: Group
    step: Numbers
    steps: int
    scores: Mapping[Protocol, Mapping[str, Score]]

    def value(self, metric: str, phase: Phase, step: int) -> Value:
        """A metric so many steps into a phase; one of the looks."""
        protocol: Protocol = "restart" if phase == "restart" else "mutation"
        at = step if phase == "fresh" else self.steps + step
        row = int(np.searchsorted(self.step, at))
        return Value(*(float(numbers[row]) for numbers in self.scores[protocol][metric]))


def standing(
    group: Group, curves: Mapping[Protocol, Sequence[Curves]], steps: int, pictures: int
) -> Standing:
    """The standing of runs by their curves: for each protocol, one per run."""
    scores = {
        protocol: {metric: score(runs, metric, pictures) for metric in METRICS}
        for protocol, runs in curves.items()
    }
    return Standing(group, curves["mutation"][0]["step"], steps, scores)


def score(runs: Sequence[Curves], metric: str, pictures: int) -> Score:
    """A metric of runs that sat one exam on so many pictures."""
    values = np.stack([curves[metric] for curves in runs])
    low, high = np.full_like(values, np.nan), np.full_like(values, np.nan)
    if metric in SHARES:
        low, high = (bound.numpy() for bound in wilson(torch.from_numpy(values), pictures))
    elif metric == "cell_accuracy":
        reach = Z95 * np.stack([curves[ERROR] for curves in runs])
        low, high = np.clip(values - reach, 0, 1), np.clip(values + reach, 0, 1)
    return Score(values.mean(0), low.mean(0), high.mean(0), values.min(0), values.max(0))
