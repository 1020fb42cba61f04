"""The figure of a roofline: how fast steps are, below what the processor can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from swarm_nca.measure.limits import Limits
from swarm_nca.recording.comparison import look
from swarm_nca.recording.paper import INK, QUIET, Paper

_WIDTH, _HEIGHT, _LEFT, _TOP = 700, 380, 96, 70


class Dot(NamedTuple):
    """One measured task.

    Fields:
        name: in the key.
        intensity: operations per byte of memory traffic.
        flops: operations per second.
        flops_bfloat16: the same with products in bfloat16.
    """

    name: str
    intensity: float
    flops: float
    flops_bfloat16: float


def roofline(limits: Limits, dots: Sequence[Dot], about: str) -> Paper:
    """Operations per second over arithmetic intensity, both logarithmic, below the two roofs.

    Args:
        limits: the roofs.
        dots: measured tasks.
        about: the line below the figure: processor, threads.
    """
    paper = Paper(_LEFT + _WIDTH + 190, _TOP + _HEIGHT + 112)
    paper.text(_LEFT, _TOP - 40, "Steps below the limits of the processor", size=10, color=INK)
    paper.text(_LEFT, _TOP - 12, "GFLOP/s", size=8, color=INK)
    axes = paper.axes(_LEFT, _TOP, _WIDTH, _HEIGHT)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,g}")
    across = np.geomspace(0.5, 4 * max(dot.intensity for dot in dots), 200)
    memory = across * limits.bandwidth / 1e9
    for flops, dash, name in (
        (limits.flops_bfloat16, "--", "bfloat16"),
        (limits.flops, "-", "float32"),
    ):
        roof = np.minimum(memory, flops / 1e9)
        axes.plot(across, roof, color=INK, linestyle=dash, linewidth=1.4)
        axes.annotate(
            f"products in {name}: {flops / 1e9:,.0f}",
            (across[-1], roof[-1]),
            xytext=(-4, 4),
            textcoords="offset points",
            ha="right",
            fontsize=7.5,
            color=INK,
        )
    for number, dot in enumerate(dots):
        style = look(number) | {"linestyle": "none", "markersize": 6, "markeredgewidth": 1.4}
        axes.plot([dot.intensity], [dot.flops / 1e9], label=dot.name, **style)
        hollow = style | {"markerfacecolor": "white"}
        axes.plot([dot.intensity], [dot.flops_bfloat16 / 1e9], **hollow)
    axes.set_xlim(across[0], across[-1])
    axes.set_xlabel(
        "arithmetic intensity: operations per byte of memory traffic", fontsize=8, color=QUIET
    )
    axes.legend(fontsize=7.5, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    paper.text(_LEFT, paper.height - 28, about, size=7.5, color=QUIET)
    bandwidth = (
        f"Slope: a copy moves {limits.bandwidth / 1e9:,.0f} GB/s. Hollow: products in bfloat16."
    )
    paper.text(_LEFT, paper.height - 10, bandwidth, size=7.5, color=QUIET)
    return paper
