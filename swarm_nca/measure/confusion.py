"""Pictures by class and by the class that most of their cells vote for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from swarm_nca.images import Pictures
from swarm_nca.measure.vote_counts import VoteCounts
from swarm_nca.rules import Rule

#: The column of pictures without decided cells.
NOBODY = "none"


@dataclass(frozen=True, eq=False)
class Confusion:
    """Pictures by class and by vote.

    Attributes:
        classes: the R classes of the pictures.
        votes: the rule's classes and `NOBODY`; V in all.
        pictures: int64 [R, V], pictures by class and vote.
    """

    classes: tuple[str, ...]
    votes: tuple[str, ...]
    pictures: Tensor

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "classes": list(self.classes),
            "votes": list(self.votes),
            "pictures": self.pictures.tolist(),
        }


def confusion(votes: VoteCounts, pictures: Pictures, rule: Rule) -> Confusion:
    """The table of votes; pictures without a class are left out.

    Args:
        votes: counts of the cells' decisions, one world for each picture.
        pictures: the pictures; their classes may differ from the rule's.
    """
    labels = torch.from_numpy(pictures.labels)
    known = labels >= 0
    rows, columns = len(pictures.classes), 1 + len(rule.classes)
    # A picture without decided cells has the majority −1, which is the last column.
    place = labels * columns + votes.majority % columns
    counts = torch.bincount(place[known], minlength=rows * columns).view(rows, columns)
    return Confusion(pictures.classes, (*rule.classes.names, NOBODY), counts)
