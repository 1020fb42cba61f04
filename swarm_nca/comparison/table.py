"""The comparison as tables for a terminal, as Markdown, and as CSV for other programs."""

from __future__ import annotations

import csv
import io
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from swarm_nca.comparison.eval_sets import COMPARED, LOSS
from swarm_nca.comparison.scores import PHASES, Phase, Standing, Value
from swarm_nca.measure import METRICS
from swarm_nca.measure.tables import titled

#: Steps of a phase that are shown besides the last one.
MOMENTS = (20, 100)

#: Metrics with a table of all shown steps, by title.
_BY_MOMENT = {"cell accuracy, %": "cell_accuracy", "total agreement, %": "total_agreement"}

#: Metrics of the tables for the end of each phase, by heading.
_AT_THE_END = {
    "vote, %": "vote_accuracy",
    "agree and right, %": "agree_and_correct",
    "undecided, %": "undecided",
    "mean |state|": "state_magnitude",
    "mean |change|": "residual_magnitude",
}

#: Maximum width of a rule's label in the terminal's table; longer labels take several lines.
_LABEL = 26

#: The note below the tables; `_SEEDS` only with several seeds.
_INTERVALS = (
    "In brackets the 95 % interval over pictures (Wilson's for shares of pictures, the interval of "
    "a ratio for cell accuracy). "
)
_SEEDS = "Seeds: lowest and highest of the runs that differ only in their seed. "
_PHASES = "+n: n steps after the swap; mutation keeps states, restart resets them."


@dataclass(frozen=True)
class Sheet:
    """A table of text; the first column holds labels."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def moments(steps: int) -> list[int]:
    """The steps of a phase that tables show."""
    return [*(step for step in MOMENTS if step < steps), steps]


def several(standings: Sequence[Standing]) -> bool:
    """Whether a standing has more than one run."""
    return any(len(row.group.entries) > 1 for row in standings)


def note(standings: Sequence[Standing]) -> str:
    """The explanation of the numbers, printed below the tables."""
    return _INTERVALS + (_SEEDS if several(standings) else "") + _PHASES


def sheets(standings: Sequence[Standing], steps: int) -> list[Sheet]:
    """Cell accuracy and agreement at all shown steps; other metrics at the end of each phase."""
    shown = [(phase, step) for phase in PHASES for step in moments(steps)]
    early = moments(steps)[0]
    about = tuple(
        (row.group.label, f"{row.size:,}", _logarithm(row.log_loss(early))) for row in standings
    )
    made = [Sheet("size and loss", ("rule", "bytes", f"log10 L2 loss at {early}"), about)]
    for title, metric in _BY_MOMENT.items():
        headings = ("rule", *(_heading(phase, step) for phase, step in shown))
        rows = tuple(
            (row.group.label, *(told(metric, row.value(metric, *at), row) for at in shown))
            for row in standings
        )
        made.append(Sheet(title, headings, rows))
    for phase in PHASES:
        rows = tuple(
            (
                row.group.label,
                *(told(m, row.value(m, phase, steps), row) for m in _AT_THE_END.values()),
            )
            for row in standings
        )
        made.append(Sheet(_heading(phase, steps), ("rule", *_AT_THE_END), rows))
    return made


def told(metric: str, value: Value, standing: Standing) -> str:
    """`88.1 [87.5–88.7] (seeds 87.9–88.3)`: shares in percent; unknown parts are left out."""
    mean, low, high, least, most = (_number(metric, number) for number in value)
    text = mean
    if not math.isnan(value.low):
        text += f" [{low}–{high}]"
    if several([standing]) and not math.isnan(value.mean):
        text += f" (seeds {least}–{most})"
    return text


def _number(metric: str, value: float) -> str:
    if math.isnan(value):
        return "–"
    if METRICS[metric].share:
        return f"{100 * value:.1f}"
    return f"{value:.3f}" if value < 100 else f"{value:.3g}"


def compact(standings: Sequence[Standing], steps: int, pictures: str) -> Table:
    """One table for a terminal of 100 columns: shares in percent, one row per rule.

    Args:
        steps: length of each phase; the table shows the end of each.
        pictures: their number and data set, in words.
    """
    after = f"{steps:,} steps after a swap"
    table = titled(escape(f"{pictures}, at step {steps:,} and {after}; shares in percent"))
    seeds = several(standings)
    early = moments(steps)[0]
    sized = len({row.size for row in standings}) > 1
    known = any(not math.isnan(row.log_loss(early)) for row in standings)
    width = _LABEL - 8 if sized and known else _LABEL
    table.add_column("rule", overflow="fold", max_width=width)
    headings = [*(["bytes"] if sized else []), *(["log10\nloss"] if known else [])]
    headings += ["cells", "agree", "95 %\ninterval", *(["of all\nseeds"] if seeds else [])]
    headings += ["vote", "un-\ndecided", "agree,\nkept", "agree,\nreset"]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in standings:
        agree = row.value("total_agreement", "fresh", steps)
        cells = [f"{row.size:,}"] if sized else []
        cells += [_logarithm(row.log_loss(early))] if known else []
        cells += [_percent(row.value("cell_accuracy", "fresh", steps).mean), _percent(agree.mean)]
        cells.append(_range(agree.low, agree.high))
        if seeds:
            several_runs = len(row.group.entries) > 1
            cells.append(_range(agree.least, agree.most) if several_runs else "")
        cells += [
            _percent(row.value(metric, "fresh", steps).mean)
            for metric in ("vote_accuracy", "undecided")
        ]
        cells += [
            _percent(row.value("total_agreement", phase, steps).mean)
            for phase in ("mutation", "restart")
        ]
        table.add_row(escape(row.group.label), *cells)
    return table


def compact_note(standings: Sequence[Standing], steps: int) -> str:
    """The explanation of `compact`, in lines of at most 100 letters."""
    words = "95 % interval: of agreement, over pictures. "
    early = moments(steps)[0]
    if any(not math.isnan(row.log_loss(early)) for row in standings):
        words += f"log10 loss: of the L2 loss at step {early}. "
    if several(standings):
        words += "Of all seeds: agreement of the lowest and the highest run. "
    words += (
        f"Kept, reset: {steps:,} steps after every picture was swapped for another, with states "
        "kept or reset. All numbers: table.md and table.csv."
    )
    return textwrap.fill(words, 100)


def _percent(value: float) -> str:
    return _number("total_agreement", value)


def _logarithm(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def _range(low: float, high: float) -> str:
    return "–" if math.isnan(low) else f"{100 * low:.1f}–{100 * high:.1f}"


def as_markdown(made: Sequence[Sheet], about: str, note: str) -> str:
    """All tables as one Markdown document; `about` comes first, `note` last."""
    parts = [about]
    for sheet in made:
        rule = ["---", *["--:"] * (len(sheet.headings) - 1)]
        lines = [_line(sheet.headings), _line(rule), *(_line(row) for row in sheet.rows)]
        parts += [f"**{sheet.title}**", "\n".join(lines)]
    return "\n\n".join([*parts, note]) + "\n"


def as_csv(standings: Sequence[Standing], steps: int) -> str:
    """One row per rule, phase, step and metric."""
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\n")
    write.writerow(["rule", "runs", "phase", "step", "metric", *Value._fields])
    for row in standings:
        for phase in PHASES:
            for step in moments(steps):
                for metric in (*COMPARED, LOSS):
                    numbers = row.value(metric, phase, step)
                    cells = ["" if math.isnan(number) else f"{number:.6g}" for number in numbers]
                    runs = len(row.group.entries)
                    write.writerow([row.group.label, runs, phase, step, metric, *cells])
    return text.getvalue()


def _heading(phase: Phase, step: int) -> str:
    return f"{phase} {step}" if phase == "fresh" else f"{phase} +{step}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
