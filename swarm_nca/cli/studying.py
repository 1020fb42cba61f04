"""Studies: experiments that fill a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from swarm_nca.bounds import MOST, MOST_SEED
from swarm_nca.cli.telling import Commands, console, told_in_one_line

study = typer.Typer(
    cls=Commands,
    help="Fill a table by many trainings.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@study.callback()
def _root() -> None:
    """Fill a table by many trainings; a study that was stopped goes on with the same command."""


@study.command()
def learning_life(
    steps: Annotated[
        str, typer.Option(metavar="N,…", help="Steps of Life that networks predict.")
    ] = "1,2,3",
    widths: Annotated[
        str, typer.Option(metavar="M,…", help="Widths: 2 M filters of 3×3, M of 1×1.")
    ] = "1-8",
    seeds: Annotated[int, typer.Option(min=1, max=MOST, help="Networks for each N and M.")] = 32,
    flips: Annotated[
        str | None,
        typer.Option(
            metavar="M,…",
            help="Widths whose networks that learned one step are trained again with 1 to 6 signs "
            "flipped; 1-3 where not given, or none.",
        ),
    ] = None,
    examples: Annotated[
        int, typer.Option(min=1, max=MOST, help="Boards that a network sees at most.")
    ] = 1_000_000,
    board: Annotated[int, typer.Option(min=3, max=512, help="Cells along a board's side.")] = 8,
    density: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of live cells; drawn per board where not given."),
    ] = None,
    start: Annotated[
        Literal["normal", "glorot"], typer.Option(help="How initial weights are drawn.")
    ] = "normal",
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED)] = 0,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the tables and the figure go.")
    ] = Path("runs/learning-life"),
) -> None:
    """Count the networks that learn the Game of Life, by steps and width."""
    with told_in_one_line():
        from swarm_nca.cli.study_command import learning_life_command

        learning_life_command(
            steps,
            widths,
            seeds,
            flips=flips,
            examples=examples,
            board=board,
            density=density,
            start=start,
            seed=seed,
            out=out,
            console=console(),
        )
