"""The body of `swarm-nca sweep`: a bar while the runs go on, and a summary of the table."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from swarm_nca.sweeps import Swept, sweep
from swarm_nca.sweeps.running import Progress
from swarm_nca.sweeps.table import FAILED

#: Maximum number of failed runs that the summary names.
_MOST_NAMED = 5


def sweep_command(
    file: str,
    out: Path | None,
    *,
    changes: Sequence[str] = (),
    seeds: str | None = None,
    workers: int | None = None,
    ray: str | None = None,
    on_error: Literal["continue", "stop"] = "continue",
    quiet: bool = False,
    console: Console | None = None,
) -> int:
    """Run a sweep; print its summary.

    The arguments are those of `sweep`.

    Returns:
        The number of failed runs.

    Raises:
        ValueError: bad input, with its place in the file.
    """
    with _watched(Path(file).stem, quiet) as progress:
        swept = sweep(
            file,
            out,
            overrides=changes,
            seeds=seeds,
            workers=workers,
            ray=ray,
            on_error=on_error,
            progress=progress,
        )
    _say(Console(stderr=True) if quiet else console or Console(), swept, quiet)
    return swept.failed


def _say(console: Console, swept: Swept, quiet: bool) -> None:
    failed = [row for row in swept.rows if row["status"] == FAILED]
    for row in failed[:_MOST_NAMED]:
        values = ", ".join(f"{key}={row[key]}" for key in swept.keys if key in row)
        what = f"{row['run']} ({values}, seed={row['seed']}) failed: {row['failure']}"
        console.print(what, soft_wrap=True, markup=False, highlight=False)
    if len(failed) > _MOST_NAMED:
        console.print(f"and {len(failed) - _MOST_NAMED} more, in the table's column failure")
    if quiet:
        return
    done = len(swept.rows) - len(failed)
    earlier = f", {swept.repeated} of them earlier" if swept.repeated else ""
    wrong = f", {len(failed)} failed" if failed else ""
    console.print(f"{swept.name}: {done} runs done{earlier}{wrong}", markup=False)
    if swept.best:
        console.print(f"best: {swept.best}", soft_wrap=True, markup=False, highlight=False)
    console.print(f"{swept.table}", soft_wrap=True, markup=False, highlight=False)


@contextlib.contextmanager
def _watched(name: str, quiet: bool) -> Iterator[Progress | None]:
    """A bar on stderr; none if `quiet` is set or stderr is not a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None, failed="")

        def update(done: int, failed: int, runs: int) -> None:
            wrong = f"{failed} failed" if failed else ""
            bar.update(task, completed=done, total=runs, failed=wrong)

        yield update
