"""Metrics of swarms: plain functions of worlds, most of them a ratio of two sums.

Most metrics count a part and a whole for every world, such as correct cells and cells. `readings`
defines how these are pooled, and other kinds of readings. Scores of decisions need only
`VoteCounts`, so they can be computed later for any group of pictures. At step 0 no cell has decided
yet: scores of decisions are nan there, except where cells start with random states.

To add a metric, write one function from `CellStats` to a `Reading`, and a line in `METRICS`, or in
`OTHERS` if it is not for rules with classes. `metrics_for` gives the metrics of a world.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from swarm_nca.arguments import dense
from swarm_nca.measure.cell_stats import CellStats
from swarm_nca.measure.readings import Count, Largest, Ratio, Reading
from swarm_nca.measure.vote_counts import VoteCounts
from swarm_nca.rules import Rule
from swarm_nca.suggestion import unknown
from swarm_nca.world import World


class Metric:
    """A metric: call it for the value of a batch; `per_world` gives the value of each world.

    Args:
        reading: function from `CellStats` to a `Reading`; `VoteCounts` are enough for metrics of
            decisions.
        share: whether values are shares of a whole, in [0, 1].
        readouts: kinds of read-out that have this metric; all when empty.
        needs: the world field that the metric compares with, if any.
    """

    def __init__(
        self,
        reading: Callable[[Any], Reading],
        *,
        share: bool = False,
        readouts: tuple[str, ...] = (),
        needs: str = "",
    ) -> None:
        self.reading, self.share = reading, share
        self.readouts, self.needs = readouts, needs
        self.__name__, self.__doc__ = reading.__name__, reading.__doc__

    def __call__(self, world: World, rule: Rule, previous: World | None = None) -> float:
        """The value over all worlds of the batch, pooled.

        Raises:
            ValueError: the rule has other channels or classes than the worlds, or `previous` has
                other cells.
        """
        return self.reading(CellStats(world, rule, previous)).pooled()

    def per_world(self, world: World, rule: Rule, previous: World | None = None) -> Tensor:
        """float64 [B], each world's own value."""
        return self.reading(CellStats(world, rule, previous)).per_world()


def _share(reading: Callable[[Any], Ratio]) -> Metric:
    """A metric of decisions; nan for worlds at step 0 whose cells all hold zeros."""

    @functools.wraps(reading)
    def measured(stats: VoteCounts) -> Ratio:
        ratio, begun = reading(stats), stats.begun
        return ratio if begun is None else Ratio(ratio.part * begun, ratio.whole * begun)

    return Metric(measured, share=True, readouts=("classes",))


@_share
def cell_accuracy(stats: VoteCounts) -> Ratio:
    """Share of cells that decided on their world's label; worlds without a label are left out."""
    return Ratio(stats.correct, stats.cells * stats.labelled)


@_share
def total_agreement(stats: VoteCounts) -> Ratio:
    """Share of worlds whose decided cells all have the same class, right or wrong.

    Undecided cells are ignored; a world without decided cells agrees.
    """
    return Ratio(stats.agrees, torch.ones_like(stats.agrees))


@_share
def vote_accuracy(stats: VoteCounts) -> Ratio:
    """Share of labelled worlds in which the class with most cells is right.

    Comparable with any classifier. Of equal votes the lowest class wins; no vote counts as wrong.
    """
    return Ratio((stats.majority == stats.label) & stats.labelled, stats.labelled)


@_share
def agree_and_correct(stats: VoteCounts) -> Ratio:
    """Share of labelled worlds whose decided cells, at least one, all have the right class."""
    right = stats.agrees & (stats.majority == stats.label)
    return Ratio(right & stats.labelled, stats.labelled)


@_share
def agree_though_wrong(stats: VoteCounts) -> Ratio:
    """Share of labelled worlds that answer with a wrong class; see `VoteCounts.answers`.

    Answers with the right class, wrong answers and abstentions add up to all labelled worlds.
    """
    return Ratio(stats.answers & (stats.majority != stats.label) & stats.labelled, stats.labelled)


@_share
def abstains(stats: VoteCounts) -> Ratio:
    """Share of worlds whose decided cells disagree, or are fewer than half of the cells."""
    return Ratio(~stats.answers, torch.ones_like(stats.answers))


@_share
def undecided(stats: VoteCounts) -> Ratio:
    """Share of cells whose class channels all lie below the rule's threshold."""
    return Ratio(stats.undecided, stats.cells)


@_share
def label_flips(stats: VoteCounts) -> Ratio:
    """Share of cells that changed from one class to another since the previous step: oscillation.

    Changes from or to undecided are not flips, nor is a first decision. Needs the previous moment;
    nan without it.
    """
    return _nothing(stats) if stats.flips is None else Ratio(stats.flips, stats.cells)


@Metric
def state_magnitude(stats: CellStats) -> Ratio:
    """Mean |s| over cells and channels: Σ|s| / (cells · C)."""
    state = stats.world.state.detach()
    return Ratio(_total(stats, state), stats.cells * state.shape[1])


@Metric
def state_largest(stats: CellStats) -> Largest:
    """The largest |s| of any cell; shows a few diverging cells, which a mean hides."""
    return Largest(stats.largest(stats.peak))


@Metric
def residual_magnitude(stats: CellStats) -> Ratio:
    """Mean |change| since the previous step: Σ|s_t − s_{t−1}| / (cells · C/2).

    The divisor is half the cells, as published: the number that fire at a fire rate of ½. It is the
    same for other rates, so that rules compare. Needs the previous moment; nan without it.
    """
    if stats.previous is None:
        return _nothing(stats)
    change = stats.world.state.detach() - stats.previous.state.detach()
    return Ratio(_total(stats, change), stats.cells * (change.shape[1] / 2))


@Metric
def nonfinite(stats: CellStats) -> Count:
    """Number of cells with a state that is not finite; 0 for a sound rule."""
    return Count(stats.sums(stats.peak.isinf()))


def _only(*readouts: str, needs: str = "") -> Callable[[Callable[[Any], Reading]], Metric]:
    return lambda reading: Metric(reading, readouts=readouts, needs=needs)


@_only("bit", "rgba")
def alive(stats: CellStats) -> Count:
    """Number of living cells: bits that are on, or cells whose own alpha exceeds 0.1."""
    return Count(stats.living)


@_only("rgba", needs="target")
def error(stats: CellStats) -> Ratio:
    """Mean squared error of RGBA (premultiplied, as in states) to the target, over all pixels.

    Pixels without a cell count as transparent. Needs the world field `target`, [B, H, W, 4].
    """
    target = stats.world.world_fields.get("target")
    if target is None:
        return _nothing(stats)
    wanted = target.flatten(1, 2).to(stats.world.state)
    site, shown = stats.world.site, stats.world.state.detach()[:, :4]
    aim = wanted[stats.world_of, site]
    # The error with all pixels transparent, corrected at the pixels of cells.
    squares = stats.sums(((shown - aim).square() - aim.square()).sum(dim=1))
    squares = squares + wanted.double().square().sum(dim=(1, 2))
    return Ratio(squares.clamp_(min=0.0), torch.full_like(stats.cells, wanted[0].numel()))


def _total(stats: CellStats, values: Tensor) -> Tensor:
    """float64 [B], Σ|values [N, C]| of each world, infinite if one is nan."""
    return stats.sums(values.abs().sum(dim=1).nan_to_num_(math.inf, math.inf))


def _nothing(stats: VoteCounts) -> Ratio:
    return Ratio(torch.zeros_like(stats.cells), torch.zeros_like(stats.cells))


#: Every metric by name, in the order of the tables and files they fill.
METRICS: Mapping[str, Metric] = {
    "cell_accuracy": cell_accuracy,
    "total_agreement": total_agreement,
    "vote_accuracy": vote_accuracy,
    "agree_and_correct": agree_and_correct,
    "agree_though_wrong": agree_though_wrong,
    "abstains": abstains,
    "undecided": undecided,
    "state_magnitude": state_magnitude,
    "residual_magnitude": residual_magnitude,
    "label_flips": label_flips,
    "state_largest": state_largest,
    "nonfinite": nonfinite,
}


#: Metrics of rules without classes only; these come first in their tables.
OTHERS: Mapping[str, Metric] = {
    "alive": alive,
    "error": error,
}

#: The columns of a curve.
CURVE = tuple(METRICS)


def metrics_for(world: World) -> Mapping[str, Metric]:
    """The metrics of worlds like this one, in the order of their tables.

    For rules with classes these are `METRICS`, for other rules the metrics of their read-out.
    """
    kind = world.readout.kind
    every = METRICS if kind == "classes" else {**OTHERS, **METRICS}
    return {
        name: metric
        for name, metric in every.items()
        if (not metric.readouts or kind in metric.readouts)
        and (not metric.needs or metric.needs in world.world_fields)
    }


def check_metric(name: str, world: World) -> None:
    """Raise a ValueError with the cure unless worlds like this one have the metric."""
    metric, fitting = find_metric(name), metrics_for(world)
    if name in fitting:
        return
    kind = world.readout.kind
    if not metric.readouts or kind in metric.readouts:
        raise ValueError(
            f"{name} needs a {metric.needs}, and there is none: add {metric.needs}: "
            "{file: picture.png}"
        )
    raise ValueError(
        f"{name} is for rules with the read-out {' or '.join(metric.readouts)}, this rule's is "
        f"{kind}: use {', '.join(fitting)}"
    )


def find_metric(name: str) -> Metric:
    """The metric with this name.

    Raises:
        ValueError: an unknown name.
    """
    every = {**METRICS, **OTHERS}
    if not isinstance(name, str) or name not in every:
        raise ValueError(unknown("metric", name, every))
    return every[name]


def measure(
    world: World,
    rule: Rule,
    previous: World | None = None,
    *,
    names: Iterable[str] | None = None,
) -> dict[str, float]:
    """Metrics of a batch, pooled over its worlds, by name.

    Args:
        previous: the same worlds one step earlier; metrics that need it are nan without it.
        names: names of metrics; those of `metrics_for` when None.
    """
    return pooled(CellStats(world, rule, previous), metrics_for(world) if names is None else names)


def pooled(stats: VoteCounts, names: Iterable[str] = tuple(METRICS)) -> dict[str, float]:
    """`measure` from statistics that are already computed."""
    return {name: find_metric(name).reading(stats).pooled() for name in names}


def measure_worlds(
    world: World,
    rule: Rule,
    previous: World | None = None,
    *,
    names: Iterable[str] | None = None,
) -> dict[str, Tensor]:
    """Metrics of each world, float64 [B], by name; see `measure`."""
    stats = CellStats(world, rule, previous)
    wanted = metrics_for(world) if names is None else names
    return {name: find_metric(name).reading(stats).per_world() for name in wanted}


def steps_to_agreement(agrees: Tensor) -> Tensor:
    """The step since which each world agrees, until the record ends.

    Args:
        agrees: bool [T, B], `CellStats.agrees` after steps 1 … T.

    Returns:
        int64 [B], the first step of the last unbroken agreement; −1 if the world disagrees at the
        end.

    Raises:
        ValueError: a record of another shape or type.
    """
    record = torch.from_numpy(dense("agrees", agrees))
    if record.ndim != 2:
        raise ValueError(f"agrees must be [T, B], got the shape {list(record.shape)}")
    streak = record.flip(0).long().cumprod(dim=0).sum(dim=0)
    return torch.where(streak > 0, len(record) - streak + 1, -1)
