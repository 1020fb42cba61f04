"""What pictures of each class are taken for: the classes their cells vote for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from swarm_nca.images import Pictures
from swarm_nca.measure.vote_counts import VoteCounts
from swarm_nca.rules import Rule

#: The column of pictures in which no cell has decided.
NOBODY = "none"


@dataclass(frozen=True, eq=False)
class Confusion:
    """Pictures by class and by vote.

    Attributes:
        classes: of the pictures, R of them.
        votes: the rule's classes, and `NOBODY`; V of them.
        pictures: int64 [R, V], how many of a class were taken for what.
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
        votes: what cells have decided, picture by picture.
        pictures: the same ones; their classes need not be the rule's.
    """
    labels = torch.from_numpy(pictures.labels)
    known = labels >= 0
    rows, columns = len(pictures.classes), 1 + len(rule.classes)
    # The majority of a picture in which nobody has decided is −1: the last column.
    place = labels * columns + votes.majority % columns
    counts = torch.bincount(place[known], minlength=rows * columns).view(rows, columns)
    return Confusion(pictures.classes, (*rule.classes.names, NOBODY), counts)
