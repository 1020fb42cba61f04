"""The command `swarm-nca`: a thin layer that parses, calls the package, and tells what came of it.

Exit codes: 0 done; 1 an expectation failed; 2 bad input, told in one line on stderr; 130 `run` or
`train` was stopped, by Ctrl-C or SIGTERM. Whatever is heavy is imported inside the command that
needs it, so that `--help` answers at once.

To add a command, write a function, and a line in `COMMANDS`.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from swarm_nca.cli.inspecting import check, rules, schema
from swarm_nca.cli.learning import train
from swarm_nca.cli.measuring import bench, compare, evaluate
from swarm_nca.cli.running import run
from swarm_nca.cli.viewing import view

__all__ = ["COMMANDS", "app", "main"]

#: Every command, in the order of `--help`.
COMMANDS = (run, check, schema, evaluate, train, compare, view, bench, rules)

app = typer.Typer(
    name="swarm-nca",
    help="Swarms of pixels that agree on what they form: run, train and measure neural cellular "
    "automata.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in COMMANDS:
    app.command()(command)


def _version(asked: bool) -> None:
    if asked:
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
    """Swarms of pixels that agree on what they form."""


def main() -> None:
    """Entry point of the command."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets a substitute, not a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()
