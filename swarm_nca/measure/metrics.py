"""What is measured of a swarm: plain functions of worlds, most of them a ratio of two sums.

A metric counts, for every world, a part and a whole: correct cells and cells, worlds that agree
and worlds; how these pool, and what else a metric may read, stands in `readings`. Scores of
decisions need no more than `VoteCounts`, so they can be taken of any group of pictures later.

To add a metric, write one function from `CellStats` to a `Reading`, and a line in `METRICS`, or in
`OTHERS` if it is not for rules with classes. `metrics_for` says which go with a world.
"""

from __future__ import annotations

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
    """A measure of worlds: call it for the batch's value, ask `per_world` for each world's.

    Args:
        reading: what is read off one look at the worlds. VoteCounts are enough for those that only
            ask what cells have decided.
        share: whether values are shares of a whole, in [0, 1].
        readouts: the kinds of read-out that it is for; all when empty.
        needs: the field of worlds that it compares with, if any.
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
            ValueError: a rule of other channels or classes than the worlds have, or a previous
                moment with other cells.
        """
        return self.reading(CellStats(world, rule, previous)).pooled()

    def per_world(self, world: World, rule: Rule, previous: World | None = None) -> Tensor:
        """float64 [B], each world's own value."""
        return self.reading(CellStats(world, rule, previous)).per_world()


def _share(reading: Callable[[Any], Reading]) -> Metric:
    return Metric(reading, share=True, readouts=("classes",))


@_share
def cell_accuracy(seen: VoteCounts) -> Ratio:
    """Share of cells that decided on their world's label; worlds without a label are left out."""
    return Ratio(seen.correct, seen.cells * seen.labelled)


@_share
def total_agreement(seen: VoteCounts) -> Ratio:
    """Share of worlds whose decided cells all carry one label, right or wrong.

    Undecided cells are ignored; a world with none but undecided cells, or no cell, agrees.
    """
    return Ratio(seen.agrees, torch.ones_like(seen.agrees))


@_share
def vote_accuracy(seen: VoteCounts) -> Ratio:
    """Share of labelled worlds in which most decided cells are right.

    Comparable with any classifier. Of equal votes the lowest class wins; no vote at all is wrong.
    """
    return Ratio((seen.majority == seen.label) & seen.labelled, seen.labelled)


@_share
def agree_and_correct(seen: VoteCounts) -> Ratio:
    """Share of labelled worlds whose decided cells, at least one, all carry the right label."""
    right = seen.agrees & (seen.majority == seen.label)
    return Ratio(right & seen.labelled, seen.labelled)


@_share
def undecided(seen: VoteCounts) -> Ratio:
    """Share of cells whose class channels all lie below the rule's threshold."""
    return Ratio(seen.undecided, seen.cells)


@_share
def label_flips(seen: VoteCounts) -> Ratio:
    """Share of cells that changed from one class to another since the previous step: oscillation.

    Deciding, and falling back to undecided, are no flips. Needs the previous moment, nan without.
    """
    return _nothing(seen) if seen.flips is None else Ratio(seen.flips, seen.cells)


@Metric
def state_magnitude(seen: CellStats) -> Ratio:
    """Mean |s| over cells and channels: Σ|s| / (cells · C)."""
    state = seen.world.state.detach()
    return Ratio(_total(seen, state), seen.cells * state.shape[1])


@Metric
def state_largest(seen: CellStats) -> Largest:
    """The largest |s| of any cell: the few that run away are lost in a mean."""
    return Largest(seen.largest(seen.peak))


@Metric
def residual_magnitude(seen: CellStats) -> Ratio:
    """Mean |change| since the previous step: Σ|s_t − s_{t−1}| / (cells · C/2).

    Half the cells, as published: the mean over cells that fired, at a fire rate of ½. Other rates
    are divided by the same number, so that rules compare. Needs the previous moment, nan without.
    """
    if seen.previous is None:
        return _nothing(seen)
    change = seen.world.state.detach() - seen.previous.state.detach()
    return Ratio(_total(seen, change), seen.cells * (change.shape[1] / 2))


@Metric
def nonfinite(seen: CellStats) -> Count:
    """How many cells hold something that is no finite number; 0 in a rule worth having."""
    return Count(seen.sums(seen.peak.isinf()))


def _only(*readouts: str, needs: str = "") -> Callable[[Callable[[Any], Reading]], Metric]:
    return lambda reading: Metric(reading, readouts=readouts, needs=needs)


@_only("bit", "rgba")
def alive(seen: CellStats) -> Count:
    """How many cells are alive: bits that are on, or cells whose own alpha exceeds 0.1."""
    return Count(seen.living)


@_only("rgba", needs="target")
def error(seen: CellStats) -> Ratio:
    """Mean squared error of RGBA (premultiplied, as states hold it) to the target, of all pixels.

    Pixels without a cell count as transparent. Needs the world field `target`, [B, H, W, 4].
    """
    target = seen.world.world_fields.get("target")
    if target is None:
        return _nothing(seen)
    wanted = target.flatten(1, 2).to(seen.world.state)
    site, shown = seen.world.site, seen.world.state.detach()[:, :4]
    here = wanted[seen.world_of, site]
    # All pixels as transparent, then what cells make of theirs instead.
    wrong = seen.sums(((shown - here).square() - here.square()).sum(dim=1))
    wrong = wrong + wanted.double().square().sum(dim=(1, 2))
    return Ratio(wrong.clamp_(min=0.0), torch.full_like(seen.cells, wanted[0].numel()))


def _total(seen: CellStats, values: Tensor) -> Tensor:
    """float64 [B], Σ|values [N, C]| of each world, infinite where one is no number."""
    return seen.sums(values.abs().sum(dim=1).nan_to_num_(math.inf, math.inf))


def _nothing(seen: VoteCounts) -> Ratio:
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


#: Metrics that rules without classes have, in the order in which they lead their tables.
OTHERS: Mapping[str, Metric] = {
    "alive": alive,
    "error": error,
}

#: The columns of a curve.
CURVE = tuple(METRICS)


def metrics_for(world: World) -> Mapping[str, Metric]:
    """The metrics that measure something in worlds like this one, in the order of their tables.

    For rules with classes these are `METRICS`, for others those that go with their read-out.
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
    """A ValueError unless a metric measures something in worlds like this one; says the cure."""
    metric, fitting = find_metric(name), metrics_for(world)
    if name in fitting:
        return
    kind = world.readout.kind
    if not metric.readouts or kind in metric.readouts:
        raise ValueError(
            f"{name} compares with a {metric.needs}, and there is none: add {metric.needs}: "
            "{file: picture.png}"
        )
    raise ValueError(
        f"{name} is for rules with the read-out {' or '.join(metric.readouts)}, and this rule's is "
        f"{kind}: take {', '.join(fitting)}"
    )


def find_metric(name: str) -> Metric:
    """The metric of that name.

    Raises:
        ValueError: no metric is called so.
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
        previous: the same worlds one step earlier; what needs it is nan without.
        names: which metrics; all that `metrics_for` gives when None.
    """
    return pooled(CellStats(world, rule, previous), metrics_for(world) if names is None else names)


def pooled(seen: VoteCounts, names: Iterable[str] = tuple(METRICS)) -> dict[str, float]:
    """`measure` of a look already taken."""
    return {name: find_metric(name).reading(seen).pooled() for name in names}


def measure_worlds(
    world: World,
    rule: Rule,
    previous: World | None = None,
    *,
    names: Iterable[str] | None = None,
) -> dict[str, Tensor]:
    """Metrics of each world, float64 [B], by name; see `measure`."""
    seen = CellStats(world, rule, previous)
    wanted = metrics_for(world) if names is None else names
    return {name: find_metric(name).reading(seen).per_world() for name in wanted}


def steps_to_agreement(agrees: Tensor) -> Tensor:
    """When worlds came to agree for good, as far as a record of them goes.

    Args:
        agrees: bool [T, B], `CellStats.agrees` after steps 1 … T.

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
