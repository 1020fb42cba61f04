"""Curves of metrics over steps, of one run or of several rules, readable in grey, by any eyes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import pandas as pd

from swarm_nca.recording.moments import Mark
from swarm_nca.recording.paper import DPI, INK, LINE_STYLES, OKABE_ITO, QUIET, Paper

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
    "residual_magnitude": ("mean |change|", OKABE_ITO[5], (0, (4, 1.5))),
}


def draw_shares(axes: Axes, metrics: pd.DataFrame, names: Sequence[str]) -> None:
    """Shares over steps, the mean of all worlds; a metric that nobody could measure is left out.

    With a single world agreement is either there or not: it is drawn as a shaded time, not a line.
    """
    mean = metrics.drop(columns="world").groupby("step").mean()
    alone = metrics["world"].nunique() == 1
    for name in names:
        if mean[name].isna().all():
            continue
        label, color, style = LOOKS[name]
        if alone and name == "total_agreement":
            axes.fill_between(
                mean.index,
                0,
                1,
                where=(mean[name] == 1).tolist(),
                transform=axes.get_xaxis_transform(),
                color=color,
                alpha=0.13,
                linewidth=0,
                step="mid",
                label="all cells agree",
            )
        else:
            axes.plot(mean.index, mean[name], color=color, linestyle=style, label=label, lw=1.6)
    axes.set_ylim(-0.02, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])


def draw_magnitudes(axes: Axes, metrics: pd.DataFrame) -> None:
    """How large states and their changes are, the mean of all worlds."""
    mean = metrics.drop(columns="world").groupby("step").mean()
    for name in ("state_magnitude", "residual_magnitude"):
        label, color, style = LOOKS[name]
        axes.plot(mean.index, mean[name], color=color, linestyle=style, label=label, lw=1.3)
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


def curves(
    tables: Mapping[str, pd.DataFrame],
    names: Sequence[str] = ("cell_accuracy", "total_agreement"),
    marks: Sequence[Mark] = (),
) -> bytes:
    """Several rules' curves, one panel per metric, as a PNG file.

    Args:
        tables: by name, a table with a column `step` and one per metric, shares in [0, 1].
        names: which metrics.
        marks: perturbations to point out.
    """
    side, left, top = 620, 96, 96
    paper = Paper(left + len(names) * (side + 90), top + 400 + 90 + 26 * len(tables))
    for number, name in enumerate(names):
        axes = paper.axes(left + number * (side + 90), top, side, 400)
        for line, (label, table) in enumerate(tables.items()):
            color, style = OKABE_ITO[line % 7], LINE_STYLES[line % 7]
            last = table[name].iloc[-1]
            axes.plot(
                table["step"],
                table[name],
                color=color,
                linestyle=style,
                lw=1.6,
                label=f"{label}  {100 * last:.1f} %",
            )
        low = min(float(table[name].min()) for table in tables.values())
        axes.set_ylim(min(0.0, low), 1.02)
        axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
        axes.set_title(LOOKS[name][0], loc="left", size=10, color=INK, weight="bold", pad=22)
        axes.set_xlabel("step", size=8, color=QUIET)
        axes.set_xlim(
            min(int(table["step"].min()) for table in tables.values()),
            max(int(table["step"].max()) for table in tables.values()),
        )
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(0, -0.17),
            frameon=False,
            fontsize=8,
            labelcolor=INK,
            borderaxespad=0,
            handlelength=3,
        )
        draw_marks(axes, marks)
    return paper.png()
