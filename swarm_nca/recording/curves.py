"""Curves of metrics over steps, of one run, readable in grey and by any eyes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import pandas as pd

from swarm_nca.recording.moments import Mark
from swarm_nca.recording.paper import DPI, INK, OKABE_ITO, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Each metric's label, colour and line style.
LOOKS = {
    "cell_accuracy": ("cell accuracy", OKABE_ITO[0], "-"),
    "total_agreement": ("total agreement", OKABE_ITO[1], (0, (6, 2))),
    "vote_accuracy": ("vote accuracy", OKABE_ITO[2], "-."),
    "agree_and_correct": ("agree and correct", OKABE_ITO[3], (0, (2, 1))),
    "undecided": ("undecided", QUIET, (0, (1, 1.2))),
    "state_magnitude": ("mean |state|", OKABE_ITO[6], "-"),
    "state_largest": ("largest |state|", OKABE_ITO[1], (0, (6, 2))),
    "residual_magnitude": ("mean |change|", OKABE_ITO[5], (0, (4, 1.5))),
}


def draw_shares(axes: Axes, pooled: pd.DataFrame, names: Sequence[str], alone: bool) -> None:
    """Shares over steps, of all worlds; a metric that nobody could measure is left out.

    With a world `alone` agreement is either there or not: it is drawn as a shaded time, not a line.
    """
    steps = pooled["step"]
    for name in names:
        if pooled[name].isna().all():
            continue
        label, color, style = LOOKS[name]
        if alone and name == "total_agreement":
            axes.fill_between(
                steps,
                0,
                1,
                where=(pooled[name] == 1).tolist(),
                transform=axes.get_xaxis_transform(),
                color=color,
                alpha=0.13,
                linewidth=0,
                step="mid",
                label="all cells agree",
            )
        else:
            axes.plot(steps, pooled[name], color=color, linestyle=style, label=label, lw=1.6)
    axes.set_ylim(-0.02, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])


def draw_magnitudes(axes: Axes, pooled: pd.DataFrame) -> None:
    """How large states and their changes are, in the mean over all worlds."""
    for name in ("state_magnitude", "residual_magnitude"):
        label, color, style = LOOKS[name]
        axes.plot(pooled["step"], pooled[name], color=color, linestyle=style, label=label, lw=1.3)
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", nbins=4)


def draw_marks(axes: Axes, marks: Sequence[Mark], label: bool = True) -> None:
    """A line at each perturbation; its label above the axes, lifted where two would collide."""
    from matplotlib.transforms import ScaledTranslation

    start, end = axes.get_xlim()
    points = axes.get_window_extent().width * 72 / DPI
    reach: list[float] = []  # where each line of labels ends so far, in points
    for mark in marks:
        if mark.end > mark.start:
            axes.axvspan(mark.start, mark.end, color=INK, alpha=0.08, linewidth=0)
        axes.axvline(mark.start, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
        if not label:
            continue
        at = (mark.start - start) / (end - start) * points
        level = next((n for n, until in enumerate(reach) if at > until), len(reach))
        reach[level : level + 1] = [at + 3.9 * len(mark.label) + 6]
        lift = ScaledTranslation(0, (3 + 10 * level) / 72, axes.figure.dpi_scale_trans)
        lifted = axes.get_xaxis_transform() + lift
        near_end = at + 3.9 * len(mark.label) > points
        axes.text(
            mark.start,
            1.0,
            mark.label,
            transform=lifted,
            size=7.5,
            color=INK,
            ha="right" if near_end else "left",
            va="bottom",
            parse_math=False,
        )


def draw_key(axes: Axes, side: Literal["left", "right"]) -> None:
    """The legend in one line: under the axes' left end, or above their right end."""
    left = side == "left"
    axes.legend(
        loc="upper left" if left else "lower right",
        bbox_to_anchor=(0, -0.13) if left else (1, 1.0),
        ncols=6,
        frameon=False,
        fontsize=8,
        labelcolor=INK,
        borderpad=0,
        borderaxespad=0,
        handlelength=2.6,
        columnspacing=1.8,
    )
