"""Figures of a stress suite: one for each family, and the risk–coverage curves.

Settings stand side by side at equal distances, each below an example: one picture whose cells have
the colour of the class they decide on. Lines differ in colour (Okabe and Ito 2008), dash and
marker, so that each of the three is enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from swarm_nca.recording.paper import INK, OKABE_ITO, QUIET, Paper, draw_key
from swarm_nca.render import Rgb
from swarm_nca.stress.families import Family, Fault, Setting
from swarm_nca.stress.measuring import SCORES, Row
from swarm_nca.stress.pictures import PAIRED
from swarm_nca.stress.trust import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Colour, dash and marker of each score.
_STYLES: Mapping[str, tuple[str, Any, str]] = {
    "cell_accuracy": (OKABE_ITO[0], "-", "o"),
    "vote_accuracy": (OKABE_ITO[2], (0, (6, 2, 1.2, 2)), "s"),
    "total_agreement": (OKABE_ITO[6], (0, (6, 2)), "D"),
    "agree_though_wrong": (OKABE_ITO[1], (0, (3, 1.5)), "^"),
    "abstains": (OKABE_ITO[3], (0, (1.2, 1.2)), "v"),
    "label_flips": (OKABE_ITO[4], "-", "P"),
}

_WIDTH, _LEFT, _RIGHT, _TILE = 1320, 110, 40, 96


def family_figure(
    family: Family,
    rows: Sequence[Row],
    examples: Sequence[Rgb],
    notes: Sequence[str],
) -> Paper:
    """The figure of a family.

    Args:
        rows: of all its settings, in order.
        examples: one picture for each setting; none for a matrix of pairs.
        notes: lines at the foot.
    """
    if isinstance(family, Fault):
        return _fault_figure(family, rows, examples, notes)
    if not examples:
        return _pairs_figure(family, rows, notes)
    return _shift_figure(family, rows, examples, notes)


def _shift_figure(
    family: Family, rows: Sequence[Row], examples: Sequence[Rgb], notes: Sequence[str]
) -> Paper:
    paper = Paper(_WIDTH, 850 + 24 * len(notes))
    wide = _WIDTH - _LEFT - _RIGHT
    _title(paper, family)
    _strip(paper, examples, _LEFT, wide, 70)
    axes = paper.axes(_LEFT, 190, wide, 390)
    names = [name for name in SCORES if name != "label_flips" and _measured(rows, name)]
    if not _measured(rows, "vote_accuracy"):  # every answer is wrong, so agreement says no more
        names = ["agree_though_wrong", "abstains"]
    _draw(axes, rows, names)
    _settings_axis(axes, [row.setting for row in rows], "", wide)
    axes.set_xticklabels([])
    draw_key(axes, (0, -12 / 390), 5, handlelength=3.4)
    below = paper.axes(_LEFT, 660, wide, 110)
    _draw(below, rows, ["label_flips"], top=None)
    below.set_title("cells that change their class in a step", loc="left", size=9, color=INK)
    _settings_axis(below, [row.setting for row in rows], family.axis, wide)
    _foot(paper, notes)
    return paper


def _fault_figure(
    family: Family, rows: Sequence[Row], examples: Sequence[Rgb], notes: Sequence[str]
) -> Paper:
    paper = Paper(_WIDTH, 848 + 24 * len(notes))
    _title(paper, family)
    wide = _WIDTH - _LEFT - _RIGHT
    _strip(paper, examples, _LEFT, wide, 70)
    steps = sorted({(row.after, row.step) for row in rows})
    panel = (wide - 40 * (len(steps) - 1)) // len(steps)
    names = ["cell_accuracy", "vote_accuracy", "total_agreement", "agree_though_wrong"]
    last_fault = max(step for after, step in steps if not after)
    for number, (after, step) in enumerate(steps):
        here = [row for row in rows if (row.after, row.step) == (after, step)]
        x = _LEFT + number * (panel + 40)
        axes = paper.axes(x, 226, panel, 330)
        _draw(axes, here, names)
        words = f"{step - last_fault} steps after the fault" if after else f"step {step:,}"
        axes.set_title(words, loc="left", size=10, color=INK, weight="bold")
        settings = [row.setting for row in here]
        _settings_axis(axes, settings, "", panel)
        axes.set_xticklabels([])
        below = paper.axes(x, 634, panel, 110)
        _draw_steps(below, here)
        _settings_axis(below, settings, family.axis, panel)
        if number:
            axes.set_yticklabels([])
        else:
            draw_key(axes, (0, -12 / 330), 5, handlelength=3.4)
            below.set_title("steps to agreement (median)", loc="left", size=9, color=INK)
    _foot(paper, notes)
    return paper


def _pairs_figure(family: Family, rows: Sequence[Row], notes: Sequence[str]) -> Paper:
    """A matrix: the share of abstentions of each pair of classes."""
    names = list(dict.fromkeys(name for row in rows for name in _pair(row)))
    values = np.full((len(names), len(names)), np.nan)
    for row in rows:
        one, other = _pair(row)
        values[names.index(other), names.index(one)] = row.shares["abstains"].value
    side = 760
    turned = max(map(len, names)) > 2
    room = 220 if turned else 160
    paper = Paper(_LEFT + side + 180, room + side + 24 * len(notes))
    _title(paper, family)
    axes = paper.axes(_LEFT, 70, side, side)
    axes.imshow(values, cmap="Blues", vmin=0.0, vmax=1.0)
    for (down, across), value in np.ndenumerate(values):
        if not math.isnan(value):
            color = "white" if value > 0.55 else INK
            axes.text(
                across, down, f"{100 * value:.0f}", ha="center", va="center", size=9, color=color
            )
    axes.grid(visible=False)
    axes.set_xlim(-0.5, len(names) - 1.5)  # a class has no pair with itself
    axes.set_ylim(len(names) - 0.5, 0.5)
    axes.set_xticks(range(len(names) - 1), names[:-1], rotation=90 if turned else 0)
    axes.set_yticks(range(1, len(names)), names[1:])
    axes.tick_params(labelsize=9, labelcolor=INK, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    _foot(paper, ["Percent of the pictures on which the swarm abstains.", *notes[:1]])
    return paper


def trust_figure(curves: Sequence[Curve], notes: Sequence[str]) -> Paper:
    """Risk over coverage, a line for each signal, the best first."""
    paper = Paper(_WIDTH, 710 + 24 * len(notes))
    paper.text(_LEFT, 40, "risk over coverage", 11, weight="bold")
    axes = paper.axes(_LEFT, 70, _WIDTH - _LEFT - _RIGHT, 420)
    looks = list(_STYLES.values())
    for number, curve in enumerate(curves):
        color, dash, marker = looks[number % len(looks)]
        place = np.linspace(0, len(curve.risk) - 1, 200).round().astype(int)
        risk = np.asarray(curve.risk)[place]
        coverage = (place + 1) / len(curve.risk)
        label = f"{curve.signal}: AUROC {curve.auroc:.3f}, AURC {curve.aurc:.3f}"
        axes.plot(
            coverage,
            risk,
            color=color if number < len(looks) else QUIET,
            linestyle=dash,
            marker=marker,
            markevery=(number * 3, 24),
            markersize=4.5,
            lw=1.5,
            label=label,
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, None)
    _percent(axes.xaxis)
    _percent(axes.yaxis)
    axes.set_xlabel("pictures answered, those of most trust first", size=8.5, color=QUIET)
    axes.set_ylabel("wrong among them", size=8.5, color=QUIET)
    draw_key(axes, (0, -0.2), 2, size=8, handlelength=4)
    _foot(paper, notes)
    return paper


def _draw(axes: Axes, rows: Sequence[Row], names: Sequence[str], top: float | None = 1.03) -> None:
    """Scores with intervals over the numbers of the settings."""
    joined = all(isinstance(row.setting, float) for row in rows)
    for number, name in enumerate(names):
        color, dash, marker = _STYLES[name]
        shares = [row.shares[name] for row in rows]
        middle = np.array([share.value for share in shares])
        low = np.array([share.low for share in shares])
        high = np.array([share.high for share in shares])
        apart = 0.0 if joined else 0.12 * (number - (len(names) - 1) / 2)
        x = np.arange(len(rows)) + apart
        line: dict[str, Any] = {
            "color": color,
            "marker": marker,
            "markersize": 5,
            "label": SCORES[name],
        }
        if joined:
            axes.plot(x, middle, linestyle=dash, lw=1.6, **line)
            axes.fill_between(x, low, high, color=color, alpha=0.14, linewidth=0)
        else:
            error = np.stack([middle - low, high - middle]).clip(min=0.0)
            axes.errorbar(x, middle, yerr=error, linestyle="none", elinewidth=1.4, **line)
    axes.set_ylim(-0.02 if top else 0.0, top)
    _percent(axes.yaxis)


def _draw_steps(axes: Axes, rows: Sequence[Row]) -> None:
    color = OKABE_ITO[4]
    values = [row.settled for row in rows]
    axes.plot(range(len(rows)), values, color=color, marker="P", markersize=5, lw=1.4)
    highest = max((value for value in values if not math.isnan(value)), default=1.0)
    axes.set_ylim(0, 1.2 * highest)
    axes.locator_params(axis="y", nbins=4)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def _settings_axis(axes: Axes, settings: Sequence[Setting], title: str, wide: float) -> None:
    axes.set_xlim(-0.5, len(settings) - 0.5)
    words = [f"{one:g}".replace("-", "−") if isinstance(one, float) else one for one in settings]
    narrow = max(map(len, words), default=0) * 12 > wide / max(1, len(words))
    axes.set_xticks(range(len(settings)), words)
    if narrow:
        axes.tick_params(axis="x", labelrotation=30)
    axes.set_xlabel(title, size=8.5, color=QUIET)


def _strip(paper: Paper, examples: Sequence[Rgb], left: float, wide: float, top: float) -> None:
    """The examples, each in the middle of its setting's column."""
    column = wide / max(1, len(examples))
    for number, rgb in enumerate(examples):
        x = left + column * (number + 0.5) - rgb.shape[1] / 2
        paper.picture(x, top + (_TILE - rgb.shape[0]) / 2, rgb)


def tile_scale(longest: int, columns: int) -> int:
    """Pixels per cell of examples with a longest side of so many cells, side by side."""
    room = min(_TILE, (_WIDTH - _LEFT - _RIGHT) // max(1, columns) - 6)
    return max(1, room // longest)


def _title(paper: Paper, family: Family) -> None:
    paper.text(_LEFT, 40, family.about, 11, weight="bold")


def _foot(paper: Paper, notes: Sequence[str]) -> None:
    for up, note in enumerate(reversed(notes)):
        paper.text(_LEFT, paper.height - 22 - 24 * up, note, 8, QUIET)


def _percent(axis: Any) -> None:
    axis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")


def _measured(rows: Sequence[Row], name: str) -> bool:
    return any(not math.isnan(row.shares[name].value) for row in rows)


def _pair(row: Row) -> tuple[str, str]:
    """The two classes of a pair."""
    one, _, other = str(row.setting).partition(PAIRED if PAIRED in str(row.setting) else "-")
    return one, other
