"""The folder of a training run: what is written while it goes, and found again when it resumes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swarm_nca.atomic import leftovers, remove_leftovers, write_atomically, writing

#: The columns of the log; those of the task's metrics stand between them.
BEFORE, AFTER = ("iteration", "loss", "log10_loss"), ("rate", "seconds")


@dataclass(frozen=True)
class Folder:
    """Names within the folder of one training run."""

    path: Path

    @property
    def recipe(self) -> Path:
        """The recipe as it was resolved."""
        return self.path / "recipe.yaml"

    @property
    def checkpoint(self) -> Path:
        """All that the next iteration needs."""
        return self.path / "checkpoint.safetensors"

    @property
    def rule(self) -> Path:
        """The rule as of the last checkpoint, ready for use."""
        return self.path / "rule.safetensors"

    @property
    def log(self) -> Path:
        """A row of means every so many iterations."""
        return self.path / "log.csv"

    @property
    def strip(self) -> Path:
        """Pictures held out, and what cells make of them as of the last checkpoint."""
        return self.path / "strip.png"

    @property
    def lock(self) -> Path:
        """There while a process trains in this folder; its number."""
        return self.path / ".lock"

    @property
    def unstarted(self) -> bool:
        """Whether nothing is there, or the beginnings of a run that stopped before it had any to
        resume from. A recipe without a log is somebody's own.
        """
        passing = {self.lock, *(left for file in self._written for left in leftovers(file))}
        names = {file.name for file in self.path.iterdir() if file not in passing}
        return not names or {self.log.name} <= names <= {self.log.name, self.recipe.name}

    def tidy(self) -> None:
        """Remove what killed processes left half written."""
        for file in self._written:
            remove_leftovers(file)

    @property
    def _written(self) -> tuple[Path, ...]:
        return self.recipe, self.checkpoint, self.rule, self.log, self.strip

    @property
    def evaluations(self) -> Path:
        """A folder of curves, one file for each exam that the rule has sat."""
        return self.path / "evaluations"


@dataclass
class Sums:
    """What the next row of the log is made of: sums over the iterations since the last one."""

    loss: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    iterations: int = 0

    def add(self, loss: float, metrics: Mapping[str, float]) -> None:
        """Count one iteration."""
        self.loss += loss
        self.metrics = {name: self.metrics.get(name, 0.0) + one for name, one in metrics.items()}
        self.iterations += 1

    def means(self) -> tuple[float, list[float]]:
        """Loss and metrics of an iteration."""
        return self.loss / self.iterations, [one / self.iterations for one in self.metrics.values()]

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Sums:
        """What a checkpoint says; older ones knew one metric."""
        told = dict(told)
        if "cell_accuracy" in told:
            told["metrics"] = {"cell_accuracy": told.pop("cell_accuracy")}
        return cls(**told)


class Log:
    """The CSV log: rows are appended to the file as they come.

    Args:
        path: the file.
        iteration: rows past it are dropped: they were written after the checkpoint that the run
            resumes from, and will come again.
        sums: over the iterations since the last row that is kept; none when None.
        metrics: the names of the task's metrics.

    Attributes:
        columns: the names of the columns.
    """

    def __init__(
        self,
        path: Path,
        iteration: int,
        sums: Sums | None = None,
        metrics: Sequence[str] = ("cell_accuracy",),
    ) -> None:
        self._path = path
        self.columns = (*BEFORE, *metrics, *AFTER)
        self.sums = sums or Sums()
        kept = []
        if iteration and path.exists():
            with path.open(newline="", encoding="utf-8", errors="replace") as file:
                rows = list(csv.reader(file))[1:]
            # A row cut short or garbled by a crash is one past the checkpoint.
            whole = (row for row in rows if len(row) == len(self.columns) and row[0].isdecimal())
            kept = [row for row in whole if int(row[0]) <= iteration]
        write_atomically(path, _csv([list(self.columns), *kept]).encode())

    def add(self, iteration: int, *values: float) -> None:
        """Append a row, in the order of `columns`, and begin the sums of the next.

        Raises:
            NotWritten: a disk that is full, or the like.
        """
        row = [str(iteration), *(f"{value:.6g}" for value in values)]
        with writing(self._path), self._path.open("a", encoding="utf-8", newline="") as file:
            file.write(_csv([row]))
        self.sums = Sums()


def _csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
