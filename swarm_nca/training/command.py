"""Training from the command line: starts a run in a folder, or resumes one."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path

from rich.console import Console

from swarm_nca.atomic import check_folder, write_atomically
from swarm_nca.config import Document, dump, read
from swarm_nca.measure.wording import title, unit
from swarm_nca.rules import save_rule
from swarm_nca.tasks import Task
from swarm_nca.training.checkpoint import load_checkpoint, rule_of, sums_of
from swarm_nca.training.faults import faults_of
from swarm_nca.training.folder import Folder, Log, MakePage, Result
from swarm_nca.training.lock import locked
from swarm_nca.training.loop import asked_to_stop, iterate
from swarm_nca.training.model_card import card_of
from swarm_nca.training.parallel import DataParallel, joined
from swarm_nca.training.precision import bfloat16_takes
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import set_up
from swarm_nca.training.trainer import Trainer

#: Relative time of bfloat16 above which a warning is printed.
SLOWER = 1.1


def train(
    recipe_path: Path | Document | None,
    out: Path | None = None,
    resume: Path | None = None,
    overrides: list[str] | None = None,
    page: MakePage | None = None,
) -> int:
    """Train a rule from a recipe; returns the exit code: 0 done, 130 interrupted (resumable).

    Args:
        recipe_path: the YAML file or its document; None for the recipe in the folder of a resumed
            run.
        out: the folder, `runs/train-NAME` when None.
        resume: the folder of a stopped run, which continues exactly, in the same folder.
        overrides: `key=value` changes of the recipe.
        page: makes `report.html`, written when the training ends or stops; no page when None.

    Raises:
        ValueError: an unusable recipe, data set, folder or checkpoint, before anything is written;
            or a loss that is no longer finite.
        OSError: an error of the file system during the run, such as a full disk.
    """
    if recipe_path is None:
        if resume is None:
            raise ValueError("name a recipe, or give --resume and the folder of a stopped run")
        recipe_path = Folder(resume).recipe
    given = recipe_path if isinstance(recipe_path, Document) else read(recipe_path)
    document = given.with_overrides(overrides or [])
    recipe: Recipe = document.validate(Recipe)
    with joined(recipe.batch) as team:
        if team.rank:
            return _follow(team, document, recipe, resume)
        return _lead(team, document, recipe, _place(recipe, out, resume), resume, page)


def _follow(team: DataParallel, document: Document, recipe: Recipe, resume: Path | None) -> int:
    """Run a process of rank above 0: it trains, without writing files."""
    trainer, _, _ = _begun(team, document, recipe, resume)
    stopping = False
    try:
        with asked_to_stop() as stop:
            while trainer.iteration < recipe.iterations and not stopping:
                trainer.advance()
                stopping = team.any(bool(stop))
    except ArithmeticError:
        return 2  # all processes get the same loss; the leader prints the error
    return 0 if trainer.iteration == recipe.iterations else 130


def _lead(
    team: DataParallel,
    document: Document,
    recipe: Recipe,
    place: Path,
    resume: Path | None,
    page: MakePage | None,
) -> int:
    """Run the process of rank 0: it trains, writes files and prints."""
    folder = Folder(place)
    with contextlib.ExitStack() as held:
        if resume:
            held.enter_context(locked(folder.lock))
        trainer, held_out, before = _begun(team, document, recipe, resume)
        if not resume:
            folder.path.mkdir(parents=True, exist_ok=True)
            held.enter_context(locked(folder.lock))
            _check_free(folder)  # again, since another training may have run meanwhile
        folder.tidy()
        try:
            return _trained(trainer, held_out, before, document, folder, page)
        except ArithmeticError as error:
            raise ValueError(f"{folder.path}: {error}") from error
        except OSError as error:
            if not folder.checkpoint.is_file():
                raise
            raise OSError(f"{error}; then resume with {_resume_command(folder)}") from error


def _trained(
    trainer: Trainer,
    held_out: Task,
    before: float,
    document: Document,
    folder: Folder,
    page: MakePage | None,
) -> int:
    """Train until the end or an interrupt; returns the exit code."""
    recipe, console = trainer.recipe, Console(stderr=True)
    sums = sums_of(folder.checkpoint) if trainer.iteration else None
    log = Log(folder.log, trainer.iteration, sums, trainer.task.metric_names)
    if not trainer.iteration:
        _warn_of_bfloat16(trainer, console)
    write_atomically(folder.recipe, _recipe_file(recipe, document, folder))
    seconds = iterate(trainer, folder, log, held_out, before, console)
    rule = trainer.outcome
    if trainer.iteration < recipe.iterations:
        _write_page(page, folder, Result({}, "stopped before the end", held_out.captions(rule)))
        console.print(
            f"stopped after iteration {trainer.iteration}; resume with {_resume_command(folder)}",
            soft_wrap=True,
            markup=False,
        )
        return 130
    scores = held_out.scores(rule)
    save_rule(rule, folder.rule, card_of(trainer, seconds, scores))
    on = held_out.scored_on() if scores else held_out.not_scored()
    _write_page(page, folder, Result(scores, on, held_out.captions(rule)))
    found = ", ".join(f"{title(name)} {value}{unit(name)}" for name, value in scores.items())
    line = f"{folder.rule}: {found} ({on})" if scores else f"{folder.rule}: {on}"
    console.print(line, soft_wrap=True, markup=False)
    if page is not None:
        console.print(f"{folder.report}", soft_wrap=True, markup=False)
    return 0


def _write_page(page: MakePage | None, folder: Folder, result: Result) -> None:
    if page is not None:
        write_atomically(folder.report, page(folder, result))


def _resume_command(folder: Folder) -> str:
    """The command that resumes a training."""
    return shlex.join(["swarm-nca", "train", "--resume", str(folder.path)])


def _begun(
    team: DataParallel, document: Document, recipe: Recipe, resume: Path | None
) -> tuple[Trainer, Task, float]:
    """A new or resumed trainer, the held-out task, and the seconds trained."""
    checkpoint = Folder(resume).checkpoint if resume else None
    rule, task, held_out = set_up(recipe, document, rule_of(checkpoint) if checkpoint else None)
    trainer = Trainer(recipe, rule, task, team, faults_of(recipe, document))
    return trainer, held_out, load_checkpoint(trainer, checkpoint) if checkpoint else 0.0


def _recipe_file(recipe: Recipe, document: Document, folder: Folder) -> bytes:
    """The recipe file of a run's folder; a resumed run keeps the initial weights named there."""
    moved = recipe.moved(Path(document.file).parent, folder.path)
    if folder.checkpoint.is_file() and folder.recipe.is_file():
        begun: Recipe = read(folder.recipe).validate(Recipe)
        rule = moved.rule.model_copy(update={"weights": begun.rule.weights})
        moved = moved.model_copy(update={"rule": rule})
    return dump(moved.model_dump(mode="json")).encode()


def _warn_of_bfloat16(trainer: Trainer, console: Console) -> None:
    if trainer.recipe.precision != "bfloat16" or trainer.recipe.device != "cpu":
        return
    if (times := bfloat16_takes(trainer.rule, trainer.recipe.batch)) > SLOWER:
        console.print(
            f"products in bfloat16 take {times:.1f} times as long as in float32 on this machine; "
            "use --set precision=float32",
            soft_wrap=True,
            markup=False,
        )


def _place(recipe: Recipe, out: Path | None, resume: Path | None) -> Path:
    if resume is not None:
        if out is not None and out != resume:
            raise ValueError(f"--resume continues in {resume}: leave --out out")
        if not Folder(resume).checkpoint.is_file():
            raise ValueError(
                f"{resume}: the folder has no checkpoint.safetensors; give the folder of a "
                "stopped training"
            )
        return resume
    place = out or Path("runs") / f"train-{recipe.name}"
    check_folder(place)
    _check_free(Folder(place))
    return place


def _check_free(folder: Folder) -> None:
    """Raise a ValueError unless a folder is missing, empty, or of a run without a checkpoint."""
    if folder.path.exists() and not folder.unstarted:
        resume = f"resume with --resume {folder.path}, or " if folder.checkpoint.is_file() else ""
        raise ValueError(f"{folder.path} is in use; {resume}choose another folder with --out")
