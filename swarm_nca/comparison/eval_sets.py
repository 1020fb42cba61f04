"""One exam for all rules, sat once: its curves are kept, under the rule's hash and the exam's own.

A file of curves that cannot be read, or that another exam or rule has left, counts as none: the
exam is sat again and the file replaced.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from swarm_nca.atomic import write_atomically
from swarm_nca.comparison.entries import Entry
from swarm_nca.images import Pictures
from swarm_nca.measure import METRICS, CellStats, Protocol, evaluate
from swarm_nca.measure.intervals import ratio_error
from swarm_nca.measure.protocols import Progress
from swarm_nca.measure.writing import from_json, to_json

#: A pass through `mutation` shows fresh pictures first; `restart` is what it is compared with.
PROTOCOLS: tuple[Protocol, ...] = ("mutation", "restart")

#: Steps between two points of a curve (the first steps lie closer).
EVERY = 5

#: By name a column of one value per look: `step`, all metrics, and `ERROR`.
Curves: TypeAlias = Mapping[str, npt.NDArray[np.float64]]

#: The standard error of cell accuracy over pictures.
ERROR = "cell_accuracy_error"


@dataclass(frozen=True)
class SharedExam:
    """What every rule is asked.

    Attributes:
        dataset: the pictures' name, for people.
        pictures: shown fresh, then swapped for each other.
        steps: of each phase.
        seed: of all draws.
    """

    dataset: str
    pictures: Pictures
    steps: int
    seed: int

    @cached_property
    def content(self) -> str:
        """A hash of the pictures and their labels."""
        digest = hashlib.sha256(json.dumps(self.pictures.classes).encode())
        for picture in self.pictures:
            digest.update(str(picture.shape).encode() + np.ascontiguousarray(picture).tobytes())
        digest.update(self.pictures.labels.tobytes())
        return digest.hexdigest()

    def settings(self, entry: Entry, protocol: Protocol) -> dict[str, Any]:
        """All that decides a rule's curves, as plain data."""
        return {
            "rule": entry.hash,
            "dataset": self.dataset,
            "pictures": len(self.pictures),
            "content": self.content,
            "protocol": protocol,
            "steps": self.steps,
            "every": EVERY,
            "seed": self.seed,
            "metrics": list(METRICS),
        }


def curves_of(
    entry: Entry,
    eval_set: SharedExam,
    protocol: Protocol,
    folder: Path,
    progress: Progress | None = None,
) -> Curves:
    """A rule's curves on an evaluation set: read from a folder if they are kept there, or measured.

    Raises:
        ValueError: a rule that cannot sit this exam; see `evaluate`.
    """
    settings = eval_set.settings(entry, protocol)
    name = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]
    file = folder / f"{Path(eval_set.dataset).name}-{protocol}-{name}.json"
    kept = _kept(file, settings)
    if kept is None:
        kept = _sat(entry, eval_set, protocol, folder, progress)
        folder.mkdir(parents=True, exist_ok=True)
        plain = {name: [to_json(value) for value in column] for name, column in kept.items()}
        text = json.dumps({"settings": settings, "curves": plain}, allow_nan=False)
        write_atomically(file, (text + "\n").encode())
    return kept


def _kept(file: Path, settings: dict[str, Any]) -> Curves | None:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["settings"] != settings:
            return None
        curves = {
            name: np.array([from_json(value) for value in column])
            for name, column in document["curves"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    whole = curves.keys() == {"step", *METRICS, ERROR}
    return curves if whole and len({len(column) for column in curves.values()}) == 1 else None


def _sat(
    entry: Entry, eval_set: SharedExam, protocol: Protocol, folder: Path, progress: Progress | None
) -> Curves:
    if protocol == "mutation":
        return _seen(entry, eval_set, protocol, progress)
    # Before its swap a restart is a mutation: that phase is sat once.
    mutation = curves_of(entry, eval_set, "mutation", folder, progress)
    fresh = mutation["step"] <= eval_set.steps
    restarted = _seen(entry, eval_set, protocol, progress, begin=1)
    return {name: np.concatenate([mutation[name][fresh], restarted[name]]) for name in restarted}


def _seen(
    entry: Entry,
    eval_set: SharedExam,
    protocol: Protocol,
    progress: Progress | None,
    begin: int = 0,
) -> Curves:
    """The curves from a phase on."""
    correct: dict[int, list[Tensor]] = {}
    cells: dict[int, list[Tensor]] = {}

    def watch(step: int, seen: CellStats) -> None:
        correct.setdefault(step, []).append(seen.correct.cpu())
        cells.setdefault(step, []).append((seen.cells * seen.labelled).cpu())

    result = evaluate(
        entry.rule,
        eval_set.pictures,
        steps=eval_set.steps,
        protocol=protocol,
        every=EVERY,
        seed=eval_set.seed,
        begin=begin,
        progress=progress,
        watch=watch,
    )
    errors = [
        float(ratio_error(torch.cat(correct[step])[None], torch.cat(cells[step])))
        for step in correct
    ]
    names = ("step", *METRICS)
    columns = {name: np.array([row[name] for row in result.curve], float) for name in names}
    return columns | {ERROR: np.array(errors)}
