"""What a run says when it is over: numbers at chosen moments, and how its expectations were met."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from swarm_nca.recording import Run
from swarm_nca.scenario.junit import bounds

#: The metrics shown, where a run has them, with their short headings.
COLUMNS = {
    "alive": "alive",
    "error": "error",
    "cell_accuracy": "accuracy",
    "total_agreement": "agreement",
    "vote_accuracy": "vote",
    "undecided": "undecided",
    "state_magnitude": "|state|",
}

#: Metrics that count cells, and those too small for three places behind the point.
_WHOLE, _SMALL = ("alive",), ("error",)

#: Moments shown whatever happens, where a run has them.
LOOKS = (1, 20)

#: At most so many moments.
MOST_ROWS = 16


def say(console: Console, run: Run, folder: Path | None) -> None:
    """Print the end of a run."""
    met, all_of_them = sum(one.passed for one in run.expectations), len(run.expectations)
    verdict = "[green]passed[/]" if run.passed else "[red]failed[/]"
    judged = f"{verdict}, {met} of {all_of_them} expectations met" if all_of_them else "done"
    took = "" if run.seconds is None else f" in {run.seconds:.1f} s"
    console.print(f"[bold]{escape(run.name)}[/]: {judged}; {run.steps} steps{took}")
    console.print(_moments(console, run))
    if run.nonfinite is not None:
        first, most = run.nonfinite
        console.print(f"[red]not finite[/]: the states of {most:,.0f} cells, from step {first} on")
    if all_of_them:
        console.print(_expectations(console, run))
    if folder is not None:
        console.print(f"{folder / 'report.html'}", soft_wrap=True, highlight=False, markup=False)


def _moments(console: Console, run: Run) -> Table:
    table = _table(console)
    table.add_column("step", justify="right")
    columns = {name: heading for name, heading in COLUMNS.items() if name in run.measured}
    for heading in columns.values():
        table.add_column(heading, justify="right")
    table.add_column("then")
    happened: dict[int, str] = {}
    for step, what in zip(run.events["step"], run.events["what"], strict=True):
        happened[int(step)] = f"{happened[step]}; {what}" if step in happened else str(what)
    steps = sorted({step for step in LOOKS if step <= run.steps} | set(happened) | {run.steps})
    shown = [*steps[: MOST_ROWS - 1], *steps[MOST_ROWS - 1 :][-1:]]
    pooled = run.told_at(shown).to_dict()
    for step in shown:
        values = [_number(pooled[name][step], name) for name in columns]
        table.add_row(str(step), *values, escape(happened.get(step, "")))
    return table


def _expectations(console: Console, run: Run) -> Table:
    table = _table(console)
    for heading in ("expected", "at", "bounds", "met", ""):
        table.add_column(heading, justify="right" if heading in ("at", "met") else "left")
    for one in run.expectations:
        verdict = "[green]passed[/]" if one.passed else "[red]failed[/]"
        verdict += f": {one.unknown}" if one.unknown else ""
        table.add_row(one.metric, str(one.at), bounds(one), _number(one.value, one.metric), verdict)
    return table


def _table(console: Console) -> Table:
    return Table(box=box.ROUNDED if console.is_terminal else None, pad_edge=console.is_terminal)


def _number(value: float, metric: str) -> str:
    if value == value and metric in _WHOLE:
        return f"{value:,.0f}"
    if value == value and metric in _SMALL:
        return f"{value:.3g}"
    return f"{value:.3f}" if value == value else "–"
