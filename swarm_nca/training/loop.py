"""The training loop: iterates until the end or a stop; writes progress, log and checkpoints."""

from __future__ import annotations

import contextlib
import math
import signal
import time
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from swarm_nca.atomic import write_atomically
from swarm_nca.measure.wording import is_share, printed
from swarm_nca.rules import save_rule
from swarm_nca.tasks import Task
from swarm_nca.training.checkpoint import save_checkpoint
from swarm_nca.training.folder import Folder, Log
from swarm_nca.training.model_card import card_of
from swarm_nca.training.trainer import Trainer

#: Maximum seconds between checkpoints; one takes about half a second.
SECONDS = 60.0


def iterate(
    trainer: Trainer,
    folder: Folder,
    log: Log,
    held_out: Task,
    before: float,
    console: Console,
) -> float:
    """Iterate until the end or an interrupt; returns the total seconds of training.

    A checkpoint is made after the first iteration, after every `checkpoint_every`, after `SECONDS`
    without one, and at the end.

    Args:
        trainer: new, or restored from a checkpoint.
        folder, log: the files to write.
        held_out: the task that the strip shows.
        before: seconds trained so far.
        console: where the progress bar is shown.

    Raises:
        ArithmeticError: the loss is no longer finite.
        NotWritten: an error of the file system, such as a full disk.
    """
    recipe = trainer.recipe
    began, saved, stopping = time.monotonic() - before, time.monotonic(), False
    if trainer.iteration:
        _show(trainer, folder, held_out, before)  # a kill may have left older files
    with _bar(trainer, console) as bar, asked_to_stop() as stop:
        while trainer.iteration < recipe.iterations and not stopping:
            report = trainer.advance()
            log.sums.add(report.loss, report.metrics)
            stopping = trainer.team.any(bool(stop))
            over = trainer.iteration == recipe.iterations
            now = time.monotonic()
            if trainer.iteration % recipe.log_every == 0 or over:
                loss, metrics = log.sums.means()
                magnitude = math.log10(loss) if loss > 0 else -math.inf
                log.add(trainer.iteration, loss, magnitude, *metrics, report.rate, now - began)
                shown = _first(report.metrics, metrics)
                bar.update(bar.task_ids[0], loss=f"{loss:.3g}", metrics=shown)
            due = trainer.iteration % recipe.checkpoint_every == 0 or now - saved >= SECONDS
            if trainer.iteration == 1 or due or over or stopping:
                save_checkpoint(trainer, folder.checkpoint, now - began, log.sums)
                _show(trainer, folder, held_out, now - began)
                saved = time.monotonic()
            bar.update(bar.task_ids[0], completed=trainer.iteration)
    return time.monotonic() - began


def _bar(trainer: Trainer, console: Console) -> Progress:
    """A bar with one task."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("loss {task.fields[loss]}{task.fields[metrics]}"),
        TimeRemainingColumn(),
        console=console,
    )
    bar.add_task(
        trainer.recipe.name,
        total=trainer.recipe.iterations,
        completed=trainer.iteration,
        loss="–",
        metrics="",
    )
    return bar


def _first(names: Iterable[str], values: Iterable[float]) -> str:
    """The first metric as text, for the bar."""
    name, value = next(zip(names, values, strict=True), ("", 0.0))
    text = printed(name, value) if is_share(name) else f"{value:.3g}"
    return f" · {name.replace('_', ' ')} {text}" if name else ""


def _show(trainer: Trainer, folder: Folder, held_out: Task, seconds: float) -> None:
    """Write the present rule and the pictures of the strip."""
    save_rule(trainer.outcome, folder.rule, card_of(trainer, seconds, {}))
    write_atomically(folder.strip, held_out.views(trainer.outcome))


@contextlib.contextmanager
def asked_to_stop() -> Iterator[list[int]]:
    """Yield a list that receives the numbers of SIGINT and SIGTERM; no iteration is interrupted."""
    received: list[int] = []
    former = {
        number: signal.signal(number, lambda number, frame: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield received
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
