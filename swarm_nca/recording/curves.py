"""Curves of one run's metrics over steps, readable in grey and by colour-blind readers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import pandas as pd

from swarm_nca.recording.moments import Mark, largest_votes
from swarm_nca.recording.paper import INK, OKABE_ITO, QUIET, draw_key
from swarm_nca.recording.run import Frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Each metric's label, colour and line style.
LOOKS = {
    "cell_accuracy": ("cell accuracy", OKABE_ITO[0], "-"),
    "total_agreement": ("total agreement", OKABE_ITO[1], (0, (6, 2))),
    "vote_accuracy": ("vote accuracy", OKABE_ITO[2], "-."),
    "agree_and_correct": ("agree and correct", OKABE_ITO[3], (0, (2, 1))),
    "undecided": ("undecided", QUIET, (0, (1, 1.2))),
    "alive": ("cells alive", OKABE_ITO[2], "-"),
    "error": ("mean squared error", OKABE_ITO[1], "-"),
    "state_magnitude": ("mean |state|", OKABE_ITO[6], "-"),
    "state_largest": ("largest |state|", OKABE_ITO[1], (0, (6, 2))),
    "residual_magnitude": ("mean |change|", OKABE_ITO[5], (0, (4, 1.5))),
}


def draw_shares(axes: Axes, pooled: pd.DataFrame, names: Sequence[str], alone: bool) -> None:
    """Shares over steps, of all worlds; a metric that is nan at every step is left out.

    A world `alone` either agrees or not: agreement is drawn as shaded steps, not as a line.
    """
    steps = pooled["step"]
    for name in names:
        if pooled[name].isna().all():
            continue
        label, color, style = LOOKS[name]
        if alone and name == "total_agreement":
            if not (pooled[name] == 1).any():
                continue
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


def draw_votes(axes: Axes, frames: Sequence[Frame], shown_above: float) -> None:
    """The share of cells with the most common class, for runs without labels."""
    steps, shares = largest_votes(frames, shown_above)
    axes.plot(steps, shares, color=OKABE_ITO[0], label="largest vote", lw=1.6)


def draw_counts(axes: Axes, pooled: pd.DataFrame) -> None:
    """The number of alive cells, of all worlds."""
    label, color, style = LOOKS["alive"]
    axes.plot(pooled["step"], pooled["alive"], color=color, linestyle=style, label=label, lw=1.6)
    axes.set_ylim(0, 1.08 * max(1.0, float(pooled["alive"].max())))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def draw_error(axes: Axes, pooled: pd.DataFrame) -> None:
    """The mean squared error to the target, on a logarithmic scale."""
    label, color, style = LOOKS["error"]
    axes.plot(pooled["step"], pooled["error"], color=color, linestyle=style, label=label, lw=1.3)
    from matplotlib.ticker import LogLocator, NullLocator

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=12))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def draw_magnitudes(
    axes: Axes,
    pooled: pd.DataFrame,
    names: Sequence[str] = ("state_magnitude", "residual_magnitude"),
) -> None:
    """Magnitudes of states and of their changes, as means over all worlds."""
    for name in names:
        label, color, style = LOOKS[name]
        axes.plot(pooled["step"], pooled[name], color=color, linestyle=style, label=label, lw=1.3)
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", nbins=4)


def draw_marks(axes: Axes, marks: Sequence[Mark], label: bool = True) -> None:
    """A line at each perturbation, with its label above the axes; see `label_places`."""
    from matplotlib.transforms import ScaledTranslation

    places = label_places(marks, axes.get_xlim(), axes.get_window_extent().width)
    for mark, (level, ends_there) in zip(marks, places, strict=True):
        if mark.end > mark.start:
            axes.axvspan(mark.start, mark.end, color=INK, alpha=0.08, linewidth=0)
        axes.axvline(mark.start, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
        if not label:
            continue
        lift = ScaledTranslation(0, (3 + 10 * level) / 72, axes.figure.dpi_scale_trans)
        lifted = axes.get_xaxis_transform() + lift
        axes.text(
            mark.start,
            1.0,
            mark.label,
            transform=lifted,
            size=7.5,
            color=INK,
            ha="right" if ends_there else "left",
            va="bottom",
            parse_math=False,
        )


def label_places(
    marks: Sequence[Mark], span: tuple[float, float], width: float
) -> list[tuple[int, bool]]:
    """Places of labels without overlap.

    Args:
        span, width: the first and last step of the axes, and their width in pixels.

    Returns:
        For each mark, the line of its label (0 is next to the axes), and whether the label ends at
        the mark (if there is no room to the right) instead of beginning there.
    """
    start, end = span
    taken: list[list[tuple[float, float]]] = []
    places = []
    for mark in marks:
        at, long = (mark.start - start) / (end - start) * width, 7.8 * len(mark.label) + 12
        ends_there = at + long - 12 > width and at > width / 2
        left, right = (at - long, at) if ends_there else (at, at + long)
        level = next(
            (n for n, line in enumerate(taken) if all(left >= b or right <= a for a, b in line)),
            len(taken),
        )
        if level == len(taken):
            taken.append([])
        taken[level].append((left, right))
        places.append((level, ends_there))
    return places


def draw_curves_key(axes: Axes, side: Literal["left", "right"]) -> None:
    """The legend in one line: under the axes' left end, or above their right end."""
    left = side == "left"
    draw_key(
        axes,
        (0, -0.13) if left else (1, 1.0),
        6,
        size=8,
        corner="upper left" if left else "lower right",
        handlelength=2.6,
        columnspacing=1.8,
    )
