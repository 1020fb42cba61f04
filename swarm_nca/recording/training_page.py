"""The page of a training: held-out scores, loss over iterations, a labelled strip, the recipe.

It has the look of a run's report and, like it, holds its style and pictures inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from swarm_nca.measure.wording import is_share, title, unit
from swarm_nca.recording.comparison import logarithmic
from swarm_nca.recording.paper import OKABE_ITO, QUIET, Paper
from swarm_nca.recording.report import data_uri, template, yaml_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The signature of a PNG file; a task may give something else as its strip.
_PNG = b"\x89PNG"

_WIDTH, _LEFT, _TOP, _HEIGHT, _APART = 1_680, 110, 56, 300, 76

#: Log rows averaged in one smooth line: this part of all.
_SMOOTH = 0.04


@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """What the page shows.

    Attributes:
        name: of the recipe.
        recipe: the resolved recipe, YAML.
        log: one row per `log_every` iterations: `iteration`, `loss`, and the task's metrics.
        metrics: names of the task's metrics, columns of the log.
        strip: a picture of results, PNG.
        captions: of the strip's columns; may be empty.
        scores: percentages or errors on held-out data, by name; may be empty.
        scored_on: the data of the scores, or why there are none.
        facts: short phrases below the title.
        origin: names and values, such as the rule's hash and the machine.
    """

    name: str
    recipe: str
    log: pd.DataFrame
    metrics: Sequence[str]
    strip: bytes
    captions: Sequence[str] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    scored_on: str = ""
    facts: Sequence[str] = ()
    origin: Mapping[str, str] = field(default_factory=dict)


def read_log(file: Path) -> pd.DataFrame:
    """The log of a training, a CSV file."""
    return pd.read_csv(file)


def training_html(training: Training) -> str:
    """The page as HTML."""
    pictured = training.strip.startswith(_PNG)
    return template("training.html.jinja").render(
        name=training.name,
        facts=training.facts,
        scores=[(title(name), f"{value:g}{unit(name)}") for name, value in training.scores.items()],
        scored_on=training.scored_on,
        curves=data_uri("curves.png", curves_png(training)) if len(training.log) else "",
        strip=data_uri("strip.png", training.strip) if pictured else "",
        captions=training.captions,
        recipe=list(yaml_lines(training.recipe)),
        origin=list(training.origin.items()),
    )


def curves_png(training: Training) -> bytes:
    """Loss over iterations, logarithmic; below it the task's first metric, if there is one."""
    metrics = list(training.metrics[:1])
    panels = 1 + len(metrics)
    paper = Paper(_WIDTH, _TOP + panels * (_HEIGHT + _APART) + 10)
    for number, column in enumerate(["loss", *metrics]):
        axes = paper.axes(_LEFT, _TOP + number * (_HEIGHT + _APART), _WIDTH - _LEFT - 48, _HEIGHT)
        _curve(axes, training.log, column)
    axes.set_xlabel("iteration", size=8, color=QUIET)
    return paper.png()


def _curve(axes: Axes, log: pd.DataFrame, column: str) -> None:
    share = is_share(column)
    steps, values = log["iteration"], log[column].astype(float).replace([np.inf, -np.inf], np.nan)
    color = OKABE_ITO[0 if share else 1]
    smooth = values.rolling(max(1, round(_SMOOTH * len(log))), min_periods=1).mean()
    axes.plot(steps, values, color=color, lw=0.8, alpha=0.35)
    axes.plot(steps, smooth, color=color, lw=1.8)
    if len(log) == 1:
        axes.plot(steps, values, color=color, marker="o")
    axes.set_title(title(column), loc="left", size=9, pad=8)
    if share:
        axes.set_ylim(-0.02, 1.02)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    elif (values.dropna() > 0).all() and len(values.dropna()):
        logarithmic(axes)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
