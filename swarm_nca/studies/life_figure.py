"""The figure of the study Learning Life: shares that learn, over width and over flipped signs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from swarm_nca.recording.comparison import look
from swarm_nca.recording.paper import INK, QUIET, Paper
from swarm_nca.studies.learning_life import Result
from swarm_nca.studies.life_table import row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Springer and Kenyon 2020, networks for one step: shares in percent by width.
PUBLISHED = {1: 4.7, 3: 60.0}

#: The same with signs flipped: shares in percent that still learn, by flips.
PUBLISHED_FLIPS = {1: 80.0}

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
    for number, n in enumerate(sorted({cell.steps for cell in cells})):
        chosen = [cell for cell in cells if cell.steps == n]
        _line(axes, f"n = {n}", number, [(cell.width, cell) for cell in chosen])
    widths = {cell.width for cell in cells}
    published = {m: share for m, share in PUBLISHED.items() if m in widths}
    if any(cell.steps == 1 for cell in cells):
        _published(axes, published)
    axes.set_xticks(sorted(widths))
    axes.legend(fontsize=7.5, frameon=False)
    if flips:
        axes = _panel(paper, 1, "… of those that learned, with signs flipped", "flipped signs")
        for number, m in enumerate(sorted({one.width for one in flips}), start=3):
            chosen = [one for one in flips if one.width == m]
            _line(axes, f"m = {m}", number, [(one.flips or 0, one) for one in chosen])
        _published(axes, PUBLISHED_FLIPS)
        axes.set_xticks(sorted({one.flips or 0 for one in flips}))
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


def _line(axes: Axes, label: str, number: int, points: Sequence[tuple[int, Result]]) -> None:
    rows = [row(result) for _, result in points]
    share, low, high = (
        [100 * (one[name] or 0) for one in rows] for name in ("share", "low", "high")
    )
    reach = (
        [max(0.0, s - b) for s, b in zip(share, low, strict=True)],
        [max(0.0, t - s) for s, t in zip(share, high, strict=True)],
    )
    axes.errorbar(
        [x for x, _ in points], share, yerr=reach, capsize=2.5, label=label, **look(number)
    )


def _published(axes: Axes, points: dict[int, float]) -> None:
    axes.plot(
        list(points),
        list(points.values()),
        linestyle="none",
        marker="*",
        markersize=11,
        markerfacecolor="white",
        markeredgecolor=INK,
        label="published" + (", n = 1" if points.keys() >= {3} else ""),
        zorder=5,
    )
