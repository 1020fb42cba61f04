"""Figures that compare several rules, for papers.

Lines differ in colour (Okabe and Ito 2008), dash and marker, so that each of the three is enough:
in grey prints and for colour-blind readers. Figures are PNG or PDF with text as text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swarm_nca.measure import METRICS
from swarm_nca.recording.curves import LOOKS, draw_marks
from swarm_nca.recording.moments import Mark
from swarm_nca.recording.paper import INK, OKABE_ITO, QUIET, Paper, draw_key

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Eight colours, five dashes and nine markers: 360 different lines.
_COLORS = (*OKABE_ITO, "#8a8f98")
_DASHES = ("-", (0, (6, 2)), (0, (6, 2, 1.2, 2)), (0, (1.2, 1.2)), (0, (3, 1.5)))
_MARKERS = "osD^vPX<>"

#: The panels of curves, and which of them are logarithmic.
_PANELS = ("cell_accuracy", "total_agreement", "state_magnitude", "residual_magnitude")
_WIDTH, _HEIGHT, _LEFT, _TOP, _APART = 660, 400, 96, 70, 128

#: The first part of a phase, in which shares still rise and may lie below the panel.
_CLIMB = 0.1


@dataclass(frozen=True)
class Line:
    """A rule's curves: per metric the middle and the bounds of a band, each [T]."""

    label: str
    step: npt.NDArray[np.float64]
    middle: Mapping[str, npt.NDArray[np.float64]]
    low: Mapping[str, npt.NDArray[np.float64]]
    high: Mapping[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Dot:
    """A score: its middle, its interval, and the minimum and maximum of several runs."""

    middle: float
    low: float
    high: float
    least: float
    most: float


def look(number: int) -> dict[str, Any]:
    """Colour, dash and marker of line `number`."""
    return {
        "color": _COLORS[number % 8],
        "linestyle": _DASHES[number % 5],
        "marker": _MARKERS[number % 9],
        "markersize": 4.2,
        "markeredgewidth": 0,
        "linewidth": 1.4,
    }


def curves_figure(lines: Sequence[Line], swap: int, notes: Sequence[str]) -> Paper:
    """Cell accuracy and agreement above, magnitudes (logarithmic) below, over steps.

    Args:
        lines: one per rule.
        swap: the step after which every picture was swapped; marked in the figure.
        notes: lines at the foot that explain the curves and the bands.
    """
    columns = 3
    key = 28 * -(-len(lines) // columns)
    bottom = _TOP + 2 * (_HEIGHT + _APART) - 50
    paper = Paper(_LEFT + 2 * (_WIDTH + _LEFT) - 36, bottom + key + 30 + 24 * len(notes))
    for number, metric in enumerate(_PANELS):
        down, across = divmod(number, 2)
        axes = paper.axes(
            _LEFT + across * (_WIDTH + _LEFT), _TOP + down * (_HEIGHT + _APART), _WIDTH, _HEIGHT
        )
        _panel(axes, metric, lines, swap)
        if number == len(_PANELS) - 2:
            draw_key(axes, (0, -0.16), columns, handlelength=4.2, columnspacing=2.4)
    _foot(paper, _LEFT, notes)
    return paper


def _panel(axes: Axes, metric: str, lines: Sequence[Line], swap: int) -> None:
    for number, line in enumerate(lines):
        line_look = look(number)
        stride = max(1, len(line.step) // 10)
        # Markers of different lines sit at different steps.
        first = 2 + number * stride // max(1, len(lines))
        axes.plot(
            line.step,
            line.middle[metric],
            label=line.label,
            markevery=(first, stride),
            **line_look,
        )
        axes.fill_between(
            line.step,
            line.low[metric],
            line.high[metric],
            color=line_look["color"],
            alpha=0.16,
            linewidth=0,
        )
    last = max(float(line.step[-1]) for line in lines)
    axes.set_xlim(0, last)
    if METRICS[metric].share:
        axes.set_ylim(settled_floor(metric, lines, swap), 1.0)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    else:
        logarithmic(axes)
    axes.set_title(LOOKS[metric][0], loc="left", size=10, color=INK, weight="bold", pad=18)
    axes.set_xlabel("step", size=8, color=QUIET)
    draw_marks(axes, [Mark(swap, swap, "swap")])


def logarithmic(axes: Axes) -> None:
    """Ticks at 1, 2 and 5, so that even half a decade has some; for many decades, powers of ten."""
    from matplotlib.ticker import LogLocator, NullLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    between = (1.0, 2.0, 5.0) if high < 1e4 * low else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=between, numticks=12))
    axes.yaxis.set_minor_locator(NullLocator())
    if len(between) > 1:
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def settled_floor(metric: str, lines: Sequence[Line], swap: int) -> float:
    """The largest tenth at least 0.01 below all shares and bands after the first part of phases."""
    seen = [
        float(np.min(values))
        for line in lines
        for settled in [(line.step - 1) % swap + 1 >= _CLIMB * swap]
        for values in [np.fmin(line.middle[metric], line.low[metric])[settled]]
        if np.isfinite(values).all()
    ]
    return max(0.0, math.floor(10 * min(seen, default=0.0) - 0.1) / 10)


def ordering_figure(
    rows: Mapping[str, Mapping[str, Mapping[str, Dot]]],
    metrics: Sequence[str],
    notes: Sequence[str],
) -> Paper:
    """Scores with intervals, rule by rule from the top, a panel per metric.

    Args:
        rows: by rule, by phase, by metric; all rules have the same phases.
        metrics: one panel each, side by side.
        notes: lines at the foot that explain the scores and the intervals.
    """
    phases = list(next(iter(rows.values())))
    left = 60 + 13 * max(map(len, rows))
    height = 62 * len(rows)
    paper = Paper(left + len(metrics) * (_WIDTH + 60), _TOP + height + 100 + 24 * len(notes))
    for panel, metric in enumerate(metrics):
        axes = paper.axes(left + panel * (_WIDTH + 60), _TOP, _WIDTH, height)
        for down, by_phase in enumerate(rows.values()):
            for number, phase in enumerate(phases):
                y = down + 0.24 * (number - (len(phases) - 1) / 2)
                _dot(axes, by_phase[phase][metric], y, number, phase if down == 0 else None)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), list(rows) if panel == 0 else [""] * len(rows))
        axes.tick_params(axis="y", labelsize=9, labelcolor=INK, length=0)
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
        axes.set_title(LOOKS[metric][0], loc="left", size=10, color=INK, weight="bold", pad=10)
        if panel == 0:
            draw_key(axes, (0, -36 / height), len(phases))
    _foot(paper, 60, notes)
    return paper


def _foot(paper: Paper, x: float, notes: Sequence[str]) -> None:
    for up, note in enumerate(reversed(notes)):
        paper.text(x, paper.height - 22 - 24 * up, note, 8, QUIET)


def _dot(axes: Axes, dot: Dot, y: float, number: int, label: str | None) -> None:
    color = OKABE_ITO[number % 7]
    axes.plot([dot.low, dot.high], [y, y], color=color, linewidth=2.2, alpha=0.55)
    if dot.least < dot.most:
        axes.plot([dot.least, dot.most], [y, y], "|", color=color, markersize=8, mew=1.4)
    axes.plot(
        [dot.middle],
        [y],
        _MARKERS[number],
        color=color,
        markersize=6,
        markeredgecolor="white",
        markeredgewidth=0.6,
        linestyle="none",
        label=label,
    )
