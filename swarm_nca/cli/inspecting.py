"""The commands `check`, `schema`, `list` and `rules`."""

from __future__ import annotations

import contextlib
import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from swarm_nca.cli.options import Overrides, Quiet
from swarm_nca.cli.telling import console, tell, told_in_one_line
from swarm_nca.suggestion import unknown

#: Kinds of YAML files, with the module and name of the model that validates each.
KINDS = {
    "scenario": ("swarm_nca.scenario.schema", "Settings"),
    "recipe": ("swarm_nca.training.recipe", "Recipe"),
    "sweep": ("swarm_nca.sweeps.schema", "Sweep"),
}

#: The command that runs each kind of file.
RUN_BY = {"scenario": "run", "recipe": "train", "sweep": "sweep"}


def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE.yaml …")],
    changes: Overrides = None,
    quiet: Quiet = False,
) -> None:
    """Check scenarios, recipes and sweeps without running them."""
    from swarm_nca.scenario import load
    from swarm_nca.scenario.finding import find_any

    wrong = 0
    for file in files:
        try:
            path = find_any(file)
            kind, document = _kind_of(path, changes or [])
            if kind == "scenario":
                load(document)
            elif kind == "sweep":
                from swarm_nca.sweeps.plans import checked
                from swarm_nca.sweeps.reading import opened

                checked(opened(document))
            else:
                from swarm_nca.training.setup import look_up

                look_up(document.validate(_model(kind)), document)
        except ValueError as error:
            wrong += 1
            tell(error, all_of_them=True)
        else:
            if not quiet:
                typer.echo(f"{file}: OK ({kind})")
    if wrong:
        raise typer.Exit(2)


def schema(
    kind: Annotated[str, typer.Argument(metavar="[scenario|recipe|sweep]")] = "scenario",
) -> None:
    """Print the JSON Schema of scenarios, recipes or sweeps, for editors."""
    with told_in_one_line():
        if kind not in KINDS:
            raise ValueError(unknown("kind of file", kind, KINDS))
    text = json.dumps(_model(kind).model_json_schema(), indent=2, ensure_ascii=False)
    typer.echo(text)


def rules(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also print each weight tensor and the card.")
    ] = False,
) -> None:
    """List the rules that ship, with scores, size and hash."""
    with told_in_one_line():
        from swarm_nca.cli.rules_command import rules_command

        rules_command(verbose, console())


def list_(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="[KIND]", help="Only one kind: rules, scenarios, metrics, …"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print names and descriptions as JSON.")
    ] = False,
) -> None:
    """List what files and commands can name: rules, scenarios, data sets, metrics, …"""
    with told_in_one_line():
        from swarm_nca.cli.list_command import list_command

        list_command(kind, as_json, console())


@contextlib.contextmanager
def meant_as(kind: str, file: str | Path) -> Iterator[None]:
    """Replace a located error by "this is a recipe" if the file's keys fit another kind better.

    Raises:
        ValueError: the command for the kind of file that it is.
    """
    from swarm_nca.config import LocatedError

    try:
        yield
    except LocatedError as error:
        keys = _keys_of(Path(file))
        other = max(KINDS, key=lambda kind: keys.get(kind, 0))
        if keys.get(other, 0) > keys.get(kind, 0):
            raise ValueError(
                f"{file}: this is a {other}; use: swarm-nca {RUN_BY[other]} {file}"
            ) from error
        raise


def kind_of(path: Path) -> str:
    """The kind of a file, a key of `KINDS`; empty if its keys are of no kind.

    A file that cannot be read counts as a scenario, so that its mistake is reported.
    """
    from swarm_nca.config import read

    try:
        data = read(path).data
    except ValueError:
        return "scenario"
    keys = _known(data) if isinstance(data, dict) else {}
    return max(keys, key=lambda kind: keys[kind]) if any(keys.values()) else ""


def _kind_of(path: Path, changes: list[str]) -> tuple[str, Any]:
    """The kind of a file, judged by its keys, and the document."""
    from swarm_nca.config import read

    document = read(path).with_overrides(changes)
    data = document.data
    if not isinstance(data, dict):
        raise document.error((), f"a mapping of keys is expected: a {', a '.join(KINDS)}")
    keys = _known(data)
    return max(KINDS, key=lambda kind: keys[kind]), document


def _keys_of(path: Path) -> dict[str, int]:
    """For each kind, how many of its keys the file has; empty if the file is unreadable."""
    from swarm_nca.config import read

    try:
        data = read(path).data
    except ValueError:
        return {}
    return _known(data) if isinstance(data, dict) else {}


def _known(data: dict[Any, Any]) -> dict[str, int]:
    return {kind: len(_model(kind).model_fields.keys() & data.keys()) for kind in KINDS}


def _model(kind: str) -> Any:
    module, name = KINDS[kind]
    return getattr(importlib.import_module(module), name)
