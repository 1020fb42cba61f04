"""Measuring rules, and the machine: one rule's scores, several side by side, and speed."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from swarm_nca.bounds import MOST, MOST_SEED
from swarm_nca.cli.options import DATASET, RULE, JsonFile, Protocol, Split
from swarm_nca.cli.telling import console, told_in_one_line

#: What is not asked of turned pictures.
UPRIGHT_ONLY = ("swaps", "every", "by", "confusion", "fill_holes", "figure")


def evaluate(
    context: typer.Context,
    rule: Annotated[str, typer.Argument(metavar="RULE", help=RULE)],
    dataset: Annotated[str | None, typer.Option(help=DATASET, show_default=False)] = None,
    split: Annotated[Split, typer.Option(help="Of a published data set.")] = "test",
    limit: Annotated[
        int | None, typer.Option(min=1, max=MOST, help="Only the first so many.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=MOST, help="Of each phase.")] = 200,
    protocol: Annotated[
        Protocol,
        typer.Option(
            help="Fresh pictures; swapped on the way, states kept or restarted; or a growing "
            "pattern, grown, late and healed, without a data set."
        ),
    ] = "fresh",
    target: Annotated[
        str | None,
        typer.Option(help="Of growing: a picture file, or lizard, flower, heart, butterfly."),
    ] = None,
    swaps: Annotated[int, typer.Option(min=1, max=MOST, help="Of mutation and restart.")] = 1,
    every: Annotated[int, typer.Option(min=1, max=MOST, help="Look every so many steps only.")] = 1,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED)] = 0,
    by: Annotated[
        list[str] | None, typer.Option(help="Scores by dataset, class, holes or pieces.")
    ] = None,
    confusion: Annotated[bool, typer.Option("--confusion", help="Votes by class.")] = False,
    fill_holes: Annotated[
        bool, typer.Option("--fill-holes", help="Fill the holes of all silhouettes.")
    ] = False,
    turn: Annotated[
        float | None, typer.Option(metavar="DEGREES", help="Turned by 0° to 180°, so far apart.")
    ] = None,
    json_file: JsonFile = None,
    figure: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Curves: .png or .pdf; repeatable.")
    ] = None,
) -> None:
    """Examine a rule on a data set, step by step; or turned, angle by angle."""
    with told_in_one_line():
        from swarm_nca.cli.evaluate_command import evaluate_command
        from swarm_nca.cli.turning_command import turning_command

        if protocol == "growing":
            _grow(context, rule, target, seed, json_file)
            return
        if dataset is None:
            raise ValueError("name the pictures with --dataset, such as --dataset strokes")
        if target is not None:
            raise ValueError("--target goes with --protocol growing")
        ask: functools.partial[Any]
        if turn is None:
            ask = functools.partial(
                evaluate_command,
                swaps=swaps,
                every=every,
                by=by or (),
                votes=confusion,
                fill_holes=fill_holes,
                figures=figure or (),
            )
        else:
            if wrong := _given(context, UPRIGHT_ONLY):
                raise ValueError(
                    f"--turn does not go with {', '.join(wrong)}: leave one or the other out"
                )
            ask = functools.partial(turning_command, turn=turn)
        ask(
            rule,
            dataset,
            split=split,
            limit=limit,
            steps=steps,
            protocol=protocol,
            seed=seed,
            json_file=json_file,
            console=console(),
        )


def _grow(
    context: typer.Context, rule: str, target: str | None, seed: int, json_file: Path | None
) -> None:
    from swarm_nca.cli.growing_command import growing_command

    if wrong := _given(context, (*UPRIGHT_ONLY, "turn", "dataset", "split", "limit", "steps")):
        raise ValueError(f"--protocol growing does not go with {', '.join(wrong)}: leave it out")
    growing_command(rule, target, seed=seed, json_file=json_file, console=console())


def _given(context: typer.Context, names: Sequence[str]) -> list[str]:
    """Of some options those that were given, whatever their value."""
    sources = {name: context.get_parameter_source(name) for name in names}
    given = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    return [f"--{name.replace('_', '-')}" for name in given]


def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN …", help="Folders of training runs, or rules.")
    ],
    dataset: Annotated[str, typer.Option(help=DATASET)] = "mnist",
    split: Annotated[Split, typer.Option(help="Of a published data set.")] = "test",
    limit: Annotated[
        int | None, typer.Option(min=1, max=MOST, help="Only the first so many.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=MOST, help="Of each phase.")] = 200,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED)] = 0,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the table and the figures go.")
    ] = Path("runs/compare"),
) -> None:
    """Set rules side by side: a table, and figures for papers."""
    with told_in_one_line():
        from swarm_nca.cli.compare_command import compare_command

        compare_command(
            runs,
            dataset,
            split=split,
            limit=limit,
            steps=steps,
            seed=seed,
            out=out,
            console=console(),
        )


def bench(
    json_file: JsonFile = None,
) -> None:
    """Measure speed, beside a dense convolution."""
    with told_in_one_line():
        from swarm_nca.cli.bench_command import bench_command

        bench_command(json_file, console=console())
