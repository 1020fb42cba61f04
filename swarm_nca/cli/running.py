"""The command `run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swarm_nca.cli.options import Overrides, Quiet
from swarm_nca.cli.stopping import stoppable
from swarm_nca.cli.telling import console, told_in_one_line


@stoppable()
def run(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SCENARIO.yaml …",
            help="Files, names of scenarios that ship, or folders of scenarios.",
        ),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="RUN@STEP",
            help="Instead of a scenario: go on from a step of an earlier run, with --set steps=… "
            "and other perturbations.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Run folder; with several scenarios, the folder that gets one run folder for "
            "each. Default: runs/NAME. An earlier run there is replaced.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Override the scenario's seed.")
    ] = None,
    changes: Overrides = None,
    quiet: Quiet = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the expectations as JUnit XML.")
    ] = None,
) -> None:
    """Run scenarios; write a folder with metrics and a report for each."""
    with told_in_one_line():
        from swarm_nca.cli.run_command import run_command
    passed = run_command(
        scenarios or (),
        out,
        origin=origin,
        changes=changes or (),
        seed=seed,
        quiet=quiet,
        junit=junit,
        console=console(),
    )
    if not passed:
        raise typer.Exit(1)
