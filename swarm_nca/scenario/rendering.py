"""Pictures and report of a run that kept only its states, without running it again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from swarm_nca.config import read
from swarm_nca.recording import Expectation, Run
from swarm_nca.recording.folder import write_pictures
from swarm_nca.scenario.keeping import KeptStates, check_same_rule, frames_of
from swarm_nca.scenario.runner import EVENT_TYPES, live_of
from swarm_nca.scenario.scenario import Scenario, load


def read_run(folder: Path) -> Run:
    """A run from its folder, with the frames whose states it kept.

    Raises:
        ValueError: no run folder, a run that kept no states, or a rule that has changed since.
    """
    return _read(folder)[1]


def render(folder: Path) -> Path:
    """Write the pictures, the film, the report and its live page of a run into its folder.

    Returns:
        The report.

    Raises:
        ValueError: see `read_run`.
        NotWritten: an error of the file system, such as a full disk.
    """
    scenario, run, facts = _read(folder)
    write_pictures(folder, run, facts, live=live_of(scenario, run))
    return folder / "report.html"


def _read(folder: Path) -> tuple[Scenario, Run, dict[str, Any]]:
    file = folder / "scenario.yaml"
    if not file.is_file():
        raise ValueError(f"{folder}: there is no run in this folder; name the folder of a run")
    scenario = load(read(file))
    facts = check_same_rule(folder, scenario)
    kept = KeptStates.read(folder)
    if kept is None:
        raise ValueError(
            f"{folder}: this run kept no states, from which pictures could be made; run it again: "
            f"swarm-nca run {file} --set record.picture=true"
        )
    settings = scenario.settings
    try:
        run = Run(
            name=scenario.name,
            description=settings.about,
            scenario=file.read_text(encoding="utf-8"),
            seed=settings.seed,
            rule=settings.rule,
            rule_hash=facts["rule_hash"],
            metrics=pd.read_csv(folder / "metrics.csv"),
            pooled=pd.read_csv(folder / "pooled.csv"),
            events=_events(folder / "events.csv"),
            frames=frames_of(scenario, kept),
            expectations=tuple(map(_expectation, facts["expectations"])),
            shown_above=scenario.rule.shown_above,
            seconds=facts["seconds"],
        )
    except (OSError, KeyError, TypeError, pd.errors.ParserError) as error:
        raise ValueError(f"{folder}: this run cannot be read ({error})") from error
    return scenario, run, facts


def _events(file: Path) -> pd.DataFrame:
    texts = {name: "str" for name, kind in EVENT_TYPES.items() if kind == "object"}
    table = pd.read_csv(file, dtype=texts, keep_default_na=False, na_values={"world": [""]})
    return table.astype(EVENT_TYPES)


def _expectation(facts: Mapping[str, Any]) -> Expectation:
    """An expectation's result from the provenance, where nan and infinities are texts or null."""
    value = facts["value"]
    return Expectation(
        metric=facts["metric"],
        at=facts["at"],
        min=_bound(facts["min"]),
        max=_bound(facts["max"]),
        value=math.nan if value is None else float(value),
        begun=facts["begun"],
        **{name: facts[name] for name in ("to", "within", "share", "reached")},
    )


def _bound(value: Any) -> float | None:
    return None if value is None else float(value)
