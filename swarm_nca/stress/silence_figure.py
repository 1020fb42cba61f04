"""The figure of the front between answers and silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from swarm_nca.recording.comparison import look
from swarm_nca.recording.paper import INK, QUIET, Paper
from swarm_nca.stress.silence import STEPS, THRESHOLDS, Point

_SIDE, _LEFT, _TOP, _GAP, _COLUMNS = 380, 110, 96, 110, 2


def silence_figure(points: Sequence[Point]) -> Paper:
    """Right answers on the known pictures over silence on the unknown, a panel for each kind.

    A line joins the thresholds of one rule; its ring is the rule's own threshold.
    """
    rules = list(dict.fromkeys(point.rule for point in points))
    kinds = list(dict.fromkeys(point.dataset for point in points if not point.known))
    known = list(dict.fromkeys(point.dataset for point in points if point.known))
    across = min(_COLUMNS, len(kinds))
    down = -(-len(kinds) // across)
    width = max(_LEFT + across * (_SIDE + _GAP), 700)
    paper = Paper(width, _TOP + down * (_SIDE + _GAP) + 60)
    left = min(100 * point.abstains for point in points if not point.known)
    low = min(right for name in rules for _, right in _front(points, name, kinds[0]).values())
    title = f"Silence on the unknown, and right answers on {' and '.join(known)}"
    paper.text(_LEFT, 36, title, size=10, color=INK, weight="bold")
    for number, kind in enumerate(kinds):
        row, column = divmod(number, across)
        axes = paper.axes(
            _LEFT + column * (_SIDE + _GAP), _TOP + row * (_SIDE + _GAP), _SIDE, _SIDE
        )
        axes.set_title(kind, loc="left", size=9, color=INK)
        for rule, name in enumerate(rules):
            _draw(axes, [point for point in points if point.rule == name], kind, look(rule))
        axes.set_xlim(left - 2, 102)
        axes.set_ylim(low - 2, 102)
        axes.set_xlabel("unknown pictures on which the swarm abstains, %", size=7.5, color=QUIET)
        axes.set_ylabel("known pictures answered rightly, %", size=7.5, color=QUIET)
        if number == 0:
            axes.legend(fontsize=7.5, frameon=False, loc="lower left", handlelength=3)
    feet = (
        f"Every line: thresholds of undecided cells from 0 to {THRESHOLDS[-1]}, at step {STEPS}.",
        "Ring: the rule's own threshold.",
    )
    for number, foot in enumerate(feet):
        paper.text(_LEFT, paper.height - 42 + 18 * number, foot, size=7.5, color=QUIET)
    return paper


def _front(points: Sequence[Point], rule: str, kind: str) -> dict[float, tuple[float, float]]:
    """For each threshold, the silence of a rule on a kind, and its right answers, in percent."""
    front = {}
    for threshold in dict.fromkeys(point.threshold for point in points if point.rule == rule):
        here = [point for point in points if (point.rule, point.threshold) == (rule, threshold)]
        known = [point for point in here if point.known]
        right = sum(point.right * point.pictures for point in known)
        (silent,) = (100 * point.abstains for point in here if point.dataset == kind)
        front[threshold] = silent, 100 * right / sum(point.pictures for point in known)
    return front


def _draw(axes: Any, points: Sequence[Point], kind: str, style: dict[str, Any]) -> None:
    """Draw the front of one rule."""
    front = _front(points, points[0].rule, kind)
    axes.plot(*zip(*front.values(), strict=True), label=points[0].rule, **style)
    own = next(point.threshold for point in points if point.own)
    ring = {"markersize": 11, "markerfacecolor": "none", "markeredgewidth": 1.6}
    mark = {"marker": style["marker"], "color": style["color"]}
    axes.plot(*front[own], linestyle="none", **mark, **ring)
