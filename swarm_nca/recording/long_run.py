"""A long evaluation as one figure: shares above, mean and largest |state| below, over steps.

Without swaps the axis of steps is logarithmic, so that the first steps and the ten-thousandth are
both visible; with swaps it is linear and the swaps are marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from swarm_nca.recording.curves import LOOKS
from swarm_nca.recording.paper import ACCENT, INK, QUIET, Paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHARES = ("cell_accuracy", "total_agreement", "undecided")
_SIZES = ("state_largest", "state_magnitude")
_LEFT, _TOP, _WIDTH, _HEIGHT, _APART, _RIGHT = 96, 116, 1080, 340, 76, 244

#: Pixels between two labels at the ends of lines.
_LABEL = 26

#: Maximum number of swaps marked by lines; the text always gives their number.
_MARKED = 40


def draw(document: Mapping[str, Any], suffix: str) -> bytes:
    """The figure as the bytes of a `.png` or `.pdf` file; see `long_run_figure`."""
    return long_run_figure(document).file(suffix)


def long_run_figure(document: Mapping[str, Any]) -> Paper:
    """The figure of a file written by `swarm-nca evaluate --json`.

    Args:
        document: its `curve` is drawn; null values leave a gap, and steps at which cells have no
            finite numbers are marked.
    """
    table = pd.DataFrame(document["curve"]).astype(float)
    paper = Paper(_LEFT + _WIDTH + _RIGHT, _TOP + 2 * _HEIGHT + _APART + 84)
    paper.text(_LEFT, 44, Path(document["rule"]).name, 13, INK, weight="bold")
    paper.text(_LEFT, 72, _about(document), 9, QUIET)
    upper = paper.axes(_LEFT, _TOP, _WIDTH, _HEIGHT)
    lower = paper.axes(_LEFT, _TOP + _HEIGHT + _APART, _WIDTH, _HEIGHT)
    swaps = [swap * document["steps"] for swap in range(1, 1 + document["swaps"])]
    upper.set_ylim(-0.02, 1.02)
    upper.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    _logarithmic(lower, table[list(_SIZES)].to_numpy())
    for axes, names in ((upper, _SHARES), (lower, _SIZES)):
        _across(axes, float(table["step"].iloc[-1]), swaps)
        _lines(axes, table, names, swaps)
    lower.set_xlabel("step", size=9, color=QUIET)
    _mark_nonfinite(lower, table)
    return paper


def _about(document: Mapping[str, Any]) -> str:
    pictures, labelled, swaps = (document[key] for key in ("pictures", "labelled", "swaps"))
    facts = [f"{pictures:,} pictures of {document['dataset']}", document["protocol"]]
    if 0 < labelled < pictures:
        facts.insert(1, f"accuracy of the {labelled:,} with a class of the rule")
    if swaps:
        many = "1 swap" if swaps == 1 else f"{swaps:,} swaps"
        facts.append(f"{many}, {document['steps']:,} steps each")
    return "  ·  ".join([*facts, f"seed {document['seed']}"])


def _logarithmic(axes: Axes, values: npt.NDArray[np.float64]) -> None:
    """A logarithmic scale of whole decades that holds all values."""
    known = np.log10(values[np.isfinite(values) & (values > 0)])
    low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
    axes.set_yscale("log")
    axes.set_ylim(10 ** np.floor(low), 10 ** max(np.ceil(high), np.floor(low) + 1))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: "")


def _across(axes: Axes, last: float, swaps: Sequence[int]) -> None:
    """The axis of steps: linear with marked swaps, or logarithmic without swaps."""
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    if swaps:
        axes.set_xlim(0, last)
        for swap in swaps if len(swaps) <= _MARKED else ():
            axes.axvline(swap, color=INK, linewidth=0.6, linestyle=(0, (3, 2)), alpha=0.6)
    else:
        axes.set_xscale("log")
        axes.set_xlim(1, max(last, 2.0))
        decades = [10.0**n for n in range(8) if 10**n < 0.6 * last]
        axes.set_xticks([*decades, last])
        axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")


def _lines(axes: Axes, table: pd.DataFrame, names: Sequence[str], swaps: Sequence[int]) -> None:
    """Lines that break at swaps, each with a label at its end; labels are placed from the top."""
    ends = []
    phase = np.searchsorted(swaps, table["step"], side="left")
    for name in names:
        if table[name].isna().all():
            continue
        _, color, style = LOOKS[name]
        for _, part in table.groupby(phase):
            axes.plot(part["step"], part[name], color=color, linestyle=style, lw=1.6)
        last = float(table[name].dropna().iloc[-1])
        height = axes.transData.transform((1, last))[1] - axes.bbox.y0
        ends.append((height, name, last))
    free = axes.bbox.height
    for height, name, last in sorted(ends, reverse=True):
        label, color, _ = LOOKS[name]
        value = f"{last:.3g}" if name in _SIZES else f"{100 * last:.1f} %"
        if np.isnan(table[name].iloc[-1]):
            value = "∞" if table["nonfinite"].iloc[-1] else "–"
        free = min(height, free)
        axes.annotate(
            f"{label}  {value}",
            (1, free / axes.bbox.height),
            xycoords="axes fraction",
            xytext=(8, 0),
            textcoords="offset points",
            size=8.5,
            color=color,
            va="center",
            annotation_clip=False,
        )
        free -= _LABEL


def _mark_nonfinite(axes: Axes, table: pd.DataFrame) -> None:
    wrong = table[table["nonfinite"] > 0]
    if len(wrong):
        first = wrong["step"].iloc[0]
        axes.axvspan(first, table["step"].iloc[-1], color=ACCENT, alpha=0.12, linewidth=0)
        axes.set_title(
            f"no finite numbers in {wrong['nonfinite'].max():,.0f} cells, from step {first:,.0f}",
            loc="right",
            size=9,
            color=ACCENT,
        )
