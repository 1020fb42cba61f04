"""The body of `swarm-nca evaluate --protocol growing`: tests growth, persistence and repair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from swarm_nca.cli.evaluate_command import watched
from swarm_nca.images.targets import TARGETS
from swarm_nca.measure.writing import check_json, only_finite, write_json
from swarm_nca.rules import find_rule, read_rule
from swarm_nca.tasks.growing import Growing
from swarm_nca.tasks.growing_protocol import GrowingProtocol, Grown, grown_by


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
        target: a drawn target or a picture file; the target of the rule's training when None.
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
    task = _task_of(target, card, found.parent)
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


def _task_of(target: str | None, card: dict[str, Any], base: Path) -> Growing:
    if target in TARGETS:
        return Growing({"drawn": target})
    if target is not None:
        return Growing({"file": target})
    task = (card.get("recipe") or {}).get("task") or {}
    if task.get("kind") != Growing.kind:
        raise ValueError(
            "the rule's card names no target: give one with --target, a picture file or one of "
            f"{', '.join(TARGETS)}"
        )
    return Growing(**{name: value for name, value in task.items() if name != "kind"}, base=base)


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
