"""The body of `swarm-nca evaluate --turn`: scores at several angles, as a table and as JSON."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from swarm_nca.cli.evaluate_command import watched
from swarm_nca.images.datasets import Split
from swarm_nca.measure.eval_set import eval_set_for
from swarm_nca.measure.protocols import Evaluation, Protocol, check_exam
from swarm_nca.measure.tables import HEADINGS, titled
from swarm_nca.measure.turning import angles, evaluate_turned
from swarm_nca.measure.wording import printed
from swarm_nca.measure.writing import Json, check_json, only_finite, write_json
from swarm_nca.rules import load_rule

#: Angles in degrees, with the evaluation at each.
Turned = list[tuple[float, Evaluation]]


def turning_command(
    rule: str,
    dataset: str,
    turn: float,
    *,
    split: Split = "test",
    limit: int | None = None,
    steps: int = 200,
    protocol: Protocol = "fresh",
    seed: int = 0,
    json_file: Path | None = None,
    console: Console | None = None,
) -> Turned:
    """Evaluate a rule on pictures turned by 0°, `turn`, … 180°; print the table, write the JSON.

    The other arguments are those of `evaluate_command`.

    Raises:
        ValueError: an unusable argument; raised before the first step.
    """
    console = console or Console()
    check_json(json_file)
    angles(turn)
    loaded = load_rule(rule)
    pictures = eval_set_for(loaded, dataset, split=split, limit=limit, seed=seed).pictures
    check_exam(loaded, pictures, steps, protocol)
    when = f"after {steps} steps"
    when += "" if protocol == "fresh" else f" and {steps} more after a {protocol}"
    title = escape(f"{Path(rule).name} on {len(pictures):,} pictures of {dataset}, turned, {when}")
    with watched(console, title) as progress:
        found = list(
            evaluate_turned(
                loaded,
                pictures,
                turn,
                steps=steps,
                protocol=protocol,
                seed=seed,
                progress=progress,
            )
        )
    write_json(json_file, as_json(found, rule, dataset))
    console.print(as_table(found, title))
    return found


def as_json(found: Turned, rule: str, dataset: str) -> Json:
    """The last step at every angle as plain data; unmeasured values are null."""
    _, first = found[0]
    return {
        "rule": rule,
        "dataset": dataset,
        "protocol": first.protocol,
        "pictures": first.pictures,
        "seed": first.seed,
        "turned": [
            {"degrees": degrees, **only_finite(result.curve[-1])} for degrees, result in found
        ],
    }


def as_table(found: Turned, title: str) -> Table:
    """The last step at every angle; shares in percent."""
    table = titled(title)
    table.add_column("turned by", justify="right", no_wrap=True)
    for heading in HEADINGS.values():
        table.add_column(heading, justify="right")
    for degrees, result in found:
        last = result.curve[-1]
        table.add_row(f"{degrees:.4g}°", *(printed(metric, last[metric]) for metric in HEADINGS))
    return table
