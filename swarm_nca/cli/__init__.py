"""The command `swarm-nca`: parses, calls the package, prints the results.

Exit codes: 0 done; 1 an expectation or a run of a sweep failed; 2 bad input, with one line on
stderr; 130 stopped by Ctrl-C or SIGTERM (`run`, `sweep`, `train`, `stress`). Modules that declare
commands (`running`, …) import nothing heavy, so that `--help` is fast; a command imports its body
(`evaluate_command`, …) when it runs.

To add a command, write a function, and add it to `COMMANDS` and to `examples.EXAMPLES`.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from swarm_nca.cli.examples import epilog
from swarm_nca.cli.exporting import export
from swarm_nca.cli.inspecting import check, list_, rules, schema
from swarm_nca.cli.learning import train
from swarm_nca.cli.measuring import bench, compare, evaluate, stress
from swarm_nca.cli.rendering import render
from swarm_nca.cli.running import run
from swarm_nca.cli.studying import study
from swarm_nca.cli.sweeping import sweep
from swarm_nca.cli.telling import Commands
from swarm_nca.cli.viewing import view

__all__ = ["COMMANDS", "app", "main"]

#: Every command, in the order of `--help`.
COMMANDS = (
    run,
    sweep,
    render,
    check,
    schema,
    evaluate,
    train,
    compare,
    stress,
    view,
    export,
    bench,
    list_,
    rules,
)

app = typer.Typer(
    name="swarm-nca",
    cls=Commands,
    help="Run, train and measure neural cellular automata.",
    epilog=epilog(""),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in COMMANDS:
    name = command.__name__.rstrip("_")
    app.command(name, epilog=epilog(name))(command)
app.add_typer(study, name="study")


def _version(show: bool) -> None:
    if show:
        from importlib.metadata import version

        typer.echo(f"swarm-nca {version('swarm-nca')}")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Run, train and measure neural cellular automata."""


def main() -> None:
    """Entry point of the command."""
    for stream in (sys.stdout, sys.stderr):
        # Print a substitute for characters that the terminal's encoding lacks.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()
