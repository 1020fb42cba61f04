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

    from swarm_nca.scenario import Scenario

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
    from swarm_nca.scenario.placing import check_place

    with told_in_one_line():
        loaded = [load(path, overrides=changes or (), seed=seed) for path in scenarios]
        folders = _folders(loaded, out)
        for folder in folders:
            check_place(folder)
        if junit is not None and not junit.absolute().parent.is_dir():
            raise ValueError(f"{junit}: there is no folder {junit.parent}")
    results = []
    for scenario, folder in zip(loaded, folders, strict=True):
        _share_cores(scenario.start.cells)
        with _progress(scenario.name, quiet) as progress, told_in_one_line((OSError,)):
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
    dataset: Annotated[
        str, typer.Option(help="mnist, fashion-mnist, strokes, letters, or a folder of pictures.")
    ],
    split: Annotated[Split, typer.Option(help="Of a published data set.")] = "test",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Of each phase.")] = 200,
    protocol: Annotated[
        Protocol,
        typer.Option(help="Fresh pictures; or swapped midway, states kept or restarted."),
    ] = "fresh",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    json_file: JsonFile = None,
) -> None:
    """Examine a rule on a data set, step by step."""
    with told_in_one_line():
        from swarm_nca.measure.evaluate_command import evaluate_command

        evaluate_command(
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
def view(
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="[SCENARIO.yaml]", help="A file, or a name that ships."),
    ] = None,
    rule: Annotated[
        str | None, typer.Option(metavar="RULE", help=f"{RULE} Instead of the scenario's.")
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

        view_session(scenario, rule, headless=headless, steps=steps, out=out)


@app.command()
def bench(json_file: JsonFile = None) -> None:
    """Measure speed, beside a dense convolution."""
    with told_in_one_line():
        from swarm_nca.measure.bench_command import bench_command
        from swarm_nca.swarm import Swarm

        bench_command(Swarm, json_file, console=_console())


@app.command()
def rules(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also each weight tensor, and the card.")
    ] = False,
) -> None:
    """List the rules that ship: scores, size, hash."""
    from rich.table import Table

    from swarm_nca.rules import read_rule, shipped_rules

    console = _console()
    table = Table(box=None, pad_edge=False)
    for heading in ("rule", "classes", "parameters", "bytes", "scores", "hash"):
        table.add_column(heading, justify="right" if heading in ("parameters", "bytes") else "left")
    for name, path in shipped_rules().items():
        with told_in_one_line():
            rule, card = read_rule(path)
        weights = rule.state_dict()
        numbers = sum(weight.numel() for weight in weights.values())
        size = sum(weight.nbytes for weight in weights.values())
        classes = _shortened(rule.classes.names)
        scores = "; ".join(f"{key} {value}" for key, value in card.get("scores", {}).items())
        table.add_row(name, classes, f"{numbers:,}", f"{size:,}", scores, rule.hash()[:12])
        if verbose:
            for tensor, weight in weights.items():
                shape = " × ".join(str(length) for length in weight.shape)
                table.add_row(f"  {tensor}", shape, f"{weight.numel():,}", f"{weight.nbytes:,}")
            for key, value in card.items():
                if key != "scores":
                    table.add_row(f"  {key}", str(value))
    console.print(table)


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


def _folders(scenarios: list[Scenario], out: Path | None) -> list[Path]:
    """Where each run goes."""
    if out is not None and len(scenarios) == 1:
        return [out]
    folders = [(out or Path("runs")) / scenario.name for scenario in scenarios]
    for i, folder in enumerate(folders):
        if folder in folders[:i]:
            raise ValueError(
                f"{scenarios[i].document.file}: a second scenario named {folder.name!r}; their "
                "runs would share a folder, so give each its own name"
            )
    return folders


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


@contextlib.contextmanager
def _progress(name: str, quiet: bool) -> Iterator[Any]:
    """A bar on stderr while a terminal watches; yields what tells it the steps done and in all."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name)

        def tell(done: int, steps: int) -> None:
            now = name if done < steps else f"{name}: writing"
            bar.update(task, completed=done, total=steps, description=now)

        yield tell


def _shortened(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 10 else f"{len(names)}: {names[0]} … {names[-1]}"


if __name__ == "__main__":
    main()
