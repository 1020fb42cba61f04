"""How well a trust value of each picture separates right answers from wrong ones.

AUROC is the probability that a right picture has more trust than a wrong one (Hanley and McNeil
1982). The risk–coverage curve answers only the pictures of most trust: coverage is their share of
all pictures, risk the share of wrong ones among them. Its area (AURC) is the mean risk over all
coverages (Geifman, Uziel and El-Yaniv, ICLR 2019). Pictures of equal trust count as if they came in
random order, so results do not depend on the order of the pictures.

Letters: P pictures.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def auroc(trust: Tensor, wrong: Tensor) -> float:
    """The area under the ROC curve of trust against error; 0.5 without any relation.

    Args:
        trust: [P], finite or infinite.
        wrong: bool [P], the pictures that trust should be low for.

    Returns:
        A number in [0, 1], nan unless some pictures are right and some are wrong.

    Raises:
        ValueError: different lengths, or a nan.
    """
    wrong = _checked(trust, wrong)
    rights, wrongs = int((~wrong).sum()), int(wrong.sum())
    if not rights or not wrongs:
        return math.nan
    level, count = _levels(trust)
    last = count.cumsum(0).double()
    rank = (last - (count.double() - 1) / 2)[level]
    above = float(rank[~wrong].sum()) - rights * (rights + 1) / 2
    return above / (rights * wrongs)


def risks(trust: Tensor, wrong: Tensor) -> Tensor:
    """float64 [P], the risk at the coverages 1/P, 2/P, … 1; see `auroc` for the arguments."""
    wrong = _checked(trust, wrong)
    level, count = _levels(-trust)
    errors = torch.zeros(len(count), dtype=torch.float64).index_add_(0, level, wrong.double())
    # Within a group of equal trust, errors are spread evenly: the mean over all orders.
    among = torch.cumsum((errors / count).repeat_interleave(count), 0)
    return torch.div(among, torch.arange(1, len(trust) + 1))


def aurc(trust: Tensor, wrong: Tensor) -> float:
    """The area under the risk–coverage curve, in [0, 1]; nan without pictures."""
    return float(risks(trust, wrong).mean()) if len(trust) else math.nan


def coverage_at(trust: Tensor, wrong: Tensor, risk: float) -> float:
    """The largest coverage whose risk is at most `risk`, in [0, 1]."""
    below = (risks(trust, wrong) <= risk).nonzero().view(-1)
    return (int(below[-1]) + 1) / len(trust) if len(below) else 0.0


def _levels(values: Tensor) -> tuple[Tensor, Tensor]:
    """int64 [P], the number of each picture's value in ascending order; how often each occurs."""
    _, level, count = torch.unique(values, return_inverse=True, return_counts=True)
    return level, count


def _checked(trust: Tensor, wrong: Tensor) -> Tensor:
    if trust.shape != wrong.shape or trust.dim() != 1:
        raise ValueError(
            f"trust and wrong need one entry for each picture, got the shapes {list(trust.shape)} "
            f"and {list(wrong.shape)}"
        )
    if bool(trust.isnan().any()):
        raise ValueError("trust must not be nan; give such pictures −inf")
    return wrong.bool()
