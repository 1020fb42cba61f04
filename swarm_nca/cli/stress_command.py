"""The body of `swarm-nca stress`: runs a suite, writes tables, figures and a page."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from swarm_nca.atomic import write_atomically
from swarm_nca.measure.tables import titled
from swarm_nca.rules import called
from swarm_nca.stress.families import FAMILIES, Family, Shift, chosen
from swarm_nca.stress.measuring import Row
from swarm_nca.stress.report import FIGURES, MARKDOWN, PAGE, files
from swarm_nca.stress.subject import subject_of
from swarm_nca.stress.suite import Progress, Suite, written
from swarm_nca.stress.table import Store
from swarm_nca.training.lock import locked


def stress_command(
    rule: str,
    data: str | None = None,
    *,
    only: str | None = None,
    count: int = 200,
    pictures: Path | None = None,
    immigrants: str | None = None,
    seed: int = 0,
    out: Path | None = None,
    workers: int = 1,
    console: Console | None = None,
) -> Suite:
    """Run the settings that the folder does not hold yet, then write all files and print a table.

    The folder gets `stress.csv`, `pictures.csv`, `plan.json`, `table.md`, `report.html`, and one
    figure for each family in `figures`.

    Args:
        rule, data, count, seed, pictures, immigrants: see `subject_of`.
        only: names of families, separated by commas; all families when None.
        out: the folder, made if it is missing; `runs/stress-RULE` when None.
        workers: see `Suite.run`.
        console: standard output when None.

    Raises:
        ValueError: an unusable argument, or a folder with other files or another suite; raised
            before the first step.
    """
    console = console or Console()
    names = None if only is None else [name.strip() for name in only.split(",") if name.strip()]
    if names is not None and not names:
        raise ValueError(f"--only takes names of families: {', '.join(FAMILIES)}")
    subject = subject_of(
        rule, data, count=count, seed=seed, pictures=pictures, immigrants=immigrants
    )
    families = chosen(names, subject)
    folder = Path("runs") / f"stress-{called(rule)}" if out is None else out
    own = PAGE, MARKDOWN, FIGURES
    Store.opened(folder, subject.plan, own)
    for name in FAMILIES if names is None else ():
        if name not in families:
            console.print(f"{name}: left out; {FAMILIES[name].needs}", soft_wrap=True)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / ".lock", "measuring"):
        store = Store.opened(folder, subject.plan, own)  # another suite may have run meanwhile
        suite = Suite(subject, families, store)
        with _watched(console) as progress:
            suite.run(progress, workers)
        # Figures and page show all that the folder holds, not only what this call asked for.
        held = {row.family for row in store.rows}
        shown = {name: family for name, family in FAMILIES.items() if name in held}
        with console.status("figures"):
            for name, content in files(Suite(subject, shown, store)):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                write_atomically(folder / name, content)
    _print(console, suite)
    console.print(f"{folder / PAGE}", soft_wrap=True, markup=False, highlight=False)
    return suite


@contextlib.contextmanager
def _watched(console: Console) -> Iterator[Progress]:
    """Show a progress bar; yields the function that moves it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("stress", total=None)

        def update(what: str, done: int, total: int) -> None:
            bar.update(task, description=escape(what), completed=done, total=total)

        yield update


def _print(console: Console, suite: Suite) -> None:
    """Print a table of pictures and one of faults, a line for each setting."""
    kinds: dict[bool, dict[str, Family]] = {True: {}, False: {}}
    for name, family in suite.families.items():
        kinds[isinstance(family, Shift)][name] = family
    rule, count = called(suite.subject.given), suite.subject.count
    for of_pictures, families in kinds.items():
        if not families:
            continue
        what = "step 200" if of_pictures else "faults"
        table = titled(f"{escape(rule)}, {count} pictures a setting; {what}; percent")
        heads = ["family", "setting", *([] if of_pictures else ["step"])]
        for number, heading in enumerate([*heads, *_HEADINGS.values()]):
            table.add_column(heading, justify="right" if number else "left")
        for name, family in families.items():
            table.add_section()
            for setting in family.settings_for(suite.subject):
                for row in suite.store.of(name, setting):
                    table.add_row(*_cells(row, of_pictures))
        console.print(table)


#: The scores that are printed, with short headings.
_HEADINGS = {
    "cell_accuracy": "cells",
    "vote_accuracy": "vote",
    "total_agreement": "agree",
    "agree_though_wrong": "agree,\nwrong",
    "abstains": "ab-\nstain",
    "label_flips": "flips\na step",
}


def _cells(row: Row, of_pictures: bool) -> list[str]:
    step = f"{'healed' if row.after else f'{row.step:,}'}"
    shares = [row.shares[name].value for name in _HEADINGS]
    return [
        row.family,
        escape(written(row.setting)),
        *([] if of_pictures else [step]),
        *("–" if share != share else f"{100 * share:.1f}" for share in shares),
    ]
