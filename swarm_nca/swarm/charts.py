"""Charts of a swarm for a `SolaraViz` page: metrics over time, and histograms of its agents.

The functions of this module need the extra `solara`; `swarm_nca.swarm.visualization` exports them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import solara
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from mesa.visualization import make_plot_component
from mesa.visualization.utils import update_counter

from swarm_nca.measure.metrics import METRICS
from swarm_nca.swarm.model import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Curves that colour-blind readers tell apart (Okabe and Ito 2008).
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#1b1f24")

_SILENT = "#1b1f24"
_WIDTH, _HEIGHT = 6.4, 4.0  # inches
_BINS = 30

#: Names below bars: beyond so many letters in all they stand upright, each cut at `_LONGEST`.
_LETTERS, _LONGEST = 45, 18


def metrics_chart(swarm: Swarm) -> Any:
    """Mesa's plot component of everything that the swarm's data collector records."""
    names = list(swarm.datacollector.model_reporters)
    shares = all(name in METRICS and METRICS[name].share for name in names)

    def finish(ax: Axes) -> None:
        if isinstance(ax.figure, Figure):
            ax.figure.set_size_inches(_WIDTH, _HEIGHT)
        for line in ax.lines:
            line.set_label(str(line.get_label()).replace("_", " "))
        if shares:
            ax.set_ylim(-0.02, 1.02)
            ax.yaxis.set_major_formatter(PercentFormatter(1.0))
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
        _plain(ax)

    colors = {name: _COLORS[i % len(_COLORS)] for i, name in enumerate(names)}
    return make_plot_component(colors, post_process=finish)


def counts_of_agents(swarm: Swarm) -> dict[str, int]:
    """How many agents show each of the read-out's names, and how many show none, in this order."""
    rule = swarm.rule
    shown = Counter(rule.readout.shown(swarm.states, rule.shown_above).tolist())
    names = (*rule.readout.names, rule.readout.silent)
    return {name: shown[i if i < len(names) - 1 else -1] for i, name in enumerate(names)}


@solara.component  # type: ignore[untyped-decorator]
def decisions_histogram(model: Swarm) -> None:
    """Agents by what they show (of classes: what they have decided), in the read-out's colours."""
    update_counter.get()
    counts, readout = counts_of_agents(model), model.rule.readout
    ax = _axes()
    colors = ["#{:02x}{:02x}{:02x}".format(*color) for color in readout.colors]
    bars = ax.bar(list(counts), list(counts.values()), color=[*colors, _SILENT])
    ax.bar_label(bars, [str(count) if count else "" for count in counts.values()])
    ax.set_ylim(0, 1.08 * max(1, len(model.rows)))
    ax.set_ylabel("agents")
    ax.set_xlabel(f"what agents show: {readout.title.lower()}")
    if sum(map(len, counts)) > _LETTERS:
        labels = [name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…" for name in counts]
        ax.set_xticks(range(len(counts)), labels, rotation=90)
        ax.figure.subplots_adjust(bottom=0.42)
    _show(ax)


@solara.component  # type: ignore[untyped-decorator]
def states_histogram(model: Swarm) -> None:
    """Agents by what they hold in one channel, which a menu chooses."""
    update_counter.get()
    names = channel_names(model)
    # The true class's channel, where there is one.
    usual = model.rule.readout.channels(len(names)).start + max(0, int(model.world.label))
    chosen, choose = solara.use_state(names[usual])
    channel = names.index(chosen) if chosen in names else usual
    solara.Select("Channel of the states", values=names, value=names[channel], on_value=choose)
    held = np.array([agent.state[channel] for agent in model.agents])
    counts, edges = np.histogram(held[np.isfinite(held)], bins=_BINS)
    ax = _axes()
    ax.stairs(counts, edges, fill=True, color=_COLORS[0])
    ax.set_ylabel("agents")
    ax.set_xlabel(f"state, {names[channel]}")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    _show(ax)


def channel_names(swarm: Swarm) -> list[str]:
    """A name for each state channel: its number, and what the read-out calls it."""
    rule = swarm.rule
    named = [(i, rule.readout.channel_name(i, rule.channels)) for i in range(rule.channels)]
    return [f"channel {i}" + (f" ({name})" if name else "") for i, name in named]


def _axes() -> Axes:
    # Fixed margins: `bbox_inches="tight"` would draw every figure twice.
    figure = Figure(figsize=(_WIDTH, _HEIGHT))
    figure.subplots_adjust(left=0.12, right=0.98, bottom=0.16, top=0.96)
    return figure.add_subplot()


def _plain(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)


def _show(ax: Axes) -> None:
    _plain(ax)
    solara.FigureMatplotlib(ax.figure, format="png")
