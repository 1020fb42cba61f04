"""The body of `swarm-nca evaluate`: scores a rule on pictures; writes tables, JSON and figures."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

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

from swarm_nca.atomic import write_atomically
from swarm_nca.engine import check_device
from swarm_nca.images.datasets import Split
from swarm_nca.links import Links
from swarm_nca.measure.confusion import Confusion, confusion
from swarm_nca.measure.eval_set import EvalSet, eval_set_for
from swarm_nca.measure.groups import grouped, scores
from swarm_nca.measure.protocols import Evaluation, Protocol, check_exam, evaluate
from swarm_nca.measure.protocols import Progress as Report
from swarm_nca.measure.signals import Conduct, Watcher, errors, trusts
from swarm_nca.measure.signals import as_json as signals_as_json
from swarm_nca.measure.tables import (
    confusion_table,
    curve_table,
    group_table,
    runaway,
    settling,
    trust_table,
)
from swarm_nca.measure.writing import Json, check_json, only_finite, write_json
from swarm_nca.recording.long_run import draw
from swarm_nca.recording.paper import check_figures
from swarm_nca.rules import load_rule


def evaluate_command(
    rule: str,
    dataset: str,
    *,
    split: Split = "test",
    limit: int | None = None,
    steps: int = 200,
    protocol: Protocol = "fresh",
    swaps: int = 1,
    every: int = 1,
    seed: int = 0,
    by: Sequence[str] = (),
    votes: bool = False,
    trust: bool = False,
    fill_holes: bool = False,
    precision: str | None = None,
    device: str = "cpu",
    links: Links | None = None,
    json_file: Path | None = None,
    figures: Sequence[Path] = (),
    console: Console | None = None,
) -> Evaluation:
    """Evaluate a rule, print the tables, write the JSON and the figures.

    Args:
        rule: see `load_rule`.
        dataset: see `exam_pictures`, with `split` and `limit`.
        steps, protocol, swaps, every, seed: see `evaluate`.
        by: also print the final scores grouped by these `GROUPINGS`; several data sets are always
            grouped by data set.
        votes: also print the table of votes by class.
        trust: also print how well the swarm's own signals tell wrong answers; needs `fresh`, and
            every step.
        fill_holes: fill the holes of every silhouette; see `without_holes`.
        precision: see `engine.rollout`.
        device, links: see `evaluate`.
        json_file: all numbers, written atomically; its folder must exist.
        figures: files for the curves, PNG or PDF by the suffix.
        console: standard output when None.

    Raises:
        ValueError: an unusable argument; raised before the first step.
    """
    console = console or Console()
    check_json(json_file)
    check_figures(figures)
    check_device(device)
    loaded = load_rule(rule)
    eval_set = eval_set_for(
        loaded, dataset, split=split, limit=limit, seed=seed, fill_holes=fill_holes
    )
    check_exam(loaded, eval_set.pictures, steps, protocol, swaps, every)
    if len(eval_set.datasets) > 1 and "dataset" not in by:
        by = ("dataset", *by)
    groups = {name: grouped(eval_set, name, loaded.alive_above) for name in by}
    if votes and not eval_set.own.classes:
        raise ValueError(
            f"{dataset} has no classes, so there is no table of votes: leave --confusion out"
        )
    if trust and protocol != "fresh":
        raise ValueError(f"--trust needs the protocol fresh, got {protocol}: leave one of them out")
    if trust and every != 1:
        raise ValueError("--trust needs every step: leave --every out")
    watcher = Watcher(loaded, steps, seed) if trust else None
    title = f"{Path(rule).name} on {len(eval_set.pictures):,} pictures of {dataset}"
    title = escape(title if links is None else f"{title}, links {links.settings()}")
    with watched(console, title) as progress:
        result = evaluate(
            loaded,
            eval_set.pictures,
            steps=steps,
            protocol=protocol,
            swaps=swaps,
            every=every,
            seed=seed,
            precision=precision,
            device=device,
            links=links,
            progress=progress,
            watch=watcher,
        )
    conduct = None if watcher is None else watcher.conduct
    tables = {name: scores(result.last, members) for name, members in groups.items()}
    vote_table = confusion(result.last, eval_set.own, loaded) if votes else None
    document = as_json(result, rule, dataset, tables, vote_table, fill_holes, conduct)
    if precision is not None:
        document["precision"] = precision
    if device != "cpu":
        document["device"] = device
    if links is not None:
        document["links"] = links.settings()
    write_json(json_file, document)
    for file in figures:
        write_atomically(file, draw(document, file.suffix))
    console.print(curve_table(result, title))
    _print_notes(console, result, eval_set)
    for name, rows in tables.items():
        console.print(group_table(name, rows))
    if vote_table is not None:
        console.print(confusion_table(vote_table))
    if conduct is not None:
        wrong = float(errors(conduct.last).double().mean())
        console.print(trust_table(trusts(conduct), wrong))
        if wrong in (0.0, 1.0):
            console.print(f"no AUROC: {'every' if wrong else 'no'} picture is wrong or unknown")
    return result


@contextlib.contextmanager
def watched(console: Console, title: str) -> Iterator[Report]:
    """Show a progress bar; yields the function that sets its steps done and total."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


def as_json(
    result: Evaluation,
    rule: str,
    dataset: str,
    groups: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    votes: Confusion | None = None,
    fill_holes: bool = False,
    conduct: Conduct | None = None,
) -> Json:
    """The results as plain data; numbers that are not finite are null, see `only_finite`."""
    document: Json = {
        "rule": rule,
        "dataset": dataset,
        "protocol": result.protocol,
        "pictures": result.pictures,
        "labelled": _labelled(result),
        "seed": result.seed,
        "steps": result.steps,
        "swaps": result.swaps,
        "every": result.every,
        "holes": "filled" if fill_holes else "left",
        "curve": [only_finite(row) for row in result.curve],
    }
    if groups:
        document["groups"] = {
            name: [only_finite(row) for row in rows] for name, rows in groups.items()
        }
    if votes is not None:
        document["confusion"] = votes.as_json()
    if conduct is not None:
        document["trust"] = signals_as_json(conduct)
    return document


def _labelled(result: Evaluation) -> int:
    """The number of pictures whose class the rule has."""
    return int(result.last.labelled.sum())


def _print_notes(console: Console, result: Evaluation, eval_set: EvalSet) -> None:
    """Print the lines below the table."""
    console.print(settling(result), soft_wrap=True)
    strange = eval_set.strange
    if strange:
        known = _labelled(result)
        others = f"; accuracy is measured on the other {known:,} pictures" if known else ""
        console.print(
            f"no accuracy for {escape(', '.join(strange))}: the rule has no class for these "
            f"pictures{others}",
            soft_wrap=True,
        )
    warning = runaway(result)
    if warning is not None:
        console.print(warning, style="bold red", soft_wrap=True)
