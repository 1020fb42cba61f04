"""The tables of the study Learning Life, as CSV."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch

from swarm_nca.measure.intervals import wilson
from swarm_nca.studies.learning_life import Result
from swarm_nca.studies.life_networks import Architecture

#: One line of a table, by column.
Row: TypeAlias = dict[str, int | float | None]


def row(result: Result) -> Row:
    """The row of a cell.

    `share` is `learned` / `seeds`; `low` and `high` are the bounds of its 95 % interval (Wilson's).
    `median_examples` is over the networks that learned, None without one. `limit` is the maximum
    number of examples per network; `dead` networks stopped before.
    """
    examples = [outcome.examples for outcome in result.outcomes if outcome.examples is not None]
    seeds = len(result.outcomes)
    share = torch.tensor(len(examples) / seeds, dtype=torch.float64)
    low, high = wilson(share, seeds)
    return {
        "n": result.steps,
        "m": result.width,
        **({} if result.flips is None else {"flips": result.flips}),
        "weights": Architecture(result.steps, result.width).weights,
        "seeds": seeds,
        "learned": len(examples),
        "share": round(float(share), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "median_examples": round(statistics.median(examples)) if examples else None,
        "dead": sum(outcome.dead for outcome in result.outcomes),
        "limit": result.protocol.examples,
    }


def as_csv(rows: Sequence[Mapping[str, int | float | None]]) -> str:
    """Rows with equal keys as CSV; None is an empty field."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
