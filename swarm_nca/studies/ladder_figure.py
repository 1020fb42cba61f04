"""The figure of the ladder of bits: scores against bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from swarm_nca.measure.intervals import wilson
from swarm_nca.recording.comparison import look
from swarm_nca.recording.paper import INK, QUIET, Paper
from swarm_nca.studies.bits_ladder import Rung

_WIDTH, _HEIGHT, _LEFT, _TOP = 760, 420, 96, 70

#: The lowest share that the axis shows, in percent, unless a rung lies lower.
_LOWEST = 80


def ladder_figure(rungs: Sequence[Rung]) -> Paper:
    """Cells and agreement in percent over bytes; lines differ in colour, dash and marker.

    Hollow markers are rules that were trained in bits. Lines join the others.
    """
    paper = Paper(_LEFT + _WIDTH + 60, _TOP + _HEIGHT + 130)
    paper.text(_LEFT, _TOP - 24, "One rule in fewer and fewer bits", size=10, color=INK)
    axes = paper.axes(_LEFT, _TOP, _WIDTH, _HEIGHT)
    joined = [rung for rung in rungs if not rung.trained]
    trained = [rung for rung in rungs if rung.trained]
    for number, (what, label) in enumerate(
        (("cells", "cells that show the right class"), ("agreement", "swarms that agree"))
    ):
        style = look(number)
        for group, shown in (
            (joined, {"label": label}),
            (trained, {"linestyle": "none", "markerfacecolor": "white", "markeredgewidth": 1.4}),
        ):
            if group:
                share = np.array([100 * getattr(rung, what) for rung in group])
                reach = _reach(group, what) if what == "agreement" else None
                sizes = [rung.size for rung in group]
                axes.errorbar(sizes, share, yerr=reach, capsize=2.5, **style | shown)
    lowest = min(100 * min(rung.cells, rung.agreement) for rung in rungs)
    axes.set_ylim(min(_LOWEST, lowest - 3), 101)
    axes.set_xscale("log")
    sizes = [rung.size for rung in rungs]
    axes.set_xlim(min(sizes) / 1.25, max(sizes) * 1.25)
    axes.set_xticks(sizes, [f"{rung.name}\n{rung.size:,}" for rung in rungs], fontsize=7)
    axes.minorticks_off()
    axes.set_xlabel("bytes of weights, scales and biases", fontsize=8, color=QUIET)
    axes.set_ylabel(f"share at step {rungs[0].steps}, %", fontsize=8, color=QUIET)
    axes.legend(fontsize=7.5, frameon=False, loc="lower right")
    feet = (
        f"{rungs[0].pictures:,} test pictures. Bars: 95 % interval (Wilson).",
        "Lines: floats, and rounding without training. Hollow: trained in bits.",
    )
    for number, foot in enumerate(feet):
        paper.text(_LEFT, paper.height - 36 + 16 * number, foot, size=7.5, color=QUIET)
    return paper


def _reach(rungs: Sequence[Rung], what: str) -> list[list[float]]:
    """Lengths of the bars below and above, in percent."""
    below, above = [], []
    for rung in rungs:
        share = torch.tensor(getattr(rung, what), dtype=torch.float64)
        low, high = wilson(share, rung.pictures)
        below.append(100 * max(0.0, float(share - low)))
        above.append(100 * max(0.0, float(high - share)))
    return [below, above]
