"""The folder of a training run: its files, its log, and checks before a run starts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from swarm_nca.atomic import leftovers, remove_leftovers, write_atomically, writing

#: The names of a training's checkpoint and rule in its folder.
CHECKPOINT, RULE = "checkpoint.safetensors", "rule.safetensors"

#: The columns of the log before and after those of the task's metrics.
BEFORE, AFTER = ("iteration", "loss", "log10_loss"), ("rate", "seconds")


@dataclass(frozen=True)
class Folder:
    """The paths in the folder of one training run."""

    path: Path

    @property
    def recipe(self) -> Path:
        """The resolved recipe."""
        return self.path / "recipe.yaml"

    @property
    def checkpoint(self) -> Path:
        """The state of the trainer."""
        return self.path / CHECKPOINT

    @property
    def rule(self) -> Path:
        """The rule as of the last checkpoint, ready for use."""
        return self.path / RULE

    @property
    def log(self) -> Path:
        """Means over every `log_every` iterations."""
        return self.path / "log.csv"

    @property
    def strip(self) -> Path:
        """Held-out pictures and their cells as of the last checkpoint."""
        return self.path / "strip.png"

    @property
    def report(self) -> Path:
        """The page of the training, written when it ends or stops."""
        return self.path / "report.html"

    @property
    def lock(self) -> Path:
        """The lock file; holds the number of the process that trains in this folder."""
        return self.path / ".lock"

    @property
    def unstarted(self) -> bool:
        """Whether the folder is empty, or holds a run that stopped before its first checkpoint.

        A recipe without a log was written by the user, so it does not count as such a run.
        """
        passing = {self.lock, *(left for file in self._written for left in leftovers(file))}
        names = {file.name for file in self.path.iterdir() if file not in passing}
        return not names or {self.log.name} <= names <= {self.log.name, self.recipe.name}

    def tidy(self) -> None:
        """Remove temporary files of killed processes."""
        for file in self._written:
            remove_leftovers(file)

    @property
    def _written(self) -> tuple[Path, ...]:
        return self.recipe, self.checkpoint, self.rule, self.log, self.strip, self.report

    @property
    def evaluations(self) -> Path:
        """A folder of curves, one file for each evaluation of the rule."""
        return self.path / "evaluations"


class Result(NamedTuple):
    """What a training has reached, for its page.

    Fields:
        scores: percentages, or errors, by name; empty for a training that was stopped.
        scored_on: the data of the scores in words, or why there are none.
        captions: of the strip's columns; may be empty.
    """

    scores: Mapping[str, float]
    scored_on: str
    captions: Sequence[str]


#: Makes the page of a training from its folder.
MakePage: TypeAlias = Callable[[Folder, Result], bytes]


@dataclass
class Sums:
    """Sums over the iterations since the last row of the log."""

    loss: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    iterations: int = 0

    def add(self, loss: float, metrics: Mapping[str, float]) -> None:
        """Count one iteration."""
        self.loss += loss
        self.metrics = {
            name: self.metrics.get(name, 0.0) + value for name, value in metrics.items()
        }
        self.iterations += 1

    def means(self) -> tuple[float, list[float]]:
        """Mean loss and metrics per iteration."""
        count = self.iterations
        return self.loss / count, [total / count for total in self.metrics.values()]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Sums:
        """The sums of a checkpoint; older ones have one metric."""
        data = dict(data)
        if "cell_accuracy" in data:
            data["metrics"] = {"cell_accuracy": data.pop("cell_accuracy")}
        return cls(**data)


class Log:
    """The CSV log; rows are appended to the file.

    Args:
        path: the file.
        iteration: iteration of the checkpoint; later rows are dropped, since they are repeated.
        sums: sums over the iterations since the last row kept; none when None.
        metrics: names of the task's metrics.

    Attributes:
        columns: names of the columns.
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
            # Only rows after the checkpoint can be incomplete or damaged by a crash.
            whole = (row for row in rows if len(row) == len(self.columns) and row[0].isdecimal())
            kept = [row for row in whole if int(row[0]) <= iteration]
        write_atomically(path, _csv([list(self.columns), *kept]).encode())

    def add(self, iteration: int, *values: float) -> None:
        """Append a row, in the order of `columns`, and reset the sums.

        Raises:
            NotWritten: an error of the file system, such as a full disk.
        """
        row = [str(iteration), *(f"{value:.6g}" for value in values)]
        with writing(self._path), self._path.open("a", encoding="utf-8", newline="") as file:
            file.write(_csv([row]))
        self.sums = Sums()


def _csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
