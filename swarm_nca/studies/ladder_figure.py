"""The figure of the ladder of bits: scores against bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from swarm_nca.measure.intervals import wilson
from swarm_nca.recording.comparison import look
from swarm_nca.recording.paper import INK, QUIET, Paper
from swarm_nca.studies.bits_ladder import FAMILIES, Rung

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 760, 250, 96, 70, 40

#: The lowest share that the axes show, in percent, unless a rung lies lower.
_LOWEST = 80

#: Scores of a rung, and the titles of their panels.
_SCORES = {"cells": "cells that show the right class, %", "agreement": "swarms that agree, %"}


def ladder_figure(rungs: Sequence[Rung]) -> Paper:
    """Cells and agreement in percent over bytes; families differ in colour, dash and marker."""
    paper = Paper(_LEFT + _WIDTH + 60, _TOP + 2 * _HEIGHT + _GAP + 190)
    paper.text(_LEFT, _TOP - 34, "One rule in fewer and fewer bits", size=10, color=INK)
    families = [name for name in FAMILIES if any(rung.family == name for rung in rungs)]
    for panel, (what, title) in enumerate(_SCORES.items()):
        top = _TOP + panel * (_HEIGHT + _GAP)
        paper.text(_LEFT, top - 10, title, size=8, color=INK)
        axes = paper.axes(_LEFT, top, _WIDTH, _HEIGHT)
        for name in families:
            _draw(axes, [rung for rung in rungs if rung.family == name], what, name)
        lowest = min(100 * getattr(rung, what) for rung in rungs)
        axes.set_ylim(min(_LOWEST, lowest - 3), 101)
        axes.set_xscale("log")
        sizes = [rung.size for rung in rungs]
        axes.set_xlim(min(sizes) / 1.15, max(sizes) * 1.15)
        axes.minorticks_off()
        names = [f"{rung.name} · {rung.size:,}" if panel else "" for rung in rungs]
        axes.set_xticks(sizes, names, fontsize=6.5, rotation=90)
        if panel:
            axes.set_xlabel("rule · bytes of weights, scales and biases", fontsize=8, color=QUIET)
        else:
            axes.legend(fontsize=7.5, frameon=False, loc="lower right")
    foot = f"{rungs[0].pictures:,} test pictures at step {rungs[0].steps}. "
    foot += "Bars: 95 % interval (Wilson). Only hollow rules were trained in this form."
    paper.text(_LEFT, paper.height - 18, foot, size=7.5, color=QUIET)
    return paper


def _draw(axes: Any, rungs: Sequence[Rung], what: str, family: str) -> None:
    """Draw one family: a line with markers, or hollow markers for rules that were given."""
    style: dict[str, Any] = dict(look(list(FAMILIES).index(family)))
    if family == "given":
        style |= {"linestyle": "none", "markerfacecolor": "white", "markeredgewidth": 1.4}
    share = np.array([100 * getattr(rung, what) for rung in rungs])
    reach = _reach(rungs, what) if what == "agreement" else None
    sizes = [rung.size for rung in rungs]
    axes.errorbar(sizes, share, yerr=reach, capsize=2.5, label=FAMILIES[family], **style)


def _reach(rungs: Sequence[Rung], what: str) -> list[list[float]]:
    """Lengths of the bars below and above, in percent."""
    below, above = [], []
    for rung in rungs:
        share = torch.tensor(getattr(rung, what), dtype=torch.float64)
        low, high = wilson(share, rung.pictures)
        below.append(100 * max(0.0, float(share - low)))
        above.append(100 * max(0.0, float(high - share)))
    return [below, above]
