"""The body of `swarm-nca rules`: what ships, with scores, size and hash."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from swarm_nca import rules


def rules_command(verbose: bool = False, console: Console | None = None) -> None:
    """Print the rules that ship as a table.

    Args:
        verbose: also each weight tensor, and the card.
        console: where to print; standard output when None.

    Raises:
        ValueError: a rule that cannot be read.
    """
    table = Table(box=None, pad_edge=False)
    for heading in ("rule", "classes", "parameters", "bytes", "scores", "hash"):
        table.add_column(heading, justify="right" if heading in ("parameters", "bytes") else "left")
    for name, path in rules.shipped_rules().items():
        rule, card = rules.read_rule(path)
        weights = rule.state_dict()
        numbers = sum(weight.numel() for weight in weights.values())
        size = sum(weight.nbytes for weight in weights.values())
        classes = _shortened(rule.classes.names)
        scores = "; ".join(f"{key} {value}" for key, value in card.get("scores", {}).items())
        table.add_row(name, classes, f"{numbers:,}", f"{size:,}", scores, rule.hash()[:12])
        if verbose:
            for tensor, weight in weights.items():
                shape = " × ".join(str(length) for length in weight.shape)
                table.add_row(f"  {tensor}", shape, f"{weight.numel():,}", f"{weight.nbytes:,}")
            for key, value in card.items():
                if key != "scores":
                    table.add_row(f"  {key}", str(value))
    (console or Console()).print(table)


def _shortened(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 10 else f"{len(names)}: {names[0]} … {names[-1]}"
