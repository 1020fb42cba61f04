"""The report of a run: one page that carries all it shows, by day, by night and in print.

Nothing is loaded from elsewhere: style and pictures are inside, so the page can be mailed or
archived.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from swarm_nca.measure.metrics import METRICS
from swarm_nca.recording.moments import verdict
from swarm_nca.recording.run import Expectation, Run

#: Shares, by the words a reader knows them by.
_SHARES = {
    "cell_accuracy": "cell accuracy",
    "total_agreement": "total agreement",
    "vote_accuracy": "vote accuracy",
    "agree_and_correct": "agree and correct",
    "undecided": "undecided",
}
_MAGNITUDES = {
    "state_magnitude": "mean |state|",
    "state_largest": "largest |state|",
    "residual_magnitude": "mean |change|",
}
_NONFINITE = {"nonfinite": "cells without finite numbers"}

#: Shares of worlds: of a single one, true or false.
_YES_OR_NO = {
    "total_agreement": "all cells agree",
    "vote_accuracy": "the majority is right",
    "agree_and_correct": "agree, and are right",
}

_TOLD_STEPS = (0, 1, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


def report_html(run: Run, pictures: Mapping[str, bytes], facts: Mapping[str, Any]) -> str:
    """The page.

    Args:
        pictures: WebP and PNG files by name; those that are missing leave no gap.
        facts: the run's provenance.
    """
    style = resources.files("swarm_nca.recording").joinpath("report.css").read_text("utf-8")
    moving = _sheet(pictures, "run.webp", f"The run {run.name} as a moving picture", "low")
    body = [
        _head(run, facts),
        f'<section class="side">{moving}{_figures(run)}</section>',
        _sheet(pictures, "summary.png", "Moments of the run, and its metrics over the steps"),
        f'<section class="side">{_expected(run.expectations)}{_happened(run.events)}</section>',
        _sheet(pictures, "channels.png", "Every channel of the cells' states at a few moments"),
        _numbers(run),
        f'<section class="side">{_scenario(run)}{_origin(facts)}</section>',
        "<footer>Run it again with <code>swarm-nca run scenario.yaml</code>; every number is in "
        "<code>metrics.csv</code>, and of all worlds together in <code>pooled.csv</code>.</footer>",
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(run.name)} – a run of swarm-nca</title>\n<style>\n{style}</style>\n"
        "</head>\n<body>\n<main>\n"
        + "\n".join(filter(None, body))
        + "\n</main>\n</body>\n</html>\n"
    )


def _head(run: Run, facts: Mapping[str, Any]) -> str:
    worlds = facts["worlds"]
    told = [f"rule {Path(run.rule).name}", f"{run.steps:,} steps", f"seed {run.seed}"]
    told += [f"{worlds:,} worlds"] if worlds > 1 else []
    verdict = ""
    if run.expectations:
        met = sum(one.passed for one in run.expectations)
        words = f"{met} of {len(run.expectations)} expectations met"
        verdict = f'<p class="verdict {_state(run.passed)}">{words}</p>'
    spans = "".join(f"<span>{escape(one)}</span>" for one in told)
    return (
        f'<header><div><h1>{escape(run.name)}</h1><p class="facts">{spans}</p></div>'
        f"{verdict}</header>"
    )


def _figures(run: Run) -> str:
    last = run.told_at([run.steps]).iloc[-1]
    labels = _SHARES | (_YES_OR_NO if _alone(run) else {})
    entries = [(label, _value(name, last[name], _alone(run))) for name, label in labels.items()]
    if run.frames and _alone(run):
        entries.insert(0, ("largest vote", verdict(run.frames[-1].world, 0, run.shown_above)))
    cells = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in entries
    )
    return (
        f'<div class="card"><h2>After step {run.steps:,}</h2><dl class="figures">{cells}</dl></div>'
    )


def _expected(expectations: Sequence[Expectation]) -> str:
    if not expectations:
        return ""
    rows = [
        [
            escape(_SHARES.get(one.metric, one.metric.replace("_", " "))),
            _count(one.at),
            _bounds(one),
            _value(one.metric, one.value) + (f" ({one.unknown})" if one.unknown else ""),
            f'<span class="state {_state(one.passed)}">{"met" if one.passed else "missed"}</span>',
        ]
        for one in expectations
    ]
    head = ("metric", "at step", "expected", "found", "")
    return _card("What was expected", _table(head, rows, numbers=(1, 2, 3)))


def _happened(events: pd.DataFrame) -> str:
    if events.empty:
        return ""
    rows = [
        [_count(int(step)), escape(str(kind)), escape(what if isinstance(what, str) else "")]
        for step, kind, what in zip(events["step"], events["kind"], events["what"], strict=True)
    ]
    return _card("What happened", _table(("step", "what", "which"), rows, numbers=(0,)))


def _numbers(run: Run) -> str:
    acted = sorted({int(step) for step in run.events["step"]})[:20]
    wanted = {*_TOLD_STEPS, *acted, *(step + 1 for step in acted), run.steps}
    columns = _SHARES | (_YES_OR_NO if _alone(run) else {}) | _MAGNITUDES
    columns |= _NONFINITE if run.nonfinite else {}
    values = run.told_at(wanted)[list(columns)].to_dict()
    rows = [
        [_count(step), *(_value(name, values[name][step], _alone(run)) for name in columns)]
        for step in sorted(wanted & set(values["undecided"]))
    ]
    table = _table(("step", *columns.values()), rows, numbers=range(len(columns) + 1))
    title = "Numbers" if _alone(run) else f"Numbers, of {run.worlds:,} worlds together"
    return f"<section>{_card(title, table)}</section>"


def _scenario(run: Run) -> str:
    text = re.sub(
        r"^([ ]*(?:- )?(?:\{)?)([\w-]+)(?=:)",
        r"\1<b>\2</b>",
        escape(run.scenario),
        flags=re.MULTILINE,
    )
    return _card("The scenario", f"<pre>{text}</pre>")


def _origin(facts: Mapping[str, Any]) -> str:
    versions, machine = facts["versions"], facts["machine"]
    entries = {
        "rule": facts["rule"],
        "its hash": facts["rule_hash"],
        "seed": facts["seed"],
        "took": "" if facts["seconds"] is None else f"{facts['seconds']:.1f} s",
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "machine": f"{machine['system']} on {machine['processor']}, "
        f"{_counted(machine['cores'], 'core')}, {_counted(machine['threads'], 'thread')}",
    }
    told = "".join(
        f"<dt>{name}</dt><dd>{escape(str(value))}</dd>"
        for name, value in entries.items()
        if value != ""
    )
    return _card("Where the numbers come from", f'<dl class="origin">{told}</dl>')


def _sheet(pictures: Mapping[str, bytes], name: str, words: str, kind: str = "") -> str:
    if name not in pictures:
        return ""
    data = base64.b64encode(pictures[name]).decode()
    source = f"data:image/{name.rsplit('.')[-1]};base64,{data}"
    image = f'<img alt="{escape(words)}" src="{source}">'
    return f'<section class="sheet {kind}">{image}</section>'


def _card(title: str, inside: str) -> str:
    return f'<div class="card"><h2>{title}</h2>{inside}</div>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int]) -> str:
    right = set(numbers)
    look = [' class="number"' if n in right else "" for n in range(len(head))]
    top = "".join(f"<th{how}>{escape(one)}</th>" for how, one in zip(look, head, strict=True))
    lines = "".join(
        "<tr>"
        + "".join(f"<td{how}>{one}</td>" for how, one in zip(look, row, strict=True))
        + "</tr>"
        for row in rows
    )
    table = f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _bounds(one: Expectation) -> str:
    low = "" if one.min is None else f"≥ {_value(one.metric, one.min)}"
    high = "" if one.max is None else f"≤ {_value(one.metric, one.max)}"
    return " and ".join(filter(None, (low, high)))


def _value(metric: str, value: float, alone: bool = False) -> str:
    """A metric in a reader's words; one world agrees or it does not."""
    if math.isnan(value):
        return "–"
    if alone and metric in _YES_OR_NO:
        return "yes" if value == 1 else "no"
    share = metric in METRICS and METRICS[metric].share
    return f"{100 * value:.1f} %" if share else f"{value:.4g}"


def _alone(run: Run) -> bool:
    return run.worlds == 1


def _count(value: int) -> str:
    return f"{value:,}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _state(passed: bool) -> str:
    return "met" if passed else "missed"
