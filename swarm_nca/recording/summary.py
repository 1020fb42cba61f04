"""The summary of a run on one sheet: facts and result, moments, curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm_nca.recording.curves import (
    draw_counts,
    draw_curves_key,
    draw_error,
    draw_magnitudes,
    draw_marks,
    draw_shares,
    draw_votes,
    label_places,
)
from swarm_nca.recording.moments import marks, moments
from swarm_nca.recording.paper import ACCENT, INK, QUIET, Paper
from swarm_nca.recording.run import Run
from swarm_nca.recording.spacetime import SpaceTime, is_row
from swarm_nca.recording.strip import Strip, draw_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _MARGIN, _HEAD = 1680, 48, 104
_SHARES, _APART, _MAGNITUDES = 330, 84, 130

#: Width of the axes in pixels.
_WIDE = _WIDTH - 2 * _MARGIN - 74

#: Maximum number of worlds of a batch shown by moments.
_SHOWN = 4


def summary_png(run: Run) -> bytes:
    """The summary as a PNG file."""
    shown = moments(run)
    worlds = min(_SHOWN, len(shown[0].frame.world))
    width = _WIDTH - 2 * _MARGIN
    strips: list[Strip | SpaceTime] = [
        SpaceTime(run, width, index)
        if is_row(shown[0].frame.world)
        else Strip(shown, width, index, run.shown_above, captions=index == 0)
        for index in range(worlds)
    ]
    below = _HEAD + sum(strip.height for strip in strips) + 40
    places = label_places(marks(run.events, run.steps), _span(run), _WIDE)
    frame = below + 50 + 20 * max((line for line, _ in places), default=0)
    paper = Paper(_WIDTH, frame + _SHARES + _APART + _MAGNITUDES + 76)
    _head(paper, run)
    y = _HEAD
    for strip in strips:
        strip.draw(paper, _MARGIN, y)
        y += strip.height
    last = shown[-1].frame.world
    words = "cells at the end" + (f", {len(last)} worlds" if len(last) > 1 else "")
    before = [moment.frame.world for moment in shown]
    draw_legend(paper, _MARGIN, y + 22, last, run.shown_above, words, before=before)
    _plots(paper, run, frame)
    return paper.png()


def _head(paper: Paper, run: Run) -> None:
    paper.text(_MARGIN, 46, run.name, 15, INK, weight="bold")
    facts = [f"rule {run.rule_title}", run.length, f"seed {run.seed}"]
    facts += [f"{run.worlds} worlds"] if run.worlds > 1 else []
    paper.text(_MARGIN, 76, "  ·  ".join(facts), 9, QUIET)
    if run.expectations:
        met = sum(expectation.passed for expectation in run.expectations)
        words = f"{met} of {len(run.expectations)} expectations met"
        color = "#00734F" if run.passed else ACCENT
        paper.text(paper.width - _MARGIN, 46, words, 10, color, "right", weight="bold")


def _span(run: Run) -> tuple[float, float]:
    return float(run.first), float(max(run.first + 1, run.steps))


def _plots(paper: Paper, run: Run, y: int) -> None:
    left, width = _MARGIN + 62, _WIDE
    upper = paper.axes(left, y, width, _SHARES)
    lower = paper.axes(left, y + _SHARES + _APART, width, _MAGNITUDES)
    if "cell_accuracy" in run.measured:
        _of_classes(upper, lower, run)
    else:
        _of_others(upper, lower, run)
    for axes, labelled in ((upper, True), (lower, False)):
        axes.set_xlim(_span(run))
        draw_marks(axes, marks(run.events, run.steps), labelled)
    draw_curves_key(upper, "left")
    draw_curves_key(lower, "right")
    lower.set_xlabel("step", size=8, color=QUIET)


def _of_classes(upper: Axes, lower: Axes, run: Run) -> None:
    several = run.worlds > 1
    names = ["cell_accuracy", "total_agreement", "undecided"]
    names = [*names[:2], "vote_accuracy", names[2]] if several else names
    pooled = run.told
    if pooled["cell_accuracy"].isna().all():
        draw_votes(upper, run.frames, run.shown_above)
    draw_shares(upper, pooled, names, alone=not several)
    draw_magnitudes(lower, pooled)


def _of_others(upper: Axes, lower: Axes, run: Run) -> None:
    """Alive cells above; below the error to the target if there is one, else magnitudes."""
    pooled = run.told
    if "alive" in run.measured:
        draw_counts(upper, pooled)
    else:
        draw_magnitudes(upper, pooled, ["state_magnitude"])
    if "error" in run.measured:
        draw_error(lower, pooled)
    elif "alive" in run.measured:
        draw_magnitudes(lower, pooled)
    else:
        draw_magnitudes(lower, pooled, ["residual_magnitude"])
