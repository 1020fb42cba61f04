"""The same scores, told apart by kind of picture: what makes it hard for a swarm to agree?

A grouping gives every picture of an exam to one group. To add one, write a function from `Exam` to
`Groups`, and a line in `GROUPINGS`.

Letters: P pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from swarm_nca.images.pictures import Labels
from swarm_nca.images.silhouettes import holes, pieces
from swarm_nca.measure.ballots import Ballots
from swarm_nca.measure.exam import Exam
from swarm_nca.measure.intervals import wilson
from swarm_nca.measure.metrics import find_metric, pooled
from swarm_nca.suggestion import unknown

#: The scores of a group.
SCORES = (
    "cell_accuracy",
    "total_agreement",
    "vote_accuracy",
    "agree_and_correct",
    "undecided",
    "label_flips",
)


class Groups(NamedTuple):
    """The groups' names, and int64 [P], which of them each picture belongs to."""

    names: tuple[str, ...]
    of: Labels


def by_dataset(exam: Exam, alive_above: float) -> Groups:
    """One group per data set."""
    return Groups(exam.datasets, exam.dataset_of)


def by_class(exam: Exam, alive_above: float) -> Groups:
    """One group per class, whether the rule knows it or not."""
    names = (*exam.own.classes, "no class")
    return Groups(names, np.where(exam.own.labels < 0, len(names) - 1, exam.own.labels))


def by_holes(exam: Exam, alive_above: float) -> Groups:
    """By the number of holes in the silhouette: messages must go around them."""
    return _binned(holes(exam.pictures, alive_above), {0: "0", 1: "1", 2: "2–3", 4: "4+"})


def by_pieces(exam: Exam, alive_above: float) -> Groups:
    """By the number of pieces: they cannot hear each other."""
    return _binned(pieces(exam.pictures, alive_above), {0: "0", 1: "1", 2: "2", 3: "3+"})


#: Every grouping by name.
GROUPINGS: Mapping[str, Callable[[Exam, float], Groups]] = {
    "dataset": by_dataset,
    "class": by_class,
    "holes": by_holes,
    "pieces": by_pieces,
}


def grouped(exam: Exam, by: str, alive_above: float) -> Groups:
    """The groups of a grouping.

    Args:
        by: one of `GROUPINGS`.
        alive_above: a pixel lives if its grey exceeds this.

    Raises:
        ValueError: no grouping is called so.
    """
    if by not in GROUPINGS:
        raise ValueError(unknown("grouping by", by, GROUPINGS))
    return GROUPINGS[by](exam, alive_above)


def scores(ballots: Ballots, groups: Groups) -> list[dict[str, Any]]:
    """The scores of every group that has pictures, in order.

    Each: `group`, `pictures`, the `SCORES`, the 95 % interval of agreement (`agreement_low`,
    `agreement_high`), and `silent`, the share of pictures in which no cell has decided. These
    count as agreeing.
    """
    rows = []
    for number, name in enumerate(groups.names):
        some = ballots.of(torch.from_numpy(groups.of == number))
        if not len(some):
            continue
        agrees = find_metric("total_agreement").reading(some).pooled()
        low, high = wilson(torch.tensor(agrees, dtype=torch.float64), len(some))
        rows.append(
            {
                "group": name,
                "pictures": len(some),
                **pooled(some, SCORES),
                "agreement_low": float(low),
                "agreement_high": float(high),
                "silent": float((some.decided == 0).double().mean()),
            }
        )
    return rows


def _binned(counts: Labels, names: Mapping[int, str]) -> Groups:
    """Counts by the largest of these starts that they reach."""
    starts: Sequence[int] = tuple(names)
    return Groups(tuple(names.values()), np.searchsorted(starts, counts, side="right") - 1)
