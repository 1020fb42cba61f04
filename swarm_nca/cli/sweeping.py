"""The command `sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from swarm_nca.bounds import MOST
from swarm_nca.cli.inspecting import meant_as
from swarm_nca.cli.options import Quiet
from swarm_nca.cli.stopping import stoppable
from swarm_nca.cli.telling import console, told_in_one_line


@stoppable()
def sweep(
    file: Annotated[
        str,
        typer.Argument(metavar="SWEEP.yaml", help="A file, or the name of a sweep that ships."),
    ],
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE,…",
            help="Values of a key of the scenario or recipe; repeatable.",
        ),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(metavar="N-M,…", help="Seeds of every combination, as 0-9.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=MOST, help="Runs at the same time. Default: one for each core."),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="auto|ADDRESS", help="Run on a Ray cluster instead of local processes."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of the table and figure. Default: runs/sweep-NAME."
        ),
    ] = None,
    on_error: Annotated[
        Literal["continue", "stop"], typer.Option(help="What follows a failed run.")
    ] = "continue",
    quiet: Quiet = False,
) -> None:
    """Run a scenario or recipe with many settings. To go on with a sweep, repeat its command."""
    with told_in_one_line():
        from swarm_nca.cli.sweep_command import sweep_command
        from swarm_nca.scenario.finding import find_sweep

        with meant_as("sweep", find_sweep(file)):
            failed = sweep_command(
                file,
                out,
                changes=changes or [],
                seeds=seeds,
                workers=workers,
                ray=ray,
                on_error=on_error,
                quiet=quiet,
                console=console(),
            )
    if failed:
        raise typer.Exit(1)
