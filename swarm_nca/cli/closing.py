"""The summary of a finished run: metrics at chosen steps, and the results of its expectations."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from swarm_nca.measure.wording import printed
from swarm_nca.recording import Run

#: Metrics shown if the run measured them, with short headings.
COLUMNS = {
    "alive": "alive",
    "error": "error",
    "cell_accuracy": "accuracy",
    "total_agreement": "agreement",
    "vote_accuracy": "vote",
    "undecided": "undecided",
    "state_magnitude": "|state|",
}

#: Steps that are always shown, if the run reached them.
LOOKS = (1, 20)

#: Maximum number of steps shown.
MOST_ROWS = 24


def say(console: Console, run: Run, folder: Path | None) -> None:
    """Print the summary of a run, and the path of its report."""
    met, total = sum(result.passed for result in run.expectations), len(run.expectations)
    verdict = "[green]passed[/]" if run.passed else "[red]failed[/]"
    outcome = f"{verdict}, {met} of {total} expectations met" if total else "done"
    duration = "" if run.seconds is None else f" in {run.seconds:.1f} s"
    console.print(f"[bold]{escape(run.name)}[/]: {outcome}; {run.length}{duration}")
    console.print(_moments(console, run))
    if run.nonfinite is not None:
        first, most = run.nonfinite
        console.print(f"[red]not finite[/]: the states of {most:,.0f} cells, from step {first} on")
    if total:
        console.print(_expectations(console, run))
    if folder is not None:
        console.print(f"{folder / 'report.html'}", soft_wrap=True, highlight=False, markup=False)


def _moments(console: Console, run: Run) -> Table:
    table = small_table(console)
    table.add_column("step", justify="right")
    columns = {name: heading for name, heading in COLUMNS.items() if name in run.measured}
    for heading in columns.values():
        table.add_column(heading, justify="right")
    table.add_column("then")
    happened: dict[int, str] = {}
    for step, what in zip(run.events["step"], run.events["what"], strict=True):
        happened[int(step)] = f"{happened[step]}; {what}" if step in happened else str(what)
    wanted = {*(run.first + step for step in LOOKS), *happened, run.steps}
    wanted |= {step + 1 for step in happened}
    steps = sorted(step for step in wanted if step <= run.steps)
    shown = [*steps[: MOST_ROWS - 1], *steps[MOST_ROWS - 1 :][-1:]]
    pooled = run.told_at(shown).to_dict()
    for step in shown:
        values = [printed(name, pooled[name][step]) for name in columns]
        table.add_row(str(step), *values, escape(happened.get(step, "")))
    return table


def _expectations(console: Console, run: Run) -> Table:
    table = small_table(console)
    for heading in ("expected", "at", "bounds", "met", ""):
        table.add_column(heading, justify="right" if heading in ("at", "met") else "left")
    for result in run.expectations:
        verdict = "[green]passed[/]" if result.passed else "[red]failed[/]"
        verdict += f": {result.unknown}" if result.unknown else ""
        table.add_row(result.metric, result.when, result.limits, result.found, verdict)
    return table


def small_table(console: Console) -> Table:
    """A table with a border on a terminal, and without one in a pipe."""
    return Table(box=box.ROUNDED if console.is_terminal else None, pad_edge=console.is_terminal)
