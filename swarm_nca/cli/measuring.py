"""The commands `evaluate`, `compare`, `stress` and `bench`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm_nca.bounds import MOST, MOST_PICTURES, MOST_SEED
from swarm_nca.cli.options import (
    DATASET,
    DEVICE,
    LIMIT,
    PRECISION,
    RULE,
    SEED,
    SPLIT,
    STEPS,
    Device,
    JsonFile,
    Precision,
    Protocol,
    Split,
)
from swarm_nca.cli.stopping import stoppable
from swarm_nca.cli.telling import console, told_in_one_line

if TYPE_CHECKING:
    from swarm_nca.links import Links

#: Options that cannot be combined with `--turn`.
UPRIGHT_ONLY = (
    "swaps",
    "every",
    "by",
    "confusion",
    "trust",
    "fill_holes",
    "precision",
    "device",
    "links",
    "figure",
)


def evaluate(
    context: typer.Context,
    rule: Annotated[str, typer.Argument(metavar="RULE", help=RULE)],
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help=DATASET, show_default=False)
    ] = None,
    split: Annotated[Split, typer.Option(help=SPLIT)] = "test",
    limit: Annotated[int | None, typer.Option(min=1, max=MOST, metavar="N", help=LIMIT)] = None,
    steps: Annotated[int, typer.Option(min=1, max=MOST, metavar="N", help=STEPS)] = 200,
    protocol: Annotated[
        Protocol,
        typer.Option(
            help="fresh: one phase; mutation: then swap the pictures and keep the states; restart: "
            "then swap the pictures and reset the states; growing: grow a pattern, run it on, "
            "damage it (no data set)."
        ),
    ] = "fresh",
    target: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Target pattern of growing: a picture file, or lizard, flower, heart, butterfly.",
        ),
    ] = None,
    late: Annotated[
        int,
        typer.Option(
            min=1, max=MOST, metavar="N", help="Late step, at which growing measures persistence."
        ),
    ] = 4096,
    swaps: Annotated[
        int,
        typer.Option(
            min=1, max=MOST, metavar="N", help="Number of swaps (mutation and restart only)."
        ),
    ] = 1,
    every: Annotated[
        int, typer.Option(min=1, max=MOST, help="Measure at every N-th step only.", metavar="N")
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, metavar="N", help=SEED)] = 0,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GROUPING",
            help="Also print final scores by dataset, class, holes or pieces; repeatable.",
        ),
    ] = None,
    confusion: Annotated[
        bool, typer.Option("--confusion", help="Also print the votes by class.")
    ] = False,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust",
            help="Also print which signals of the swarm tell right from wrong answers (protocol "
            "fresh, every step).",
        ),
    ] = False,
    fill_holes: Annotated[
        bool, typer.Option("--fill-holes", help="Fill the holes of all silhouettes.")
    ] = False,
    precision: Annotated[Precision | None, typer.Option(help=PRECISION)] = None,
    device: Annotated[Device, typer.Option(help=DEVICE)] = "cpu",
    links: Annotated[
        str | None,
        typer.Option(
            metavar="YAML",
            help='Links between cells, as in a scenario: "{drop: 0.3}" loses messages.',
        ),
    ] = None,
    turn: Annotated[
        float | None,
        typer.Option(
            metavar="DEGREES", help="Evaluate on pictures turned by 0°, DEGREES, … up to 180°."
        ),
    ] = None,
    json_file: JsonFile = None,
    figure: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Write the curves, .png or .pdf; repeatable."),
    ] = None,
) -> None:
    """Score a rule on a data set at every step, or at several angles."""
    with told_in_one_line():
        from swarm_nca.cli.evaluate_command import evaluate_command
        from swarm_nca.cli.turning_command import turning_command

        if protocol == "growing":
            _grow(context, rule, target, late, seed, json_file)
            return
        if dataset is None:
            raise ValueError("name the pictures with --dataset, such as --dataset strokes")
        for name in _given(context, ("target", "late")):
            raise ValueError(f"{name} needs --protocol growing: add it, or leave {name} out")
        command: functools.partial[Any]
        if turn is None:
            command = functools.partial(
                evaluate_command,
                swaps=swaps,
                every=every,
                by=by or (),
                votes=confusion,
                trust=trust,
                fill_holes=fill_holes,
                precision=precision,
                device=device,
                links=None if links is None else _links(links),
                figures=figure or (),
            )
        else:
            if wrong := _given(context, UPRIGHT_ONLY):
                raise ValueError(
                    f"--turn cannot be combined with {', '.join(wrong)}: leave one of them out"
                )
            command = functools.partial(turning_command, turn=turn)
        command(
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
    context: typer.Context,
    rule: str,
    target: str | None,
    late: int,
    seed: int,
    json_file: Path | None,
) -> None:
    from swarm_nca.cli.growing_command import growing_command

    if wrong := _given(context, (*UPRIGHT_ONLY, "turn", "dataset", "split", "limit", "steps")):
        names = ", ".join(wrong)
        raise ValueError(f"--protocol growing cannot be combined with {names}: leave {names} out")
    growing_command(rule, target, late=late, seed=seed, json_file=json_file, console=console())


def _links(text: str) -> Links:
    """The links of an option; errors name the setting, not a place in a file."""
    from swarm_nca.config import LocatedError, parse
    from swarm_nca.scenario.schema import OnlyLinks

    try:
        return parse(f"links:\n {text}").validate(OnlyLinks).links
    except LocatedError as error:
        what = f"{error.path}: " if error.path else ""
        raise ValueError(f"--{what or 'links: '}{error.message}") from None


def _given(context: typer.Context, names: Sequence[str]) -> list[str]:
    """Those of the options in `names` that stand on the command line."""
    sources = {name: context.get_parameter_source(name) for name in names}
    given = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    return [f"--{name.replace('_', '-')}" for name in given]


def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN …", help="Folders of trainings, or rules.")
    ],
    dataset: Annotated[str, typer.Option(metavar="NAME", help=DATASET)] = "mnist",
    split: Annotated[Split, typer.Option(help=SPLIT)] = "test",
    limit: Annotated[int | None, typer.Option(min=1, max=MOST, metavar="N", help=LIMIT)] = None,
    steps: Annotated[int, typer.Option(min=1, max=MOST, metavar="N", help=STEPS)] = 200,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, metavar="N", help=SEED)] = 0,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the tables and figures.")
    ] = Path("runs/compare"),
) -> None:
    """Compare rules on the same pictures: a table, and figures for papers."""
    with told_in_one_line():
        # Rules that do not fit are refused at once, before slow imports.
        from swarm_nca.comparison.entries import entries
        from swarm_nca.comparison.fitting import check_fit, known_classes

        check_fit(entries(runs), dataset, known_classes(dataset))
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


def stress(
    rule: Annotated[str, typer.Argument(metavar="RULE", help=RULE)],
    data: Annotated[
        str | None,
        typer.Option(
            metavar="SET",
            help="Pictures of the rule's classes: mnist, fashion-mnist, strokes, doodles, garments "
            "or a folder. Default: the published set if SWARM_NCA_DATA has it, else a drawn one.",
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(metavar="FAMILY,…", help="Only these families, such as rotation,loss."),
    ] = None,
    count: Annotated[
        int, typer.Option(min=1, max=MOST_PICTURES, help="Pictures of each setting.")
    ] = 200,
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Pictures drawn by other people: a folder with one subfolder for each class.",
        ),
    ] = None,
    immigrants: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="The rule that immigrants obey. Default: for the rules mnist and mnist-97 the "
            "attack that ships (scenario misled), for others none.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help=SEED)] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for tables and figures; default: runs/stress-RULE."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST, help="Settings at the same time. Default: one for each core."
        ),
    ] = None,
) -> None:
    """Measure a rule on strange pictures and under faults. To continue, repeat the command."""
    with told_in_one_line(), stoppable():
        from swarm_nca.cli.stress_command import stress_command
        from swarm_nca.processes import cores

        stress_command(
            rule,
            data,
            only=only,
            count=count,
            pictures=pictures,
            immigrants=immigrants,
            seed=seed,
            out=out,
            workers=cores() if workers is None else workers,
            console=console(),
        )


def bench(
    json_file: JsonFile = None,
    bits: Annotated[
        bool, typer.Option("--bits", help="Measure rules in bits instead: exported C, products.")
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Compare with the numbers that an earlier --json wrote there."
        ),
    ] = None,
    figure: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Write the roofline of the steps, .png or .pdf; repeatable."
        ),
    ] = None,
) -> None:
    """Measure speed, compared with a dense convolution."""
    with told_in_one_line():
        from swarm_nca.cli.bench_against import print_against, read_earlier
        from swarm_nca.cli.bench_command import bench_command, bits_command

        earlier = None if against is None else read_earlier(against)
        if bits and figure:
            raise ValueError("--figure draws steps, not rules in bits: leave one of them out")
        if bits:
            now = bits_command(json_file, console=console())
        else:
            now = bench_command(json_file, figures=figure or (), console=console())
        if earlier is not None:
            print_against(console(), earlier, now)
