"""The command `render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swarm_nca.cli.telling import told_in_one_line


def render(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="RUN …", help="Folders of runs that kept their states."),
    ],
) -> None:
    """Make the pictures and the report of runs that kept only their states."""
    for folder in folders:
        with told_in_one_line():
            from swarm_nca.scenario.rendering import render as render_run

            report = render_run(folder)
        typer.echo(report)
