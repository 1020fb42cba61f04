"""Sparsemax: the nearest point of the simplex in softmax's place (Martins and Astudillo 2016).

    p = argmin over the simplex of ‖p − z‖² = max(0, z − τ),
    τ = (Σ_{j≤k} z_(j) − 1) / k  with  k = max {k : 1 + k z_(k) > Σ_{j≤k} z_(j)},

z_(1) ≥ z_(2) ≥ … being the scores in order. Its Jacobian is δ_ij − 1/k among the k scores that
p keeps, and 0 elsewhere. Its loss, with the one-hot label e, per cell:

    loss      Σ_j p_j (z_j − z_label) + ½ (1 − ‖p‖²)   =   ½ ‖z − e‖² − ½ ‖z − p‖²
    gradient  p − e

which is convex, and exactly 0 once the label leads all others by 1: unlike cross-entropy it stops
pushing. Only differences between channels count.
"""

from __future__ import annotations

import torch
from torch import Tensor

from swarm_nca.tasks.losses.cells import labels, per_picture
from swarm_nca.world import World


def sparsemax(scores: Tensor) -> Tensor:
    """The point of the simplex nearest to each row: [N, K] → [N, K], ≥ 0, rows summing up to 1."""
    # Adding a constant to a row changes nothing; with the largest at 0 rounding is smallest.
    scores = scores - scores.detach().amax(1, keepdim=True)
    ordered = scores.sort(dim=1, descending=True).values
    summed = ordered.cumsum(1)
    count = torch.arange(1, scores.shape[1] + 1, device=scores.device)
    # The largest is always kept, except by a row that is no number, which then stays none.
    kept = (1 + count * ordered > summed).sum(1, keepdim=True).clamp_min(1)
    threshold = (summed.gather(1, kept - 1) - 1) / kept
    return (scores - threshold).relu()


def shortfall(scores: Tensor, label: Tensor) -> Tensor:
    """The sparsemax loss of each row: scores [N, K], labels int64 [N] → [N], ≥ 0."""
    # p is where a maximum is taken, so it counts as a constant in the gradient (Danskin 1966).
    with torch.no_grad():
        share = sparsemax(scores)
    lead = scores - scores.gather(1, label[:, None])
    loss = (share * lead).sum(1) + 0.5 * (1 - share.square().sum(1))
    # Where nothing falls short rounding may leave less than nothing; the gradient is 0 there.
    return loss.clamp_min(0.0)


def sparsemax_loss(world: World, *, each: bool = False) -> Tensor:
    """The sum of sparsemax losses over cells, averaged over the pictures.

    A rule that does nothing scores 0.45 per living cell of ten classes. Every label must be known.
    """
    return per_picture(shortfall(world.logits, labels(world)), world, each=each)
