"""The command `swarm-nca`: a thin layer that parses, calls the package, and tells what came of it.

Exit codes: 0 done; 1 an expectation failed; 2 bad input, told in one line on stderr. Whatever is
heavy is imported inside the command that needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.console import Console

#: What a YAML file can be, and the model that describes it.
KINDS = {
    "scenario": ("swarm_nca.scenario.schema", "Settings"),
    "recipe": ("swarm_nca.training.recipe", "Recipe"),
}

#: The number of cells below which one core does best.
SMALL = 4_096

app = typer.Typer(
    name="swarm-nca",
    help="Swarms of pixels that agree on what they form: run, train and measure neural cellular "
    "automata.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the file; repeatable."),
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Also write all numbers as JSON.")
]
Split = Literal["test", "train"]
Protocol = Literal["fresh", "mutation", "restart"]
DATASET = (
    "mnist, fashion-mnist, strokes, doodles, letters, garments, chimeras, joined, or a folder of "
    "pictures; several with + between them."
)
RULE = "A rule that ships, a .safetensors file, or the published model's JSON."
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but mistakes.")]


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"swarm-nca {version('swarm-nca')}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Swarms of pixels that agree on what they form."""


@app.command()
def run(
    scenarios: Annotated[
        list[str], typer.Argument(metavar="SCENARIO.yaml …", help="Files, or names that ship.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The run folder (of several scenarios: what holds one folder for each); "
            "runs/NAME if not given. An earlier run there is replaced.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Overrides the scenario's.")] = None,
    changes: Overrides = None,
    quiet: Quiet = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the expectations as JUnit XML.")
    ] = None,
) -> None:
    """Run scenarios; write a folder with a report for each."""
    from swarm_nca.atomic import write_atomically
    from swarm_nca.scenario import load
    from swarm_nca.scenario import run as run_scenario
    from swarm_nca.scenario.junit import junit_xml
    from swarm_nca.scenario.placing import check_place, folders_of
    from swarm_nca.scenario.watching import watched

    with told_in_one_line():
        loaded = [load(path, overrides=changes or (), seed=seed) for path in scenarios]
        folders = folders_of(loaded, out)
        for folder in folders:
            check_place(folder)
        if junit is not None and not junit.absolute().parent.is_dir():
            raise ValueError(f"{junit}: there is no folder {junit.parent}")
    results = []
    for scenario, folder in zip(loaded, folders, strict=True):
        _share_cores(scenario.start.cells)
        with watched(scenario.name, quiet) as progress, told_in_one_line((OSError,)):
            results.append(run_scenario(scenario, folder, progress=progress))
        if not quiet:
            from swarm_nca.scenario.closing import say

            say(_console(), results[-1], folder)
    if junit is not None:
        with told_in_one_line((OSError,)):
            write_atomically(junit, junit_xml(results))
    if not all(result.passed for result in results):
        raise typer.Exit(1)


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE.yaml …")],
    changes: Overrides = None,
    quiet: Quiet = False,
) -> None:
    """Check scenarios and recipes without running them."""
    from swarm_nca.scenario import load
    from swarm_nca.scenario.finding import find_either

    wrong = 0
    for file in files:
        try:
            path = find_either(file)
            kind, document = _kind_of(path, changes or [])
            if kind == "scenario":
                load(path, overrides=changes or ())
            else:
                document.validate(_model(kind))
        except ValueError as error:
            wrong += 1
            _tell(error)
        else:
            if not quiet:
                typer.echo(f"{file}: a {kind}, nothing wrong with it")
    if wrong:
        raise typer.Exit(2)


@app.command()
def schema(
    kind: Annotated[str, typer.Argument(metavar="[scenario|recipe]")] = "scenario",
) -> None:
    """Print the JSON Schema of a kind of file, for editors."""
    if kind not in KINDS:
        raise typer.BadParameter(f"{kind!r} is none of {', '.join(KINDS)}")
    text = json.dumps(_model(kind).model_json_schema(), indent=2, ensure_ascii=False)
    typer.echo(text)


@app.command()
def evaluate(
    rule: Annotated[str, typer.Argument(metavar="RULE", help=RULE)],
    dataset: Annotated[str, typer.Option(help=DATASET)],
    split: Annotated[Split, typer.Option(help="Of a published data set.")] = "test",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Of each phase.")] = 200,
    protocol: Annotated[
        Protocol,
        typer.Option(help="Fresh pictures; or swapped on the way, states kept or restarted."),
    ] = "fresh",
    swaps: Annotated[int, typer.Option(min=1, help="Of mutation and restart.")] = 1,
    every: Annotated[int, typer.Option(min=1, help="Look every so many steps only.")] = 1,
    seed: Annotated[int, typer.Option(min=0)] = 0,
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
        from swarm_nca.measure.evaluate_command import evaluate_command
        from swarm_nca.measure.turning_command import turning_command
        from swarm_nca.recording.long_run import draw

        further: dict[str, Any] = {"swaps": swaps, "every": every, "by": by or ()}
        further |= {"votes": confusion, "fill_holes": fill_holes, "figures": figure or ()}
        ask: functools.partial[Any] = functools.partial(evaluate_command, **further, draw=draw)
        if turn is not None:
            if any(value not in (1, False, ()) for value in further.values()):
                wrong = "--swaps, --every, --by, --confusion, --fill-holes or --figure"
                raise ValueError(f"--turn does not go with {wrong}: leave one of them out")
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
            console=_console(),
        )


@app.command()
def train(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE.yaml", help="A file, or a name that ships.")
    ],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="The training's folder.")] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Go on exactly where that one stopped.")
    ] = None,
    changes: Overrides = None,
) -> None:
    """Train a rule by a recipe, or resume a training."""
    with told_in_one_line():
        import torch

        from swarm_nca.scenario.finding import find_recipe
        from swarm_nca.training.command import train as train_rule

        torch.set_num_threads(_cores())
        code = train_rule(find_recipe(recipe), out, resume, changes or [])
    raise typer.Exit(code)


@app.command()
def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN …", help="Folders of training runs, or rules.")
    ],
    dataset: Annotated[str, typer.Option(help=DATASET)] = "mnist",
    split: Annotated[Split, typer.Option(help="Of a published data set.")] = "test",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Of each phase.")] = 200,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the table and the figures go.")
    ] = Path("runs/compare"),
) -> None:
    """Set rules side by side: a table, and figures for papers."""
    with told_in_one_line():
        from swarm_nca.comparison.command import compare as compare_rules

        compare_rules(
            runs,
            dataset,
            split=split,
            limit=limit,
            steps=steps,
            seed=seed,
            out=out,
            console=_console(),
        )


@app.command()
def view(
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="[SCENARIO.yaml]", help="A file, or a name that ships."),
    ] = None,
    rule: Annotated[
        str | None, typer.Option(metavar="RULE", help=f"{RULE} Instead of the scenario's.")
    ] = None,
    beside: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="A second rule on the same drawing, side by side."),
    ] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="Write a film instead of showing a window.")
    ] = False,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Of the film; the scenario's if not given.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The film: .webp, .gif, or .png.")
    ] = None,
) -> None:
    """Draw, damage and question a swarm in a window; watch a scenario as it happens."""
    with told_in_one_line():
        from swarm_nca.viewer.command import view as view_session

        view_session(scenario, rule, beside=beside, headless=headless, steps=steps, out=out)


@app.command()
def bench(json_file: JsonFile = None) -> None:
    """Measure speed, beside a dense convolution."""
    with told_in_one_line():
        from swarm_nca.measure.bench_command import bench_command
        from swarm_nca.swarm import Swarm
        from swarm_nca.training.timed import published

        bench_command(Swarm, published, json_file, console=_console())


@app.command()
def rules(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also each weight tensor, and the card.")
    ] = False,
) -> None:
    """List the rules that ship: scores, size, hash."""
    with told_in_one_line():
        from swarm_nca.measure.rules_command import rules_command

        rules_command(verbose, _console())


def main() -> None:
    """Entry point of the command."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets a substitute, not a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()


@contextlib.contextmanager
def told_in_one_line(
    kinds: tuple[type[Exception], ...] = (ValueError, OSError),
) -> Iterator[None]:
    """Bad input: one line on stderr, and exit code 2."""
    try:
        yield
    except kinds as error:
        _tell(error)
        raise typer.Exit(2) from error


def _tell(error: Exception) -> None:
    typer.echo(" ".join(str(error).split()), err=True)


def _share_cores(cells: int) -> None:
    """Small products are slower on several cores than on one, most of all on a busy machine."""
    import torch

    most = _cores()  # asked for before it changes
    torch.set_num_threads(1 if cells < SMALL else most)


@functools.cache
def _cores() -> int:
    """All of the machine's, unless OMP_NUM_THREADS says otherwise."""
    import torch

    return torch.get_num_threads() if "OMP_NUM_THREADS" in os.environ else os.cpu_count() or 1


def _kind_of(path: Path, changes: list[str]) -> tuple[str, Any]:
    """What a file is, by the keys it has, and the file."""
    from swarm_nca.located import read

    document = read(path).with_overrides(changes)
    data = document.data
    if not isinstance(data, dict):
        raise document.error((), f"a mapping of keys is expected: a {' or a '.join(KINDS)}")
    known = {kind: _model(kind).model_fields.keys() for kind in KINDS}
    return max(KINDS, key=lambda kind: len(known[kind] & data.keys())), document


def _model(kind: str) -> Any:
    module, name = KINDS[kind]
    return getattr(importlib.import_module(module), name)


def _console() -> Console:
    from rich.console import Console

    # Piped, a table is as wide as it needs to be: lines that wrap are hard to search.
    return Console() if sys.stdout.isatty() else Console(width=200)


if __name__ == "__main__":
    main()
