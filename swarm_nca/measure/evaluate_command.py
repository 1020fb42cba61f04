"""The body of `swarm-nca evaluate`: a rule's scores on a data set, as a table and as JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from swarm_nca.atomic import write_atomically
from swarm_nca.images import DATASETS, SIZE, Pictures, load_dataset
from swarm_nca.images.datasets import Split
from swarm_nca.images.files import read_folder
from swarm_nca.images.strokes import Alphabet, strokes
from swarm_nca.measure.protocols import CURVE, Evaluation, Protocol, check_exam, evaluate
from swarm_nca.rules import load_rule
from swarm_nca.suggestion import did_you_mean

#: Steps of each phase that the table shows, where they were taken, with the last one.
SHOWN_STEPS = (1, 10, 20, 50, 100, 200)

#: The drawn data sets, by name, and the alphabet each is of.
DRAWN: dict[str, Alphabet] = {"strokes": "digits", "letters": "letters"}

#: Drawn pictures have no end: this many where no limit is given.
DRAWN_COUNT = 1_000

#: Exams are drawn from seeds that start here, so that no recipe's own seed repeats them.
EXAM_SEEDS = 1 << 32

_HEADINGS = {
    "cell_accuracy": "cells",
    "total_agreement": "agree",
    "vote_accuracy": "vote",
    "agree_and_correct": "agree,\nright",
    "undecided": "un-\ndecided",
    "state_magnitude": "mean\n|state|",
    "residual_magnitude": "mean\n|change|",
}

#: JSON's plain data.
Json: TypeAlias = dict[str, Any]


def evaluate_command(
    rule: str,
    dataset: str,
    *,
    split: Split = "test",
    limit: int | None = None,
    steps: int = 200,
    protocol: Protocol = "fresh",
    seed: int = 0,
    json_file: Path | None = None,
    console: Console | None = None,
) -> Evaluation:
    """Examine a rule, print the table, write the JSON.

    Args:
        rule: see `load_rule`.
        dataset: see `exam_pictures`, with `split` and `limit`.
        steps, protocol, seed: see `evaluate`.
        json_file: where to write the whole curve, atomically; its folder must exist.
        console: where to print; standard output when None.

    Raises:
        ValueError: whatever was given that cannot be used, before any step is taken.
    """
    console = console or Console()
    if json_file is not None and not json_file.parent.is_dir():
        raise ValueError(
            f"{json_file}: the folder {json_file.parent} does not exist; make it first"
        )
    loaded = load_rule(rule)
    pictures = exam_pictures(dataset, split=split, limit=limit, seed=seed)
    check_exam(loaded, pictures, steps, protocol)
    title = escape(f"{Path(rule).name} on {len(pictures):,} pictures of {dataset}")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(title, total=None)
        result = evaluate(
            loaded,
            pictures,
            steps=steps,
            protocol=protocol,
            seed=seed,
            progress=lambda done, total: progress.update(bar, completed=done, total=total),
        )
    if json_file is not None:
        document = as_json(result, rule, dataset)
        write_atomically(json_file, (json.dumps(document, indent=1) + "\n").encode())
    console.print(as_table(result, title))
    console.print(settling(result), soft_wrap=True)
    return result


def exam_pictures(
    dataset: str, *, split: Split = "test", limit: int | None = None, seed: int = 0
) -> Pictures:
    """The pictures a rule is examined on.

    Args:
        dataset: `mnist`, `fashion-mnist`; `strokes` or `letters`, drawn from the seed; or a folder
            with one subfolder of pictures per class.
        split: of a published data set; the others have only `test`.
        limit: the first so many; all (of drawn ones 1,000) when None.

    Raises:
        ValueError: no such data set or folder, a limit below 1, a split it does not have.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")
    if dataset in DATASETS:
        return load_dataset(dataset, split)[:limit]
    if split != "test":
        raise ValueError(f"{dataset} has no split '{split}': leave it out")
    if dataset in DRAWN:
        return strokes(limit or DRAWN_COUNT, EXAM_SEEDS + seed, classes=DRAWN[dataset])
    if Path(dataset).is_dir():
        return read_folder(dataset, size=SIZE).centred_on(SIZE)[:limit]
    known = [*DATASETS, *DRAWN]
    raise ValueError(
        f"no data set '{dataset}'{did_you_mean(dataset, known)}: there are {', '.join(known)}, or "
        "give a folder with one subfolder of pictures per class"
    )


def as_json(result: Evaluation, rule: str, dataset: str) -> Json:
    """The whole curve as plain data; what could not be measured is null."""
    curve = [
        {name: None if math.isnan(value) else value for name, value in row.items()}
        for row in result.curve
    ]
    return {
        "rule": rule,
        "dataset": dataset,
        "protocol": result.protocol,
        "pictures": result.pictures,
        "seed": result.seed,
        "curve": curve,
    }


def as_table(result: Evaluation, title: str) -> Table:
    """Chosen moments of the curve, phase by phase; shares in percent."""
    table = Table(title=title, title_justify="left")
    table.add_column("step", justify="right", no_wrap=True)
    for name in CURVE:
        table.add_column(_HEADINGS[name], justify="right")
    shown = sorted({*(step for step in SHOWN_STEPS if step < result.steps), result.steps})
    for phase, first in enumerate(range(0, len(result.curve), result.steps)):
        table.add_section()
        for step in shown:
            row = result.curve[first + step - 1]
            name = f"swap +{step}" if phase else str(step)
            table.add_row(name, *(_shown(metric, row[metric]) for metric in CURVE))
    return table


def settling(result: Evaluation) -> str:
    """A line that says when the pictures of the last phase came to agree for good."""
    settled = result.settled[result.settled > 0]
    share = 100 * len(settled) / result.pictures
    after = "the swap" if result.protocol != "fresh" else "the start"
    when = f", half of these from step {int(settled.median())} after {after} on" if share else ""
    return f"{share:.1f} % of the pictures agree at the end{when} ({result.protocol})"


def _shown(metric: str, value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:.3f}" if metric.endswith("magnitude") else f"{100 * value:.1f} %"
