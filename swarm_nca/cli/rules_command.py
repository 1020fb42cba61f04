"""The body of `swarm-nca rules`: lists the shipped rules in 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from swarm_nca import rules


def rules_command(verbose: bool = False, console: Console | None = None) -> None:
    """Print the shipped rules with size, hash and scores, one score a line.

    Args:
        verbose: also print each weight tensor and the card.
        console: standard output when None.

    Raises:
        ValueError: a rule that cannot be read.
    """
    console = console or Console()
    for number, (name, path) in enumerate(rules.shipped_rules().items()):
        rule, card = rules.read_rule(path)
        if number:
            console.print()
        console.print(Text.assemble((name, "bold"), f": {purpose(rule, card)}"))
        held = rule.memory()
        numbers, size = sum(tensor.numbers for tensor in held), rules.size_of(held)
        memory = f"{numbers:,} parameters, {rules.written(size)}"
        _line(console, 2, f"{memory}, hash {rule.hash()[:12]}")
        _scores(console, card.get("scores", {}))
        if verbose:
            console.print(Padding(_tensors(held), (0, 0, 0, 2), expand=False))
            for key, value in card.items():
                if key != "scores":
                    _line(console, 2, f"{key}: {value}")


def purpose(rule: rules.Rule, card: Mapping[str, Any]) -> str:
    """The rule's classes, or the task and target of its training."""
    if isinstance(rule.readout, rules.Classes):
        return ", ".join(rule.readout.names)
    task = (card.get("recipe") or {}).get("task") or {}
    target = " ".join(str(value) for value in (task.get("target") or {}).values())
    return " ".join(filter(None, (str(task.get("kind", rule.readout.kind)), target)))


def _scores(console: Console, scores: Mapping[str, Any]) -> None:
    for name, score in scores.items():
        if isinstance(score, str):
            _line(console, 2, f"{name}:")
            for part in score.split("; "):
                _line(console, 4, part)
        else:
            _line(console, 2, f"{name} {score}")


def _tensors(held: Sequence[rules.Held]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("tensor", "shape", "numbers", "bits", "bytes"):
        table.add_column(heading, justify="left" if heading == "tensor" else "right")
    for one in held:
        shape = " × ".join(str(length) for length in one.shape)
        table.add_row(one.name, shape, f"{one.numbers:,}", str(one.bits), f"{one.size:,}")
    return table


def _line(console: Console, indent: int, words: str) -> None:
    """Print a line; a line longer than the terminal wraps with the same indent."""
    console.print(Padding(Text(words), (0, 0, 0, indent), expand=False), highlight=False)
