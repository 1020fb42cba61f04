"""The command `run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swarm_nca.cli.inspecting import meant_as
from swarm_nca.cli.options import Overrides, Quiet
from swarm_nca.cli.stopping import stoppable
from swarm_nca.cli.telling import console, told_in_one_line


@stoppable()
def run(
    scenarios: Annotated[
        list[str],
        typer.Argument(metavar="SCENARIO.yaml …", help="Files, or names of scenarios that ship."),
    ],
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
    from swarm_nca.atomic import check_file, write_atomically
    from swarm_nca.cli.watching import watched
    from swarm_nca.scenario import load
    from swarm_nca.scenario import run as run_scenario
    from swarm_nca.scenario.finding import find_scenario
    from swarm_nca.scenario.junit import failures, junit_xml
    from swarm_nca.scenario.placing import check_place, folders_of

    with told_in_one_line():
        loaded = []
        for path in scenarios:
            with meant_as("scenario", find_scenario(path)):
                loaded.append(load(path, overrides=changes or (), seed=seed))
        folders = folders_of(loaded, out)
        for folder in folders:
            check_place(folder)
        if junit is not None:
            check_file(junit)
    results = []
    for scenario, folder in zip(loaded, folders, strict=True):
        with watched(scenario.name, quiet) as progress, told_in_one_line():
            results.append(run_scenario(scenario, folder, progress=progress))
        if quiet:
            for line in failures(results[-1]):
                typer.echo(line, err=True)
        else:
            from swarm_nca.cli.closing import say

            say(console(), results[-1], folder)
    if junit is not None:
        with told_in_one_line((OSError,)):
            write_atomically(junit, junit_xml(results))
    if not all(result.passed for result in results):
        raise typer.Exit(1)
