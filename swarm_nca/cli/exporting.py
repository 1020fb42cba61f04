"""Exporting rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from swarm_nca.cli.options import RULE
from swarm_nca.cli.telling import told_in_one_line


def export(
    rule: Annotated[str, typer.Argument(metavar="RULE", help=f"{RULE} Or life.")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="KIND",
            help="html: a web page to draw on, one file; c: C99 source and header; onnx: one step.",
        ),
    ] = "html",
    out: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="The file to write; RULE.html if not given."),
    ] = None,
    precision: Annotated[
        Literal["float32", "float16"],
        typer.Option(help="The type of the weights in the file; float16 makes it smaller."),
    ] = "float32",
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of life, such as rule=B36/S23."),
    ] = None,
) -> None:
    """Write a rule as a file that runs without this package, such as a web page."""
    with told_in_one_line():
        from swarm_nca.cli.export_command import export_command

        path = export_command(rule, to, out=out, precision=precision, changes=changes or [])
    typer.echo(path)
