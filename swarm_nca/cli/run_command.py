"""The body of `swarm-nca run`: loads everything, runs it, prints summaries, writes JUnit XML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from swarm_nca.atomic import check_file, write_atomically
from swarm_nca.cli.closing import say, small_table
from swarm_nca.cli.inspecting import kind_of, meant_as
from swarm_nca.cli.telling import tell, told_in_one_line
from swarm_nca.cli.watching import watched
from swarm_nca.recording import Run
from swarm_nca.scenario import Scenario, load, run
from swarm_nca.scenario.finding import find_scenario, shipped_scenarios
from swarm_nca.scenario.forking import forked
from swarm_nca.scenario.junit import failures, junit_xml
from swarm_nca.scenario.placing import check_place, folders_of


def run_command(
    given: Sequence[str],
    out: Path | None,
    *,
    origin: str | None = None,
    changes: Sequence[str] = (),
    seed: int | None = None,
    quiet: bool = False,
    junit: Path | None = None,
    console: Console,
) -> bool:
    """Run scenarios, or all scenarios of folders as a suite.

    Args:
        given: files, names of scenarios that ship, and folders.
        out: see `folders_of`.
        origin: `RUN@STEP`, from which a run goes on, instead of the given names.
        changes: `key=value` changes of every scenario.
        seed: overrides the seed of every scenario.
        quiet: print failed expectations only.
        junit: file for the expectations as JUnit XML.

    Returns:
        Whether all expectations were met.

    Raises:
        typer.Exit: bad input, with one line on stderr for each file; code 2.
    """
    with told_in_one_line():
        if bool(given) == (origin is not None):
            raise ValueError("give either scenarios, or --from RUN@STEP; see swarm-nca run --help")
        if origin is not None:
            fork = load(forked(origin, changes, seed))
            paths, suite = list[Path](), False
        else:
            paths, suite = files_of(given)
    loaded = [fork] if origin is not None else _loaded(paths, changes, seed)
    return run_all(loaded, out, quiet=quiet, brief=suite, junit=junit, console=console)


def run_all(
    loaded: Sequence[Scenario],
    out: Path | None,
    *,
    quiet: bool,
    brief: bool,
    junit: Path | None,
    console: Console,
) -> bool:
    """Run loaded scenarios; returns whether all expectations were met.

    Args:
        brief: print a line for each failed expectation instead of a summary for each run.
    """
    with told_in_one_line():
        folders = folders_of(loaded, out)
        for folder in folders:
            check_place(folder)
        if junit is not None:
            check_file(junit)
    results = []
    for scenario, folder in zip(loaded, folders, strict=True):
        with watched(scenario.name, quiet) as progress, told_in_one_line():
            results.append(run(scenario, folder, progress=progress))
        if quiet or brief:
            for line in failures(results[-1]):
                typer.echo(line, err=True)
        else:
            say(console, results[-1], folder)
    if junit is not None:
        with told_in_one_line((OSError,)):
            write_atomically(junit, junit_xml(results))
    if not quiet and (brief or len(results) > 1):
        say_all(console, results, folders)
    return all(result.passed for result in results)


def files_of(given: Iterable[str]) -> tuple[list[Path], bool]:
    """The files of scenarios, and whether a folder was among the given names.

    Of a folder these are all its scenarios, in the order of their paths, those of its subfolders
    included; its recipes and sweeps are left out.

    Raises:
        ValueError: a folder without a scenario, or an unknown name.
    """
    paths, suite = list[Path](), False
    for name in given:
        folder = Path(name)
        if not folder.is_dir() or name in shipped_scenarios():
            paths.append(find_scenario(name))
            continue
        suite = True
        files = sorted({*folder.rglob("*.yaml"), *folder.rglob("*.yml")})
        scenarios = [file for file in files if kind_of(file) == "scenario"]
        if not scenarios:
            raise ValueError(f"{folder}: there is no scenario in this folder; name its files")
        paths += scenarios
    return paths, suite


def _loaded(paths: Sequence[Path], changes: Sequence[str], seed: int | None) -> list[Scenario]:
    """All scenarios; every unusable one has its line on stderr."""
    loaded, wrong = [], False
    for path in paths:
        try:
            with told_in_one_line(()), meant_as("scenario", path):
                loaded.append(load(path, overrides=changes, seed=seed))
        except (ValueError, OSError) as error:
            tell(error)
            wrong = True
    if wrong:
        raise typer.Exit(2)
    return loaded


def say_all(console: Console, results: Sequence[Run], folders: Sequence[Path]) -> None:
    """Print one line for each run, and one for all."""
    table = small_table(console)
    for heading in ("scenario", "result", "met", "steps", "seconds", "report"):
        right = heading in ("met", "steps", "seconds")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for result, folder in zip(results, folders, strict=True):
        met = sum(one.passed for one in result.expectations)
        verdict = "[green]passed[/]" if result.passed else "[red]failed[/]"
        table.add_row(
            escape(result.name),
            verdict if result.expectations else "done",
            f"{met} of {len(result.expectations)}" if result.expectations else "–",
            f"{result.steps:,}",
            "–" if result.seconds is None else f"{result.seconds:.1f}",
            escape(str(folder / "report.html")),
        )
    console.print(table)
    expectations = [one for result in results for one in result.expectations]
    met, passed = (
        sum(one.passed for one in expectations),
        sum(result.passed for result in results),
    )
    console.print(
        f"{passed} of {len(results)} scenarios passed, {met} of {len(expectations)} expectations "
        "met",
        highlight=False,
    )
