"""The report of a run: one self-contained HTML page, for light and dark themes and for print.

Style and pictures are inside the page, so it can be mailed or archived. This module computes the
texts; `report.html.jinja` places and escapes them.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jinja2
import pandas as pd

from swarm_nca.measure.wording import printed
from swarm_nca.recording.animation import last_frame_png
from swarm_nca.recording.moments import verdict
from swarm_nca.recording.run import Expectation, Run, title_of

#: Labels of shares.
_SHARES = {
    "cell_accuracy": "cell accuracy",
    "total_agreement": "total agreement",
    "vote_accuracy": "vote accuracy",
    "agree_and_correct": "agree and correct",
    "agree_though_wrong": "agree though wrong",
    "abstains": "abstain",
    "undecided": "undecided",
}
_MAGNITUDES = {
    "state_magnitude": "mean |state|",
    "state_largest": "largest |state|",
    "residual_magnitude": "mean |change|",
}
_OTHERS = {"alive": "cells alive", "error": "mean squared error"}
_NONFINITE = {"nonfinite": "cells without finite numbers"}

#: Shares of worlds, which are yes or no for a single world.
_YES_OR_NO = {
    "total_agreement": "all cells agree",
    "vote_accuracy": "the majority is right",
    "agree_and_correct": "all agree and are right",
    "agree_though_wrong": "all agree and are wrong",
    "abstains": "the swarm abstains",
}

_SHOWN_STEPS = (0, 1, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)

#: A line of YAML: the text before the key, the key, the rest.
_YAML_LINE = re.compile(r"( *(?:- )?\{?)([\w-]+)(?=:)(.*)", re.DOTALL)


def report_html(
    run: Run,
    pictures: Mapping[str, bytes],
    facts: Mapping[str, Any],
    live: str | None = None,
) -> str:
    """The page as HTML.

    Args:
        pictures: WebP and PNG files by name; a missing one is left out.
        facts: the run's provenance.
        live: the address of a page that goes on from the run's picture; None for no button.
    """
    columns = _columns(run)
    return template("report.html.jinja").render(
        name=run.name,
        description=run.description,
        facts=_facts(run, facts["worlds"]),
        passed=run.passed,
        live=live,
        steps=_count(run.steps),
        pictures={name: data_uri(name, data) for name, data in pictures.items()},
        # A printer shows the first frame of an animation: paper gets the last one.
        still=data_uri("last.png", last_frame_png(run)) if "run.webp" in pictures else "",
        figures=_figures(run),
        expected=[_expected(expectation) for expectation in run.expectations],
        events=_events(run.events),
        worlds=run.worlds,
        columns=("step", *columns.values()),
        numbers=_numbers(run, columns),
        scenario=list(yaml_lines(run.scenario)),
        origin=_origin(facts),
    )


def template(name: str) -> jinja2.Template:
    """A template of this folder; what it places is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("swarm_nca.recording", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)


def _facts(run: Run, worlds: int) -> list[str]:
    entries = [f"rule {run.rule_title}", run.length, f"seed {run.seed}"]
    return entries + ([f"{_count(worlds)} worlds"] if worlds > 1 else [])


def data_uri(name: str, data: bytes) -> str:
    """A picture file as an address that holds it."""
    return f"data:image/{name.rsplit('.')[-1]};base64,{base64.b64encode(data).decode()}"


def _figures(run: Run) -> list[tuple[str, str]]:
    """Labels and values after the last step."""
    last = run.told_at([run.steps]).iloc[-1]
    labels = _SHARES | (_YES_OR_NO if _alone(run) else {})
    if "cell_accuracy" not in run.measured:
        labels = _held(run, _OTHERS | _MAGNITUDES)
        return [(label, _value(name, last[name])) for name, label in labels.items()]
    entries = [(label, _value(name, last[name], _alone(run))) for name, label in labels.items()]
    if run.frames and _alone(run):
        entries.insert(0, ("largest vote", verdict(run.frames[-1].world, 0, run.shown_above)))
    return entries


def _expected(expectation: Expectation) -> dict[str, Any]:
    metric = expectation.metric
    unknown = f" ({expectation.unknown})" if expectation.unknown else ""
    return {
        "metric": (_SHARES | _OTHERS).get(metric, metric.replace("_", " ")),
        "at": expectation.when,
        "bounds": expectation.limits,
        "measured": expectation.found + unknown,
        "passed": expectation.passed,
    }


def _events(events: pd.DataFrame) -> list[tuple[str, str, str]]:
    return [
        (_count(int(step)), str(kind), what if isinstance(what, str) else "")
        for step, kind, what in zip(events["step"], events["kind"], events["what"], strict=True)
    ]


def _columns(run: Run) -> dict[str, str]:
    """The metrics of the table, and their headings."""
    columns = _SHARES | (_YES_OR_NO if _alone(run) else {}) | _OTHERS | _MAGNITUDES
    return _held(run, columns | (_NONFINITE if run.nonfinite else {}))


def _held(run: Run, labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of the metrics that a run has."""
    return {name: label for name, label in labels.items() if name in run.measured}


def _numbers(run: Run, columns: Mapping[str, str]) -> list[list[str]]:
    """The rows of the table of metrics, one per step."""
    acted = sorted({int(step) for step in run.events["step"]})[:20]
    shown = (run.first + step for step in _SHOWN_STEPS)
    wanted = {*shown, *acted, *(step + 1 for step in acted), run.steps}
    values = run.told_at(wanted)[list(columns)].to_dict()
    return [
        [_count(step), *(_value(name, values[name][step], _alone(run)) for name in columns)]
        for step in sorted(wanted & set(values[next(iter(columns))]))
    ]


def yaml_lines(text: str) -> Iterator[tuple[str, str, str]]:
    """Each line as text before the key, key, rest; a line without a key is all rest."""
    for line in text.splitlines(keepends=True):
        found = _YAML_LINE.fullmatch(line)
        yield (found[1], found[2], found[3]) if found else ("", "", line)


def _origin(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    versions, machine = facts["versions"], facts["machine"]
    entries = {
        "rule": facts["rule"] if isinstance(facts["rule"], str) else title_of(facts["rule"]),
        "rule hash": facts["rule_hash"],
        "seed": facts["seed"],
        "duration": "" if facts["seconds"] is None else f"{facts['seconds']:.1f} s",
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "machine": f"{machine['system']} on {machine['processor']}, "
        f"{_counted(machine['cores'], 'core')}, {_counted(machine['threads'], 'thread')}",
    }
    return [(name, str(value)) for name, value in entries.items() if value != ""]


def _value(metric: str, value: float, alone: bool = False) -> str:
    """A metric's value as text; shares of a world alone are yes or no."""
    if alone and metric in _YES_OR_NO and not math.isnan(value):
        return "yes" if value == 1 else "no"
    return printed(metric, value)


def _alone(run: Run) -> bool:
    return run.worlds == 1


def _count(value: int) -> str:
    return f"{value:,}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
