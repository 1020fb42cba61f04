"""The figure of a sweep: each measure over each key, mean and 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swarm_nca.measure.metrics import METRICS
from swarm_nca.recording.comparison import look
from swarm_nca.recording.curves import LOOKS
from swarm_nca.recording.paper import INK, QUIET, Paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT, _LEFT, _TOP, _ACROSS, _DOWN = 460, 300, 110, 96, 110, 104

#: Maximum characters of a value under the axis.
_LONGEST = 14


@dataclass(frozen=True)
class Point:
    """The runs with one value of a key.

    Attributes:
        at: the place on the axis: the value of a number, the position of any other value.
        label: the value as text.
        mean: mean of the measure.
        low, high: 95 % interval of the mean; nan for a single run.
        runs: number of runs.
    """

    at: float
    label: str
    mean: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True)
class Curve:
    """One measure over one key; `numeric` if the key's values are numbers."""

    key: str
    measure: str
    points: Sequence[Point]
    numeric: bool
    logarithmic: bool = False


def sweep_figure(title: str, rows: Sequence[Sequence[Curve]], note: str) -> Paper:
    """A panel for each curve, a row for each measure, a column for each key.

    Args:
        title: stands at the top.
        rows: curves of one measure; all rows have the same keys in the same order.
        note: a line at the foot.
    """
    columns = max(map(len, rows))
    width = _LEFT + columns * (_WIDTH + _ACROSS) - 40
    paper = Paper(max(760, width), _TOP + len(rows) * (_HEIGHT + _DOWN) + 16)
    paper.text(_LEFT, 42, title, 12, weight="bold")
    for down, curves in enumerate(rows):
        for across, curve in enumerate(curves):
            left, top = _LEFT + across * (_WIDTH + _ACROSS), _TOP + down * (_HEIGHT + _DOWN)
            _panel(paper.axes(left, top, _WIDTH, _HEIGHT), curve, down)
    paper.text(_LEFT, paper.height - 18, note, 7.5, QUIET)
    return paper


def _panel(axes: Axes, curve: Curve, number: int) -> None:
    style = look(number)
    at = [point.at for point in curve.points]
    if not curve.numeric:
        style["linestyle"] = "none"
    axes.plot(at, [point.mean for point in curve.points], **style)
    if curve.numeric:
        low, high = ([getattr(point, end) for point in curve.points] for end in ("low", "high"))
        axes.fill_between(at, low, high, color=style["color"], alpha=0.16, linewidth=0)
    else:
        for point in curve.points:
            ends = [point.low, point.high]
            axes.plot([point.at] * 2, ends, color=style["color"], linewidth=2.2, alpha=0.45)
    if curve.logarithmic:
        axes.set_xscale("log")
    elif not curve.numeric or len(curve.points) <= 6:
        step = max(1, math.ceil(sum(len(point.label) for point in curve.points) / 60))
        shown = curve.points[::step]
        axes.set_xticks([point.at for point in shown], [_short(point.label) for point in shown])
    if not curve.numeric:
        axes.set_xlim(-0.5, len(curve.points) - 0.5)
    metric = METRICS.get(curve.measure)
    if metric is not None and metric.share:
        _percent(axes, curve)
    name = LOOKS.get(curve.measure, (curve.measure.replace("_", " "),))[0]
    axes.set_title(name, loc="left", size=9.5, color=INK, weight="bold", pad=8)
    axes.set_xlabel(curve.key, size=8, color=QUIET)


def _percent(axes: Axes, curve: Curve) -> None:
    """An axis of percent that ends at 100 and begins below the lowest point."""
    ends = [end for point in curve.points for end in (point.mean, point.low) if end == end]
    low = max(0.0, math.floor(10 * min(ends, default=0.0) - 0.1) / 10)
    axes.set_ylim(low - 0.02 * (1 - low), 1 + 0.02 * (1 - low))
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"
