"""Iterating to the end of a run, or until asked to stop: the bar, the log, the checkpoints."""

from __future__ import annotations

import contextlib
import math
import signal
import time
from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from swarm_nca.atomic import write_atomically
from swarm_nca.rules import save_rule
from swarm_nca.tasks import Classification
from swarm_nca.training.checkpoint import save_checkpoint
from swarm_nca.training.folder import Folder, Log
from swarm_nca.training.outcome import card_of, strip_of
from swarm_nca.training.trainer import Report, Trainer


def iterate(
    trainer: Trainer,
    folder: Folder,
    log: Log,
    held_out: Classification,
    before: float,
    console: Console,
) -> float:
    """Iterate to the end, or until interrupted; returns the seconds trained in all.

    Args:
        trainer: wherever it stands.
        folder, log: what is written into.
        held_out: pictures for the strip.
        before: seconds trained so far.
        console: where progress is told.

    Raises:
        ArithmeticError: a loss that is no longer finite.
    """
    recipe = trainer.recipe
    began, recent, stopping = time.monotonic() - before, list[Report](), False
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("loss {task.fields[loss]} · accuracy {task.fields[accuracy]}"),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=console) as bar, asked_to_stop() as stop:
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
                magnitude = math.log10(loss) if loss > 0 else -math.inf
                log.add(trainer.iteration, loss, magnitude, accuracy, rate, seconds)
                bar.update(line, loss=f"{loss:.2f}", accuracy=f"{accuracy:.1%}")
                recent.clear()
            if trainer.iteration % recipe.checkpoint_every == 0 or last:
                save_checkpoint(trainer, folder.checkpoint, seconds)
                save_rule(trainer.outcome, folder.rule, card_of(trainer, seconds, {}))
                write_atomically(folder.strip, strip_of(trainer.outcome, held_out))
            bar.update(line, completed=trainer.iteration)
    return time.monotonic() - began


@contextlib.contextmanager
def asked_to_stop() -> Iterator[list[int]]:
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
