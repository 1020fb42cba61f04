"""One evaluation for all rules; its curves are stored under a hash of rule and settings.

An unreadable file, or one of another rule or evaluation, is ignored: the rule is evaluated again
and the file replaced.
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
from swarm_nca.measure import CellStats, Protocol, evaluate
from swarm_nca.measure.intervals import ratio_error
from swarm_nca.measure.protocols import Progress
from swarm_nca.measure.writing import from_json, to_json
from swarm_nca.tasks.losses import l2

#: `mutation` also gives the scores on fresh pictures, in its first phase.
PROTOCOLS: tuple[Protocol, ...] = ("mutation", "restart")

#: Steps between two points of a curve (fewer at the start).
EVERY = 5

#: The metrics of a curve. They are part of a stored curve's hash, so a further one makes all curves
#: of older versions invalid.
COMPARED = (
    "cell_accuracy",
    "total_agreement",
    "vote_accuracy",
    "agree_and_correct",
    "undecided",
    "state_magnitude",
    "residual_magnitude",
    "label_flips",
    "state_largest",
    "nonfinite",
)

#: Columns by name, one value per measured step: `step`, `COMPARED`, `ERROR` and `LOSS`.
Curves: TypeAlias = Mapping[str, npt.NDArray[np.float64]]

#: The standard error of cell accuracy over pictures.
ERROR = "cell_accuracy_error"

#: The L2 loss, averaged over pictures; nan if a label is unknown, and in curves of older versions.
LOSS = "l2_loss"


@dataclass(frozen=True)
class SharedExam:
    """The evaluation of every rule.

    Attributes:
        dataset: name of the pictures in messages and file names.
        pictures: shown fresh, then swapped with each other.
        steps: length of each phase.
        seed: seed of all draws.
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
        """All settings that affect a rule's curves, as plain data."""
        return {
            "rule": entry.hash,
            "dataset": self.dataset,
            "pictures": len(self.pictures),
            "content": self.content,
            "protocol": protocol,
            "steps": self.steps,
            "every": EVERY,
            "seed": self.seed,
            "metrics": list(COMPARED),
        }


def curves_of(
    entry: Entry,
    eval_set: SharedExam,
    protocol: Protocol,
    folder: Path,
    progress: Progress | None = None,
) -> Curves:
    """A rule's curves on an evaluation set, read from `folder` or measured and stored there.

    Raises:
        ValueError: a rule that cannot be evaluated on these pictures; see `evaluate`.
    """
    settings = eval_set.settings(entry, protocol)
    name = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]
    file = folder / f"{Path(eval_set.dataset).name}-{protocol}-{name}.json"
    curves = _stored(file, settings)
    if curves is None:
        curves = _measured(entry, eval_set, protocol, folder, progress)
        folder.mkdir(parents=True, exist_ok=True)
        plain = {name: [to_json(value) for value in column] for name, column in curves.items()}
        text = json.dumps({"settings": settings, "curves": plain}, allow_nan=False)
        write_atomically(file, (text + "\n").encode())
    return curves


def _stored(file: Path, settings: dict[str, Any]) -> Curves | None:
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
    if "step" in curves:
        curves.setdefault(LOSS, np.full(len(curves["step"]), np.nan))
    complete = curves.keys() == {"step", *COMPARED, ERROR, LOSS}
    return curves if complete and len({len(column) for column in curves.values()}) == 1 else None


def _measured(
    entry: Entry, eval_set: SharedExam, protocol: Protocol, folder: Path, progress: Progress | None
) -> Curves:
    if protocol == "mutation":
        return _run(entry, eval_set, protocol, progress)
    # Both protocols have the same first phase, so it is measured once.
    mutation = curves_of(entry, eval_set, "mutation", folder, progress)
    fresh = mutation["step"] <= eval_set.steps
    restarted = _run(entry, eval_set, protocol, progress, begin=1)
    return {name: np.concatenate([mutation[name][fresh], restarted[name]]) for name in restarted}


def _run(
    entry: Entry,
    eval_set: SharedExam,
    protocol: Protocol,
    progress: Progress | None,
    begin: int = 0,
) -> Curves:
    """The curves from the phase `begin` on."""
    labelled = bool((eval_set.pictures.labels >= 0).all())
    correct: dict[int, list[Tensor]] = {}
    cells: dict[int, list[Tensor]] = {}
    losses: dict[int, list[Tensor]] = {}

    def watch(step: int, stats: CellStats) -> None:
        if labelled:
            losses.setdefault(step, []).append(l2(stats.world, each=True).cpu())
        correct.setdefault(step, []).append(stats.correct.cpu())
        cells.setdefault(step, []).append((stats.cells * stats.labelled).cpu())

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
    names = ("step", *COMPARED)
    columns = {name: np.array([row[name] for row in result.curve], float) for name in names}
    loss = [float(torch.cat(losses[step]).mean()) if labelled else np.nan for step in correct]
    return columns | {ERROR: np.array(errors), LOSS: np.array(loss)}
