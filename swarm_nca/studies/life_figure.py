"""The figure of the study Learning Life: shares that learn, by width and by flipped signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from swarm_nca.recording.comparison import look
from swarm_nca.recording.paper import INK, QUIET, Paper
from swarm_nca.studies.learning_life import Result
from swarm_nca.studies.life_table import row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Springer and Kenyon 2020, networks for one step: shares in percent by width.
PUBLISHED = {1: 4.7, 3: 60.0}

#: The same with flipped signs: shares in percent that still learn, by flips.
PUBLISHED_FLIPS = {1: 80.0}

#: Horizontal distance between lines, so that their intervals do not overlap.
_ASIDE = 0.12

#: Number of the first line style of the second panel.
_OTHER = 3

_WIDTH, _HEIGHT, _LEFT, _TOP, _APART = 560, 400, 96, 70, 110


def learning_figure(cells: Sequence[Result], flips: Sequence[Result]) -> Paper:
    """Shares in percent with 95 % intervals; lines differ in colour, dash and marker.

    Args:
        cells: the first experiment; one line for each number of steps.
        flips: the second, a panel of its own; one line for each width.
    """
    panels = 2 if flips else 1
    paper = Paper(_LEFT + panels * (_WIDTH + _APART), _TOP + _HEIGHT + 120)
    axes = _panel(paper, 0, "Networks that learn n steps of Life", "width m")
    lines = {n: [one for one in cells if one.steps == n] for n in {one.steps for one in cells}}
    for number, n in enumerate(sorted(lines)):
        aside = _ASIDE * (number - (len(lines) - 1) / 2)
        _line(axes, f"n = {n}", number, [one.width + aside for one in lines[n]], lines[n])
    widths = sorted({one.width for one in cells})
    if 1 in lines:
        _published(axes, {m: share for m, share in PUBLISHED.items() if m in widths}, ", n = 1")
    axes.set_xticks(widths)
    axes.legend(fontsize=7.5, frameon=False)
    if flips:
        axes = _panel(paper, 1, "The same weights with signs flipped, n = 1", "flipped signs")
        turned = {m: [one for one in flips if one.width == m] for m in {one.width for one in flips}}
        for number, m in enumerate(sorted(turned)):
            aside = _ASIDE * (number - (len(turned) - 1) / 2)
            places = [(one.flips or 0) + aside for one in turned[m]]
            _line(axes, f"m = {m}", number + _OTHER, places, turned[m])
        _published(axes, PUBLISHED_FLIPS, "")
        axes.legend(fontsize=7.5, frameon=False)
    foot = "Bars: 95 % interval (Wilson). Published: Springer and Kenyon 2020."
    paper.text(_LEFT, paper.height - 24, foot, size=7.5, color=QUIET)
    return paper


def _panel(paper: Paper, number: int, title: str, below: str) -> Axes:
    left = _LEFT + number * (_WIDTH + _APART)
    paper.text(left, _TOP - 24, title, size=10, color=INK)
    axes = paper.axes(left, _TOP, _WIDTH, _HEIGHT)
    axes.set_ylim(-3, 103)
    axes.set_xlabel(below, fontsize=8, color=QUIET)
    axes.set_ylabel("share that learns, %", fontsize=8, color=QUIET)
    return axes


def _line(
    axes: Axes, label: str, number: int, places: Sequence[float], results: Sequence[Result]
) -> None:
    """Draw shares and intervals of results at the horizontal positions `places`."""
    rows = [row(result) for result in results]
    share, low, high = (
        np.array([100 * (values[name] or 0) for values in rows])
        for name in ("share", "low", "high")
    )
    reach = np.maximum(0, [share - low, high - share])
    axes.errorbar(places, share, yerr=reach, capsize=2.5, label=label, **look(number))


def _published(axes: Axes, shares: Mapping[int, float], which: str) -> None:
    """Draw stars at published shares in percent."""
    axes.plot(
        list(shares),
        list(shares.values()),
        linestyle="none",
        marker="*",
        markersize=11,
        markerfacecolor="white",
        markeredgecolor=INK,
        label=f"published{which}",
        zorder=5,
    )
