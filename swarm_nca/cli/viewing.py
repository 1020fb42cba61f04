"""The command `view`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swarm_nca.bounds import MOST
from swarm_nca.cli.options import PRECISION, RULE, Precision
from swarm_nca.cli.telling import told_in_one_line


def view(
    scenario: Annotated[
        str | None,
        typer.Argument(
            metavar="[SCENARIO.yaml]", help="A file, or the name of a scenario that ships."
        ),
    ] = None,
    rule: Annotated[
        str | None, typer.Option(metavar="RULE", help=f"{RULE} Replaces the scenario's rule.")
    ] = None,
    beside: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="A second rule on the same drawing, side by side."),
    ] = None,
    precision: Annotated[Precision | None, typer.Option(help=PRECISION)] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="Write a film instead of showing a window.")
    ] = False,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST, metavar="N", help="Steps of the film; default: the scenario's."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File of the film: .webp or .gif; .png for its last picture. Default: view.webp.",
        ),
    ] = None,
) -> None:
    """Watch, draw, damage and inspect a swarm in a window."""
    with told_in_one_line():
        from swarm_nca.cli.view_command import view_command

        film = view_command(
            scenario,
            rule,
            beside=beside,
            precision=precision,
            headless=headless,
            steps=steps,
            out=out,
        )
    if film is not None:
        typer.echo(film)
