"""Training from the command line: a folder, a progress bar, checkpoints, and a way to go on."""

from __future__ import annotations

import contextlib
import math
import os
import platform
import shlex
import signal
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from swarm_nca.atomic import check_folder, write_atomically
from swarm_nca.engine import rollout
from swarm_nca.images import Pictures
from swarm_nca.located import Document, dump, path_from, read, relocated
from swarm_nca.measure.protocols import evaluate
from swarm_nca.portrait import decisions_rgb, grey_rgb, png, sheet
from swarm_nca.rules import Rule, save_rule, shipped_rules
from swarm_nca.tasks import Classification
from swarm_nca.training.checkpoint import load_checkpoint, save_checkpoint
from swarm_nca.training.folder import Folder, Log
from swarm_nca.training.materials import materials
from swarm_nca.training.parallel import Team, joined
from swarm_nca.training.precision import bfloat16_takes
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.trainer import Report, Trainer
from swarm_nca.world import World

#: Pictures on the strip, and the step at which they are shown.
STRIP, STRIP_STEP = 12, 50

#: How many times as long bfloat16 may take unremarked: less is the machine's noise.
SLOWER = 1.1

#: Held-out pictures from which on a score means something.
ENOUGH = 100


def train(
    recipe_path: Path | None,
    out: Path | None = None,
    resume: Path | None = None,
    overrides: list[str] | None = None,
) -> int:
    """Train by a recipe into a folder; the exit code: 0 done, 130 interrupted (and resumable).

    Args:
        recipe_path: the YAML file; where a run is resumed, the one in its folder when None.
        out: the folder, `runs/train-NAME` when None.
        resume: the folder of a run that stopped; it goes on in place, exactly.
        overrides: `key=value` changes of the recipe.

    Raises:
        ValueError: a recipe, data, folder or checkpoint that cannot be used, nothing being written
            then; or a loss that is no longer finite.
        OSError: a disk that fills up, or the like, on the way.
    """
    if recipe_path is None:
        if resume is None:
            raise ValueError("name a recipe, or with --resume the folder of a run to go on with")
        recipe_path = Folder(resume).recipe
    document = read(recipe_path).with_overrides(overrides or [])
    recipe: Recipe = document.validate(Recipe)
    with joined(recipe.batch) as team:
        if team.rank:
            return _follow(team, document, recipe, resume)
        return _lead(team, document, recipe, _place(recipe, recipe_path, out, resume), resume)


def _follow(team: Team, document: Document, recipe: Recipe, resume: Path | None) -> int:
    """A process's part in a team that another one leads: it trains, and that is all."""
    rule, task, _ = materials(recipe, document)
    trainer = Trainer(recipe, rule, task, team)
    if resume:
        load_checkpoint(trainer, Folder(resume).checkpoint)
    stopping = False
    try:
        with _asked_to_stop() as stop:
            while trainer.iteration < recipe.iterations and not stopping:
                trainer.advance()
                stopping = team.any(bool(stop))
    except ArithmeticError:
        return 2  # all see the same loss, and the leader tells
    return 0 if trainer.iteration == recipe.iterations else 130


def _lead(
    team: Team,
    document: Document,
    recipe: Recipe,
    place: Path,
    resume: Path | None,
) -> int:
    folder = Folder(place)
    rule, task, held_out = materials(recipe, document)
    trainer = Trainer(recipe, rule, task, team)
    before = load_checkpoint(trainer, folder.checkpoint) if resume else 0.0
    folder.path.mkdir(parents=True, exist_ok=True)
    write_atomically(folder.recipe, _moved(recipe, Path(document.file).parent, folder.path))
    console = Console(stderr=True)
    if not resume and recipe.precision == "bfloat16":
        _warn_of_bfloat16(rule, recipe.batch, console)
    try:
        seconds = _train(trainer, folder, held_out, before, console)
    except ArithmeticError as error:
        raise ValueError(f"{folder.path}: {error}") from error
    if trainer.iteration < recipe.iterations:
        again = ["swarm-nca", "train", "--resume", str(folder.path)]
        console.print(
            f"stopped after iteration {trainer.iteration}; go on with {shlex.join(again)}",
            soft_wrap=True,
            markup=False,
        )
        return 130
    scores = _scores(trainer.outcome, held_out) if len(held_out.grey) >= ENOUGH else {}
    save_rule(trainer.outcome, folder.rule, card_of(trainer, seconds, scores))
    found = ", ".join(f"{name} {value}" for name, value in scores.items())
    told = f"{folder.rule}: {found} ({len(held_out.grey)} held-out pictures)"
    if not scores:
        told = (
            f"{folder.rule}: not scored, {len(held_out.grey)} held-out pictures are too few "
            f"({ENOUGH} are enough); swarm-nca evaluate {folder.path} --dataset … takes any others"
        )
    console.print(told, soft_wrap=True, markup=False)
    return 0


def card_of(trainer: Trainer, seconds: float, scores: dict[str, float]) -> dict[str, Any]:
    """What a rule tells about where it comes from."""
    return {
        "recipe": trainer.recipe.model_dump(mode="json"),
        "began_with": trainer.began_with,
        "iterations": trainer.iteration,
        "seconds": round(seconds),
        "scores": scores,
        "date": date.today().isoformat(),
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "licence": "MIT",
    }


def _moved(recipe: Recipe, old: Path, new: Path) -> bytes:
    """The recipe as a file in another folder than the one that its paths start from."""
    settings: dict[str, Any] = relocated(recipe.model_dump(mode="json"), old, new)
    weights = recipe.rule.weights
    if weights is not None and weights not in shipped_rules():
        settings["rule"]["weights"] = path_from(new, old, weights)
    return dump(settings).encode()


def _warn_of_bfloat16(rule: Rule, worlds: int, console: Console) -> None:
    times = bfloat16_takes(rule, worlds)
    if times > SLOWER:
        console.print(
            f"products in bfloat16 take {times:.1f} times as long as in float32 on this machine; "
            "--set precision=float32 is faster here",
            soft_wrap=True,
            markup=False,
        )


def _place(recipe: Recipe, recipe_path: Path, out: Path | None, resume: Path | None) -> Path:
    if resume is not None:
        if out is not None and out != resume:
            raise ValueError(f"--resume goes on in {resume}; leave --out away")
        if not Folder(resume).checkpoint.is_file():
            raise ValueError(f"{resume}: no checkpoint.safetensors there to resume from")
        return resume
    place = out or Path("runs") / f"train-{recipe.name}"
    folder = Folder(place)
    if place.exists() and not (place.is_dir() and folder.barren):
        go_on = f"go on with --resume {place}, or " if folder.checkpoint.is_file() else ""
        raise ValueError(f"{place} is in use; {go_on}choose another folder with --out")
    if folder.recipe.absolute() == recipe_path.absolute():
        raise ValueError(
            f"{recipe_path} would be replaced by the run's own {folder.recipe.name}; choose "
            "another folder with --out"
        )
    check_folder(place)
    return place


def _train(
    trainer: Trainer, folder: Folder, held_out: Classification, before: float, console: Console
) -> float:
    """Iterate to the end, or until interrupted; returns the seconds trained in all."""
    recipe, log = trainer.recipe, Log(folder.log, trainer.iteration)
    began, recent, stopping = time.monotonic() - before, list[Report](), False
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("loss {task.fields[loss]} · accuracy {task.fields[accuracy]}"),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=console) as bar, _asked_to_stop() as stop:
        line = bar.add_task(
            recipe.name,
            total=recipe.iterations,
            completed=trainer.iteration,
            loss="–",
            accuracy="–",
        )
        while trainer.iteration < recipe.iterations and not stopping:
            recent.append(trainer.advance())
            stopping = trainer.team.any(bool(stop))
            last = trainer.iteration == recipe.iterations or stopping
            seconds = time.monotonic() - began
            if trainer.iteration % recipe.log_every == 0 or last:
                loss = float(np.mean([report.loss for report in recent]))
                accuracy = float(np.mean([report.cell_accuracy for report in recent]))
                rate = recent[-1].rate
                magnitude = math.log10(loss) if loss else -math.inf
                log.add(trainer.iteration, loss, magnitude, accuracy, rate, seconds)
                bar.update(line, loss=f"{loss:.2f}", accuracy=f"{accuracy:.1%}")
                recent.clear()
            if trainer.iteration % recipe.checkpoint_every == 0 or last:
                save_checkpoint(trainer, folder.checkpoint, seconds)
                save_rule(trainer.outcome, folder.rule, card_of(trainer, seconds, {}))
                write_atomically(folder.strip, _strip(trainer.outcome, held_out))
            bar.update(line, completed=trainer.iteration)
    return time.monotonic() - began


@contextlib.contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """A list that fills when the user interrupts, or the system ends the process: an iteration is
    never left half done.
    """
    asked: list[int] = []
    former = {
        number: signal.signal(number, lambda number, frame: asked.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield asked
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@torch.no_grad()
def _strip(rule: Rule, held_out: Classification) -> bytes:
    """A PNG: held-out pictures above, what their cells decided below."""
    world = World.from_images(held_out.grey[:STRIP], rule)
    world = rollout(world, rule, STRIP_STEP)
    tiles = [grey_rgb(world, i, scale=3) for i in range(len(world))]
    tiles += [decisions_rgb(world, i, scale=3) for i in range(len(world))]
    return png(sheet(tiles, len(world), 6))


def _scores(rule: Rule, held_out: Classification) -> dict[str, float]:
    """Percentages at step 200 on the pictures held out."""
    pictures = Pictures(held_out.grey.numpy(), held_out.label.numpy(), rule.classes.names)
    last = evaluate(rule.requires_grad_(False), pictures, steps=200).curve[-1]
    names = ("cell_accuracy", "total_agreement", "vote_accuracy")
    return {name: round(100 * last[name], 2) for name in names}
