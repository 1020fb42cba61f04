"""The comparison as tables for a terminal, as Markdown, and as CSV for other programs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from swarm_nca.comparison.eval_sets import COMPARED
from swarm_nca.comparison.scores import PHASES, Phase, Standing, Value
from swarm_nca.measure import METRICS

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
    made = []
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


def as_rich(sheet: Sheet) -> Table:
    """A sheet as a table for a terminal."""
    table = Table(title=sheet.title, title_justify="left", box=None, pad_edge=False)
    for number, heading in enumerate(sheet.headings):
        table.add_column(heading, justify="right" if number else "left")
    for label, *cells in sheet.rows:
        table.add_row(escape(label), *map(escape, cells))
    return table


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
                for metric in COMPARED:
                    numbers = row.value(metric, phase, step)
                    cells = ["" if math.isnan(number) else f"{number:.6g}" for number in numbers]
                    runs = len(row.group.entries)
                    write.writerow([row.group.label, runs, phase, step, metric, *cells])
    return text.getvalue()


def _heading(phase: Phase, step: int) -> str:
    return f"{phase} {step}" if phase == "fresh" else f"{phase} +{step}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
