"""The commands `study …`: experiments that fill a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from swarm_nca.bounds import MOST, MOST_SEED
from swarm_nca.cli.examples import epilog
from swarm_nca.cli.options import LIMIT, RULE, SEED
from swarm_nca.cli.telling import Commands, console, told_in_one_line

study = typer.Typer(
    cls=Commands,
    help="Run a study: many trainings or measurements that fill a table.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@study.callback()
def _root() -> None:
    """Run a study: many trainings or measurements that fill a table.

    To continue one of many trainings, or of bits, repeat its command.
    """


@study.command(epilog=epilog("study learning-life"))
def learning_life(
    steps: Annotated[
        str, typer.Option(metavar="N,…", help="Steps of Life to predict, as 1,2 or 1-3.")
    ] = "1,2,3",
    widths: Annotated[
        str, typer.Option(metavar="M,…", help="Network widths: 2 M filters of 3×3, M of 1×1.")
    ] = "1-8",
    seeds: Annotated[
        int, typer.Option(min=1, max=MOST, metavar="N", help="Networks per N and M.")
    ] = 32,
    flips: Annotated[
        str | None,
        typer.Option(
            metavar="M,…",
            help="Widths of the flip experiment: networks that learned one step are trained again "
            "with 1 to 6 signs flipped. Default: 1-3, as far as trained; none: no experiment.",
        ),
    ] = None,
    examples: Annotated[
        int,
        typer.Option(min=1, max=MOST, metavar="N", help="Maximum number of boards per network."),
    ] = 1_000_000,
    board: Annotated[
        int, typer.Option(min=3, max=512, metavar="N", help="Side of a board, in cells.")
    ] = 8,
    density: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="SHARE",
            help="Share of live cells; default: drawn for each board.",
        ),
    ] = None,
    start: Annotated[
        Literal["normal", "glorot"], typer.Option(help="Distribution of the initial weights.")
    ] = "normal",
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, metavar="N", help=SEED)] = 0,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the tables and the figure.")
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


@study.command(epilog=epilog("study bits"))
def bits(
    rule: Annotated[str, typer.Argument(metavar="RULE", help=RULE)] = "mnist",
    bits: Annotated[
        str, typer.Option(metavar="N,…", help="Bits of a weight, as 4,8 or 3-5.")
    ] = "3-5,8",
    signs: Annotated[
        str | None,
        typer.Option(metavar="N,…", help="Planes of filters of 1 bit, as 2-4.", show_default=False),
    ] = None,
    ternary: Annotated[
        str | None,
        typer.Option(metavar="N,…", help="Planes of ternary filters, as 1-3.", show_default=False),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--rule", metavar="RULE", help="Another rule, such as one trained in bits; repeatable."
        ),
    ] = None,
    dataset: Annotated[
        str, typer.Option(metavar="NAME", help="The data set that the rule has learned.")
    ] = "mnist",
    limit: Annotated[int, typer.Option(min=1, max=MOST, metavar="N", help=LIMIT)] = 1000,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, metavar="N", help=SEED)] = 0,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the table and the figure.")
    ] = Path("runs/bits"),
) -> None:
    """Score a rule with fewer and fewer bits for its weights."""
    with told_in_one_line():
        from swarm_nca.cli.ladder_command import bits_command

        bits_command(
            rule,
            bits,
            signs=signs,
            ternary=ternary,
            given=given or (),
            dataset=dataset,
            limit=limit,
            seed=seed,
            out=out,
            console=console(),
        )


@study.command(epilog=epilog("study silence"))
def silence(
    rules: Annotated[list[str], typer.Argument(metavar="RULE…", help=RULE)],
    known: Annotated[
        str, typer.Option(metavar="NAME+…", help="Data sets whose classes the rules have.")
    ] = "strokes+doodles",
    unknown: Annotated[
        str,
        typer.Option(
            metavar="NAME+…",
            help="Data sets of no class of theirs; of letters N to Z without O, S and Z.",
        ),
    ] = "letters+chimeras+scribbles+garments",
    limit: Annotated[
        int, typer.Option(min=1, max=MOST, metavar="N", help="Pictures of each data set.")
    ] = 500,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, metavar="N", help=SEED)] = 0,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the table and the figure.")
    ] = Path("runs/silence"),
) -> None:
    """Measure silence on unknown pictures against right answers on known ones."""
    with told_in_one_line():
        from swarm_nca.cli.silence_command import silence_command

        silence_command(
            rules,
            known=known,
            unknown=unknown,
            limit=limit,
            seed=seed,
            out=out,
            console=console(),
        )
