"""The command `train`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from swarm_nca.cli.inspecting import meant_as
from swarm_nca.cli.options import Overrides
from swarm_nca.cli.stopping import stoppable
from swarm_nca.cli.telling import told_in_one_line
from swarm_nca.threads import available_cores


@stoppable()
def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="[RECIPE.yaml]",
            help="A file, or the name of a recipe that ships. Not needed with --resume.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the training; default runs/train-NAME."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Continue the training in this folder.")
    ] = None,
    changes: Overrides = None,
) -> None:
    """Train a rule from a recipe, or resume a training."""
    with told_in_one_line():
        import torch

        from swarm_nca.cli.training_page import training_page
        from swarm_nca.scenario.finding import find_recipe
        from swarm_nca.training.command import train as train_rule

        torch.set_num_threads(available_cores())
        path = None if recipe is None else find_recipe(recipe)
        with contextlib.nullcontext() if path is None else meant_as("recipe", path):
            code = train_rule(path, out, resume, changes or [], training_page)
    raise typer.Exit(code)
