"""The figure of the ladder of bits: scores against bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from swarm_nca.measure.intervals import wilson
from swarm_nca.recording.comparison import look
from swarm_nca.recording.paper import INK, QUIET, Paper
from swarm_nca.studies.bits_ladder import FAMILIES, GIVEN, Rung

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 760, 250, 96, 70, 40

#: Letters of the rules that were given.
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

#: Bytes that the axis names.
_TICKS = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000)

#: The lowest share that the axes show, in percent, unless a rung or its bar reaches lower; and the
#: upper end of the axes, with room for labels.
_LOWEST, _HIGHEST = 80, 106

#: Scores of a rung, and the titles of their panels.
_SCORES = {"cells": "cells that show the right class, %", "agreement": "swarms that agree, %"}

#: The scores that have interval bars.
_BARS = ("agreement",)


def ladder_figure(rungs: Sequence[Rung]) -> Paper:
    """Cells and agreement in percent over bytes; families differ in colour, dash and marker."""
    paper = Paper(_LEFT + _WIDTH + 60, _TOP + 2 * _HEIGHT + _GAP + 104)
    paper.text(_LEFT, _TOP - 34, "One rule in fewer and fewer bits", size=10, color=INK)
    letters = _lettered(rungs)
    families = [name for name in FAMILIES if any(rung.family == name for rung in rungs)]
    for panel, (what, title) in enumerate(_SCORES.items()):
        top = _TOP + panel * (_HEIGHT + _GAP)
        paper.text(_LEFT, top - 10, title, size=8, color=INK)
        axes = paper.axes(_LEFT, top, _WIDTH, _HEIGHT)
        for name in families:
            _draw(axes, [rung for rung in rungs if rung.family == name], what, letters)
        axes.set_ylim(_bottom(rungs, what), _HIGHEST)
        axes.set_xscale("log")
        first, last = min(rung.size for rung in rungs) / 1.2, max(rung.size for rung in rungs) * 1.2
        axes.set_xlim(first, last)
        axes.minorticks_off()
        shown = [size for size in _TICKS if first <= size <= last]
        axes.set_xticks(shown, [f"{size:,}" if panel else "" for size in shown])
        if panel:
            axes.set_xlabel("bytes of weights, scales and biases", fontsize=8, color=QUIET)
        else:
            axes.legend(fontsize=7.5, frameon=False, loc="lower right")
    named = (f"{letter}: {name}" for name, letter in letters.items())
    feet = (
        f"{rungs[0].pictures:,} test pictures at step {rungs[0].steps}. "
        "Bars: 95 % interval (Wilson). Numbers: bits or planes.",
        "; ".join(named),
    )
    for number, foot in enumerate(feet):
        paper.text(_LEFT, paper.height - 34 + 16 * number, foot, size=7.5, color=QUIET)
    return paper


def _lettered(rungs: Sequence[Rung]) -> dict[str, str]:
    """The letters of rules that were given, by name."""
    given = [rung.name for rung in rungs if rung.family in GIVEN]
    return dict(zip(given, _LETTERS, strict=False))


def _draw(axes: Any, rungs: Sequence[Rung], what: str, letters: dict[str, str]) -> None:
    """Draw one family: a line with markers, or hollow markers for rules that were given."""
    family = rungs[0].family
    style: dict[str, Any] = dict(look(list(FAMILIES).index(family)))
    if family in GIVEN:
        style |= {"linestyle": "none", "markerfacecolor": "white", "markeredgewidth": 1.4}
    share = np.array([100 * getattr(rung, what) for rung in rungs])
    reach = _reach(rungs, what) if what in _BARS else None
    sizes = [rung.size for rung in rungs]
    axes.errorbar(sizes, share, yerr=reach, capsize=2.5, label=FAMILIES[family], **style)
    for number, rung in enumerate(rungs):
        axes.annotate(
            letters.get(rung.name, rung.name.split(" ")[0]),
            (rung.size, share[number]),
            # Beside the bar; a line that rises leaves the upper left free.
            xytext=(4, -2) if family in GIVEN else (-4, 2),
            textcoords="offset points",
            ha="left" if family in GIVEN else "right",
            va="top" if family in GIVEN else "bottom",
            fontsize=7,
            color=style["color"],
        )


def _bottom(rungs: Sequence[Rung], what: str) -> float:
    """The lower end of the axes, below all points and bars."""
    below = _reach(rungs, what)[0] if what in _BARS else [0.0] * len(rungs)
    ends = (100 * getattr(rung, what) - low for rung, low in zip(rungs, below, strict=True))
    lowest: float = min(_LOWEST, *ends)
    return lowest - (_HIGHEST - lowest) / 10


def _reach(rungs: Sequence[Rung], what: str) -> list[list[float]]:
    """Lengths of the bars below and above, in percent."""
    below, above = [], []
    for rung in rungs:
        share = torch.tensor(getattr(rung, what), dtype=torch.float64)
        low, high = wilson(share, rung.pictures)
        below.append(100 * max(0.0, float(share - low)))
        above.append(100 * max(0.0, float(high - share)))
    return [below, above]
