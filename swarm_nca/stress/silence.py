"""The front between answers and silence: a rule read with one threshold after another.

A cell whose class channels all lie below the threshold shows no class. With a higher threshold a
swarm abstains on more pictures of no class, and on more that it could have answered. The threshold
only reads the states, so one run of a rule gives its whole front.
"""

from __future__ import annotations

import copy
import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial

import numpy as np
import torch

from swarm_nca.engine import rollout
from swarm_nca.images import Pictures
from swarm_nca.measure.cell_stats import CellStats
from swarm_nca.measure.eval_set import exam_parts
from swarm_nca.measure.protocols import check_classes
from swarm_nca.measure.vote_counts import VoteCounts
from swarm_nca.rules import Rule
from swarm_nca.stress.pictures import ALPHABETS
from swarm_nca.world import World

#: Thresholds of undecided cells.
THRESHOLDS = tuple(number / 20 for number in range(20))

#: The step at which swarms are read, and the pictures that run together.
STEPS, BATCH = 200, 250

#: The letters among `letters`: those that no recipe trains on, and that are no digits to the eye.
LETTERS = ALPHABETS["N–Z"]


@dataclass(frozen=True)
class Point:
    """The answers of a rule to one data set, read with one threshold.

    Attributes:
        rule: what the rule is called.
        hash: of the rule.
        threshold: a cell is undecided if its class channels are below this.
        own: whether this is the rule's own threshold.
        dataset: name of the data set.
        known: whether its pictures have classes of the rule.
        pictures: how many.
        right, wrong, abstains: shares of them; every answer to an unknown picture is wrong.
    """

    rule: str
    hash: str
    threshold: float
    own: bool
    dataset: str
    known: bool
    pictures: int
    right: float
    wrong: float
    abstains: float


def unknown_pictures(datasets: str, limit: int, seed: int = 0) -> Mapping[str, Pictures]:
    """The `exam_parts` of unknown pictures; `letters` are those of `LETTERS`.

    Raises:
        ValueError: as `exam_parts`.
    """
    parts = exam_parts(datasets, limit=limit, seed=seed)
    if "letters" not in parts:
        return parts
    drawn = exam_parts("letters", limit=4 * limit + 100, seed=seed)["letters"]
    names = np.asarray(drawn.classes)[drawn.labels]
    return {**parts, "letters": drawn[np.flatnonzero(np.isin(names, list(LETTERS)))[:limit]]}


def check(
    name: str, rule: Rule, known: Mapping[str, Pictures], unknown: Mapping[str, Pictures]
) -> None:
    """Refuse data sets that the front of a rule does not measure; see `front`."""
    for dataset, pictures in {**known, **unknown}.items():
        check_classes(rule, pictures)
        has = bool(set(pictures.classes) & set(rule.classes.names))
        if has != (dataset in known) or (dataset in known and dataset in unknown):
            other = "--known" if has else "--unknown"
            raise ValueError(
                f"{name} has {'the' if has else 'none of the'} classes of {dataset}: give it to "
                f"{other} only"
            )


def front(
    name: str,
    rule: Rule,
    known: Mapping[str, Pictures],
    unknown: Mapping[str, Pictures],
    seed: int = 0,
    progress: Callable[[str], None] = lambda name: None,
) -> list[Point]:
    """The points of one rule, for each data set and each of `THRESHOLDS` and the rule's own.

    Args:
        name: what the rule is called.
        known: data sets whose classes the rule has; the labels of others are not used.
        seed: of all draws.
        progress: told the name of the data set before each batch.

    Raises:
        ValueError: a rule without classes; a known data set of other classes; an unknown one of
            the rule's classes.
    """
    thresholds = sorted({*THRESHOLDS, rule.undecided_below})
    points, digest = [], rule.hash()
    check(name, rule, known, unknown)
    for dataset, pictures in {**known, **unknown}.items():
        shown = pictures if dataset in known else Pictures(pictures.grey)
        counts = _read(rule, shown, thresholds, seed, partial(progress, dataset))
        for threshold, votes in zip(thresholds, counts, strict=True):
            right = votes.answers & (votes.majority == votes.label)
            shares = [right, votes.answers & ~right, ~votes.answers]
            points.append(
                Point(
                    name,
                    digest,
                    threshold,
                    threshold == rule.undecided_below,
                    dataset,
                    dataset in known,
                    len(shown),
                    *(float(share.double().mean()) for share in shares),
                )
            )
    return points


def _read(
    rule: Rule,
    pictures: Pictures,
    thresholds: Sequence[float],
    seed: int,
    before: Callable[[], None],
) -> list[VoteCounts]:
    """The decisions at step `STEPS` for each threshold."""
    readers = []
    for threshold in thresholds:
        reader = copy.copy(rule)
        reader.undecided_below = threshold
        readers.append(reader)
    counts: list[list[VoteCounts]] = [[] for _ in readers]
    for first in range(0, len(pictures), BATCH):
        before()
        part = pictures[first : first + BATCH]
        labels = part.labels_for(rule.classes.names) if part.classes else None
        with torch.no_grad():
            world = World.from_images(list(part.grey), rule, labels=labels)
            world = rollout(world, rule, STEPS, seed + first)
        for found, reader in zip(counts, readers, strict=True):
            found.append(CellStats(world, reader).counted())
    return [VoteCounts.joined(found) for found in counts]


def as_csv(points: Sequence[Point]) -> str:
    """A table with a row for each point."""
    text = io.StringIO()
    rows = csv.DictWriter(text, [field.name for field in fields(Point)], lineterminator="\n")
    rows.writeheader()
    for point in points:
        values = asdict(point)
        rows.writerow(
            {name: f"{v:.6g}" if isinstance(v, float) else v for name, v in values.items()}
        )
    return text.getvalue()
