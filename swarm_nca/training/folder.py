"""The folder of a training run: what is written while it goes, and found again when it resumes."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from swarm_nca.atomic import write_atomically

COLUMNS = ("iteration", "loss", "log10_loss", "cell_accuracy", "rate", "seconds")


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
    def barren(self) -> bool:
        """Whether nothing is there, or the beginnings of a run that stopped before it had any to
        resume from. A recipe without a log is somebody's own.
        """
        names = {file.name for file in self.path.iterdir()}
        return not names or {self.log.name} <= names <= {self.log.name, self.recipe.name}

    @property
    def evaluations(self) -> Path:
        """A folder of curves, one file for each exam that the rule has sat."""
        return self.path / "evaluations"


class Log:
    """The CSV log: rows are appended to the file as they come.

    Args:
        path: the file.
        iteration: rows past it are dropped: they were written after the checkpoint that the run
            resumes from, and will come again.
    """

    def __init__(self, path: Path, iteration: int) -> None:
        self._path = path
        kept = []
        if iteration and path.exists():
            with path.open(newline="", encoding="utf-8", errors="replace") as file:
                rows = list(csv.reader(file))[1:]
            # A row cut short or garbled by a crash is one past the checkpoint.
            whole = (row for row in rows if len(row) == len(COLUMNS) and row[0].isdecimal())
            kept = [row for row in whole if int(row[0]) <= iteration]
        write_atomically(path, _csv([list(COLUMNS), *kept]).encode())

    def add(self, iteration: int, *values: float) -> None:
        """Append a row, in the order of `COLUMNS`."""
        row = [str(iteration), *(f"{value:.6g}" for value in values)]
        with self._path.open("a", encoding="utf-8", newline="") as file:
            file.write(_csv([row]))


def _csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
