"""What a worker does: one run, and its measures at the end.

A worker returns every error as text, because some errors cannot travel between processes.
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swarm_nca.config.errors import one_line
from swarm_nca.sweeps.plans import Plan

#: Columns of a training's log that are no measures.
_NO_MEASURES = ("iteration", "log10_loss", "rate", "seconds")


@dataclass(frozen=True)
class Outcome:
    """The end of a run.

    Attributes:
        measures: by name, in the order of the table; empty if the run failed.
        seconds: duration of the run.
        error: why the run failed, one line; empty if it is done.
    """

    measures: Mapping[str, float | int | bool | None] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


def perform(plan: Plan, folder: Path, keep: bool) -> Outcome:
    """Run a plan.

    Args:
        folder: the folder for the files of this run: of a training, and of a scenario if `keep`.
        keep: whether a scenario leaves its run folder.
    """
    began = time.perf_counter()
    try:
        if plan.kind == "scenario":
            measures = _scenario(plan, folder if keep else None)
        else:
            measures = _training(plan, folder)
    except Exception as error:
        kind = "" if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: "
        return Outcome(error=one_line(f"{kind}{error}"), seconds=time.perf_counter() - began)
    return Outcome(measures, time.perf_counter() - began)


def _scenario(plan: Plan, folder: Path | None) -> dict[str, Any]:
    """The pooled metrics of the last step, and how many expectations were met."""
    from swarm_nca.scenario import load, run

    done = run(load(plan.document), folder)
    last = done.pooled.iloc[-1]
    return {
        **{name: float(last[name]) for name in done.measured},
        "expectations": len(done.expectations),
        "met": sum(result.passed for result in done.expectations),
    }


def _training(plan: Plan, folder: Path) -> dict[str, Any]:
    """The last row of the log, its names with `train_` before them, and the scores of the rule.

    A training that was stopped goes on from its checkpoint.
    """
    from swarm_nca.rules.storage import read_rule
    from swarm_nca.training.command import train
    from swarm_nca.training.folder import Folder

    files = Folder(folder)
    resume = folder if files.checkpoint.is_file() else None
    with contextlib.redirect_stderr(io.StringIO()):  # the bar of the sweep is shown instead
        code = train(plan.document, None if resume else folder, resume)
    if code:
        raise ValueError(f"the training was stopped; its checkpoint is in {folder}")
    with files.log.open(newline="", encoding="utf-8") as file:
        *_, last = csv.DictReader(file)
    _, card = read_rule(files.rule)
    found = {
        f"train_{name}": _number(value) for name, value in last.items() if name not in _NO_MEASURES
    }
    scores: dict[str, Any] = card.get("scores", {})
    return found | scores


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
