"""What is measured of a swarm: plain functions of worlds, most of them a ratio of two sums.

A metric counts, for every world, a part and a whole: correct cells and cells, worlds that agree
and worlds; how these pool, and what else a metric may read, stands in `readings`. Scores of
decisions need no more than `Ballots`, so they can be taken of any group of pictures later.

To add a metric, write one function from `Census` to a `Reading`, and a line in `METRICS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from swarm_nca.arguments import dense
from swarm_nca.measure.ballots import Ballots
from swarm_nca.measure.census import Census
from swarm_nca.measure.readings import Count, Largest, Ratio, Reading
from swarm_nca.rules import Rule
from swarm_nca.suggestion import unknown
from swarm_nca.world import World


class Metric:
    """A measure of worlds: call it for the batch's value, ask `per_world` for each world's.

    Args:
        reading: what is read off one look at the worlds. Ballots are enough for those that only
            ask what cells have decided.
        share: whether values are shares of a whole, in [0, 1].
    """

    def __init__(self, reading: Callable[[Any], Reading], *, share: bool = False) -> None:
        self.reading, self.share = reading, share
        self.__name__, self.__doc__ = reading.__name__, reading.__doc__

    def __call__(self, world: World, rule: Rule, previous: World | None = None) -> float:
        """The value over all worlds of the batch, pooled.

        Raises:
            ValueError: a rule of other channels or classes than the worlds have, or a previous
                moment with other cells.
        """
        return self.reading(Census(world, rule, previous)).pooled()

    def per_world(self, world: World, rule: Rule, previous: World | None = None) -> Tensor:
        """float64 [B], each world's own value."""
        return self.reading(Census(world, rule, previous)).per_world()


def _share(reading: Callable[[Any], Reading]) -> Metric:
    return Metric(reading, share=True)


@_share
def cell_accuracy(seen: Ballots) -> Ratio:
    """Share of cells that decided on their world's label; worlds without a label are left out."""
    return Ratio(seen.correct, seen.cells * seen.labelled)


@_share
def total_agreement(seen: Ballots) -> Ratio:
    """Share of worlds whose decided cells all carry one label, right or wrong.

    Undecided cells are ignored; a world with none but undecided cells, or no cell, agrees.
    """
    return Ratio(seen.agrees, torch.ones_like(seen.agrees))


@_share
def vote_accuracy(seen: Ballots) -> Ratio:
    """Share of labelled worlds in which most decided cells are right.

    Comparable with any classifier. Of equal votes the lowest class wins; no vote at all is wrong.
    """
    return Ratio((seen.majority == seen.label) & seen.labelled, seen.labelled)


@_share
def agree_and_correct(seen: Ballots) -> Ratio:
    """Share of labelled worlds whose decided cells, at least one, all carry the right label."""
    right = seen.agrees & (seen.majority == seen.label)
    return Ratio(right & seen.labelled, seen.labelled)


@_share
def undecided(seen: Ballots) -> Ratio:
    """Share of cells whose class channels all lie below the rule's threshold."""
    return Ratio(seen.undecided, seen.cells)


@_share
def label_flips(seen: Ballots) -> Ratio:
    """Share of cells that changed from one class to another since the previous step: oscillation.

    Deciding, and falling back to undecided, are no flips. Needs the previous moment, nan without.
    """
    return _nothing(seen) if seen.flips is None else Ratio(seen.flips, seen.cells)


@Metric
def state_magnitude(seen: Census) -> Ratio:
    """Mean |s| over cells and channels: Σ|s| / (cells · C)."""
    state = seen.world.state.detach()
    return Ratio(_total(seen, state), seen.cells * state.shape[1])


@Metric
def state_largest(seen: Census) -> Largest:
    """The largest |s| of any cell: the few that run away are lost in a mean."""
    return Largest(seen.largest(seen.peak))


@Metric
def residual_magnitude(seen: Census) -> Ratio:
    """Mean |change| since the previous step: Σ|s_t − s_{t−1}| / (cells · C/2).

    Half the cells, as published: the mean over cells that fired, at a fire rate of ½. Other rates
    are divided by the same number, so that rules compare. Needs the previous moment, nan without.
    """
    if seen.previous is None:
        return _nothing(seen)
    change = seen.world.state.detach() - seen.previous.state.detach()
    return Ratio(_total(seen, change), seen.cells * (change.shape[1] / 2))


@Metric
def nonfinite(seen: Census) -> Count:
    """How many cells hold something that is no finite number; 0 in a rule worth having."""
    return Count(seen.sums(seen.peak.isinf()))


def _total(seen: Census, values: Tensor) -> Tensor:
    """float64 [B], Σ|values [N, C]| of each world, infinite where one is no number."""
    return seen.sums(values.abs().sum(dim=1).nan_to_num_(math.inf, math.inf))


def _nothing(seen: Ballots) -> Ratio:
    return Ratio(torch.zeros_like(seen.cells), torch.zeros_like(seen.cells))


#: Every metric by name, in the order of the tables and files they fill.
METRICS: Mapping[str, Metric] = {
    "cell_accuracy": cell_accuracy,
    "total_agreement": total_agreement,
    "vote_accuracy": vote_accuracy,
    "agree_and_correct": agree_and_correct,
    "undecided": undecided,
    "state_magnitude": state_magnitude,
    "residual_magnitude": residual_magnitude,
    "label_flips": label_flips,
    "state_largest": state_largest,
    "nonfinite": nonfinite,
}


#: The columns of a curve.
CURVE = tuple(METRICS)


def find_metric(name: str) -> Metric:
    """The metric of that name.

    Raises:
        ValueError: no metric is called so.
    """
    if not isinstance(name, str) or name not in METRICS:
        raise ValueError(unknown("metric", name, METRICS))
    return METRICS[name]


def measure(
    world: World,
    rule: Rule,
    previous: World | None = None,
    *,
    names: Iterable[str] = tuple(METRICS),
) -> dict[str, float]:
    """Metrics of a batch, pooled over its worlds, by name.

    Args:
        previous: the same worlds one step earlier; what needs it is nan without.
        names: which metrics; all when left out.
    """
    return pooled(Census(world, rule, previous), names)


def pooled(seen: Ballots, names: Iterable[str] = tuple(METRICS)) -> dict[str, float]:
    """`measure` of a look already taken."""
    return {name: find_metric(name).reading(seen).pooled() for name in names}


def measure_worlds(
    world: World,
    rule: Rule,
    previous: World | None = None,
    *,
    names: Iterable[str] = tuple(METRICS),
) -> dict[str, Tensor]:
    """Metrics of each world, float64 [B], by name; see `measure`."""
    seen = Census(world, rule, previous)
    return {name: find_metric(name).reading(seen).per_world() for name in names}


def steps_to_agreement(agrees: Tensor) -> Tensor:
    """When worlds came to agree for good, as far as a record of them goes.

    Args:
        agrees: bool [T, B], `Census.agrees` after steps 1 … T.

    Returns:
        int64 [B], the first step from which on a world agrees until the record ends; −1 where it
        disagrees at the end.

    Raises:
        ValueError: a record of another shape, or of no numbers.
    """
    record = torch.from_numpy(dense("agrees", agrees))
    if record.ndim != 2:
        raise ValueError(f"agrees must be [T, B], got the shape {list(record.shape)}")
    streak = record.flip(0).long().cumprod(dim=0).sum(dim=0)
    return torch.where(streak > 0, len(record) - streak + 1, -1)
