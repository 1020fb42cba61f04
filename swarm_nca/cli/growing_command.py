"""The body of `swarm-nca evaluate --protocol growing`: tests growth, persistence and repair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from swarm_nca.cli.evaluate_command import watched
from swarm_nca.config import read
from swarm_nca.images.targets import TARGETS
from swarm_nca.measure.writing import check_json, only_finite, write_json
from swarm_nca.rules import find_rule, read_rule
from swarm_nca.tasks.growing import Growing
from swarm_nca.tasks.growing_protocol import GrowingProtocol, Grown, grown_by
from swarm_nca.training.folder import RULE, Folder


def growing_command(
    rule: str,
    target: str | None = None,
    *,
    worlds: int = 5,
    late: int = 4096,
    seed: int = 0,
    json_file: Path | None = None,
    console: Console | None = None,
) -> list[Grown]:
    """Grow a rule's pattern in several worlds; print the result of each, write the JSON.

    Args:
        rule: see `load_rule`.
        target: a drawn target or a picture file, of the size and padding of the rule's training if
            these are known; the target of the rule's training when None.
        worlds, late, seed: see `GrowingProtocol`.
        json_file: all numbers, written atomically; its folder must exist.
        console: standard output when None.

    Raises:
        ValueError: an unusable argument; raised before the first step.
    """
    console = console or Console()
    check_json(json_file)
    found = find_rule(rule)
    loaded, card = read_rule(found)
    task = _task_of(target, card, found)
    protocol = GrowingProtocol(worlds=worlds, late=late, seed=seed)
    loaded.requires_grad_(False)
    with watched(console, escape(f"{Path(rule).name} growing")) as progress:
        outcomes = grown_by(loaded, task, protocol, progress)
    rows = [_row(outcome) for outcome in outcomes]
    document = {"rule": rule, "protocol": "growing", "grown": protocol.grown, "late": late}
    document |= {"healed": protocol.healed, "severity": protocol.severity, "seed": seed}
    write_json(json_file, document | {"worlds": [only_finite(row) for row in rows]})
    console.print(_table(rows, protocol))
    return outcomes


def _task_of(target: str | None, card: dict[str, Any], rule: Path) -> Growing:
    task = _trained_on(card, rule)
    known = task.get("kind") == Growing.kind
    if target is not None:
        sizes = {name: task[name] for name in ("size", "padding") if known and name in task}
        return Growing({"drawn" if target in TARGETS else "file": target}, **sizes)
    if not known:
        raise ValueError(
            "the rule's card names no target: give one with --target, a picture file or one of "
            f"{', '.join(TARGETS)}"
        )
    settings = {name: value for name, value in task.items() if name != "kind"}
    return Growing(**settings, base=rule.parent)


def _trained_on(card: dict[str, Any], rule: Path) -> dict[str, Any]:
    """The task of a rule's training; empty if it is unknown.

    Paths in the recipe of a training's folder are relative to that folder. In a rule's card they
    are as in the recipe that was given, until the training is resumed.
    """
    beside = Folder(rule.parent).recipe
    inside = rule.name == RULE and beside.is_file()
    recipe = read(beside).data if inside else card.get("recipe")
    task: dict[str, Any] = (recipe or {}).get("task") or {}
    return task


def _row(outcome: Grown) -> dict[str, Any]:
    return {
        "error_grown": outcome.error_grown,
        "error_late": outcome.error_late,
        "error_wounded": outcome.error_wounded,
        "error_healed": outcome.error_healed,
        "recovery": outcome.recovery,
        "alive": outcome.alive,
        "retained": outcome.retained,
    }


def _table(rows: list[dict[str, Any]], protocol: GrowingProtocol) -> Table:
    table = Table(box=None, pad_edge=False)
    headings = {
        "world": "world",
        "error_grown": f"error at {protocol.grown}",
        "error_late": f"at {protocol.late:,}",
        "error_wounded": "wounded",
        "error_healed": f"{protocol.healed} later",
        "recovery": "recovery, %",
        "retained": "retained",
    }
    for heading in headings.values():
        table.add_column(heading, justify="right")
    for number, row in enumerate(rows):
        cells = [str(number)]
        for name in list(headings)[1:-2]:
            cells.append(f"{row[name]:.2e}")
        table.add_row(*cells, f"{row['recovery']:.0f}", "yes" if row["retained"] else "no")
    return table
