"""Results as tables for a terminal of 80 columns (votes: 100)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from rich import box
from rich.markup import escape
from rich.table import Table

from swarm_nca.measure.confusion import NOBODY, Confusion
from swarm_nca.measure.protocol_run import EARLY
from swarm_nca.measure.protocols import Evaluation
from swarm_nca.measure.signals import Trust
from swarm_nca.measure.wording import printed

#: Columns of a table: heading and format string.
Columns: TypeAlias = dict[str, str]

#: The metrics that tables show, and their headings.
HEADINGS = {
    "cell_accuracy": "cells",
    "total_agreement": "agree",
    "vote_accuracy": "vote",
    "agree_though_wrong": "agree,\nwrong",
    "abstains": "ab-\nstains",
    "undecided": "un-\ndecided",
    "state_magnitude": "mean\n|state|",
    "state_largest": "largest\n|state|",
}

#: Headings of a table of groups.
_GROUPS = {
    "cell_accuracy": "cells",
    "vote_accuracy": "vote",
    "total_agreement": "agree",
    "agree_though_wrong": "agree,\nwrong",
    "abstains": "ab-\nstains",
    "undecided": "un-\ndecided",
    "label_flips": "flips\na step",
}

#: Maximum letters in a line of a heading in the table of votes.
_LETTERS = 7


def curve_table(result: Evaluation, title: str) -> Table:
    """The curve at selected steps, phase by phase."""
    table = titled(title)
    table.add_column("step", justify="right", no_wrap=True)
    for heading in HEADINGS.values():
        table.add_column(heading, justify="right")
    phases, shown = result.phases, _milestones(result.steps)
    for phase, rows in enumerate(phases, result.begin):
        printed_rows = [(row, int(row["step"]) - phase * result.steps) for row in rows]
        if 0 < phase < result.swaps:
            printed_rows = printed_rows[-1:]  # only the end of a phase between two swaps
        else:
            table.add_section()
        swap = "swap" if result.swaps == 1 else f"swap {phase}"
        for row, step in printed_rows:
            if step in shown:
                name = f"{swap} +{step:,}" if phase else f"{step:,}"
                table.add_row(name, *(printed(metric, row[metric]) for metric in HEADINGS))
    return table


def settling(result: Evaluation) -> str:
    """A line: the share of pictures that agree at the end, and since when half of these do."""
    settled = result.settled[result.settled > 0]
    share = 100 * len(settled) / result.pictures
    after = "" if result.protocol == "fresh" else " after the swap"
    when = ""
    if len(settled):
        when = f", half of these have agreed since step {int(settled.median()):,}{after}"
    return f"{share:.1f} % of the pictures agree at the end{when} ({result.protocol})"


def runaway(result: Evaluation) -> str | None:
    """A line about states that are not finite; None if all are finite."""
    first = result.first_nonfinite
    if first is None:
        return None
    apart = f" (measured every {result.every} steps)" if result.every > 1 else ""
    last = result.curve[-1]
    return (
        f"not finite: the states of {first['nonfinite']:,.0f} cells at step {first['step']:,}"
        f"{apart}, of {last['nonfinite']:,.0f} at the end"
    )


def group_table(by: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Scores at the end, group by group, and the 95 % interval of agreement."""
    table = titled(f"at the end, by {by}")
    table.add_column(by, no_wrap=True)
    table.add_column("pictures", justify="right")
    for heading in _GROUPS.values():
        table.add_column(heading, justify="right")
        if heading == "agree":
            table.add_column("95 %\ninterval", justify="right", no_wrap=True)
    for row in rows:
        cells = []
        for metric in _GROUPS:
            cells.append(printed(metric, row[metric]))
            if metric == "total_agreement":
                low, high = (100 * row[f"agreement_{end}"] for end in ("low", "high"))
                cells.append(f"{low:.1f}–{high:.1f}")
        table.add_row(escape(row["group"]), f"{row['pictures']:,}", *cells)
    return table


def trust_table(found: Sequence[Trust], wrong: float) -> Table:
    """How well each signal separates right pictures from wrong ones, the best first.

    Args:
        wrong: the share of pictures that are wrong or unknown.
    """
    table = titled(f"trust: right pictures against the {100 * wrong:.1f} % wrong or unknown")
    table.add_column("signal", no_wrap=True)
    for heading in ("AUROC", "AURC", "coverage\nat 1 % risk"):
        table.add_column(heading, justify="right")
    for one in found:
        area = "–" if math.isnan(one.auroc) else f"{one.auroc:.3f}"
        table.add_row(one.signal, area, f"{one.aurc:.4f}", f"{100 * one.coverage:.1f} %")
    return table


def confusion_table(found: Confusion) -> Table:
    """Votes in percent of the pictures of each class; a dot for none."""
    table = titled("votes at the end, percent of each class")
    table.add_column("class", no_wrap=True)
    undecided = bool(found.pictures[:, -1].any())
    votes = found.votes if undecided else found.votes[:-1]
    for vote in votes:
        table.add_column(_short(vote), justify="right", no_wrap=True)
    for name, counts in zip(found.classes, found.pictures.tolist(), strict=True):
        if not sum(counts):
            continue
        cells = []
        for vote, count in zip(votes, counts, strict=False):
            share = f"{100 * count / sum(counts):.1f}" if count else "·"
            right = vote == name and vote != NOBODY
            cells.append(f"[bold]{share}[/]" if right else share)
        table.add_row(escape(name), *cells)
    return table


def _milestones(steps: int) -> set[int]:
    """Steps that get a row: 1, 10, 20, 50, 100, 200, 500, …, and the last."""
    far = {size * 10**power for size in (1, 2, 5) for power in range(2, 9)}
    return {step for step in {*EARLY, *far} if step < steps} | {steps}


def _short(name: str) -> str:
    """A class's name in several short lines."""
    words = re.findall(r"/?[^\s/]+", name)
    return "\n".join(
        word if len(word) <= _LETTERS else f"{word[: _LETTERS - 1]}." for word in words
    )


def titled(title: str) -> Table:
    """An empty table in the common style: one line below the headings, no borders."""
    return Table(
        title=title,
        title_justify="left",
        title_style="",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )


def as_table(title: str, columns: Columns, rows: Sequence[Mapping[str, float | str]]) -> Table:
    """Rows of numbers and names under headings."""
    table = Table(title=title, title_justify="left")
    for heading in columns:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*(shown.format(**row) for shown in columns.values()))
    return table
