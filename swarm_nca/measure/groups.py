"""Scores by kind of picture.

A grouping assigns every picture of an evaluation set to one group. To add one, write a function
from `EvalSet` to `Groups`, and a line in `GROUPINGS`.

Letters: P pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from swarm_nca.images.pictures import Labels
from swarm_nca.images.silhouettes import holes, pieces
from swarm_nca.measure.eval_set import EvalSet
from swarm_nca.measure.intervals import wilson
from swarm_nca.measure.metrics import find_metric, pooled
from swarm_nca.measure.vote_counts import VoteCounts
from swarm_nca.suggestion import unknown

#: The scores of a group.
SCORES = (
    "cell_accuracy",
    "total_agreement",
    "vote_accuracy",
    "agree_and_correct",
    "agree_though_wrong",
    "abstains",
    "undecided",
    "label_flips",
)


class Groups(NamedTuple):
    """The groups' names, and int64 [P], the group of each picture."""

    names: tuple[str, ...]
    of: Labels


def by_dataset(eval_set: EvalSet, alive_above: float) -> Groups:
    """One group per data set."""
    return Groups(eval_set.datasets, eval_set.dataset_of)


def by_class(eval_set: EvalSet, alive_above: float) -> Groups:
    """One group per class, also for classes that the rule does not have."""
    names = (*eval_set.own.classes, "no class")
    return Groups(names, np.where(eval_set.own.labels < 0, len(names) - 1, eval_set.own.labels))


def by_holes(eval_set: EvalSet, alive_above: float) -> Groups:
    """By the number of holes in the silhouette, around which messages must travel."""
    return _binned(holes(eval_set.pictures, alive_above), {0: "0", 1: "1", 2: "2–3", 4: "4+"})


def by_pieces(eval_set: EvalSet, alive_above: float) -> Groups:
    """By the number of pieces, between which no message travels."""
    return _binned(pieces(eval_set.pictures, alive_above), {0: "0", 1: "1", 2: "2", 3: "3+"})


#: Every grouping by name.
GROUPINGS: Mapping[str, Callable[[EvalSet, float], Groups]] = {
    "dataset": by_dataset,
    "class": by_class,
    "holes": by_holes,
    "pieces": by_pieces,
}


def grouped(eval_set: EvalSet, by: str, alive_above: float) -> Groups:
    """The groups of a grouping.

    Args:
        by: one of `GROUPINGS`.
        alive_above: a pixel is alive if its grey exceeds this.

    Raises:
        ValueError: an unknown grouping.
    """
    if by not in GROUPINGS:
        raise ValueError(unknown("grouping by", by, GROUPINGS))
    return GROUPINGS[by](eval_set, alive_above)


def scores(votes: VoteCounts, groups: Groups) -> list[dict[str, Any]]:
    """One row for each group with pictures, in order.

    A row has `group`, `pictures`, the `SCORES`, the 95 % interval of agreement (`agreement_low`,
    `agreement_high`), and `silent`, the share of pictures without decided cells, which count as
    agreeing.
    """
    rows = []
    for number, name in enumerate(groups.names):
        members = votes.of(torch.from_numpy(groups.of == number))
        if not len(members):
            continue
        agrees = find_metric("total_agreement").reading(members).pooled()
        low, high = wilson(torch.tensor(agrees, dtype=torch.float64), len(members))
        rows.append(
            {
                "group": name,
                "pictures": len(members),
                **pooled(members, SCORES),
                "agreement_low": float(low),
                "agreement_high": float(high),
                "silent": float((members.decided == 0).double().mean()),
            }
        )
    return rows


def _binned(counts: Labels, names: Mapping[int, str]) -> Groups:
    """Groups of counts; the keys of `names` are the lower bounds of the bins."""
    starts: Sequence[int] = tuple(names)
    return Groups(tuple(names.values()), np.searchsorted(starts, counts, side="right") - 1)
