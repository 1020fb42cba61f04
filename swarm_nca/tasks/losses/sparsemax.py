"""Sparsemax: the nearest point of the simplex instead of softmax (Martins and Astudillo 2016).

    p = argmin over the simplex of ‖p − z‖² = max(0, z − τ),
    τ = (Σ_{j≤k} z_(j) − 1) / k  with  k = max {k : 1 + k z_(k) > Σ_{j≤k} z_(j)},

where z_(1) ≥ z_(2) ≥ … are the sorted scores. The Jacobian is δ_ij − 1/k for the k scores with
p > 0, and 0 elsewhere. The loss, with the one-hot label e, per cell:

    loss      Σ_j p_j (z_j − z_label) + ½ (1 − ‖p‖²)   =   ½ ‖z − e‖² − ½ ‖z − p‖²
    gradient  p − e

The loss is convex, and loss and gradient are exactly 0 once the label's score exceeds all others by
1, unlike those of cross-entropy. It depends only on differences between channels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from swarm_nca.tasks.losses.cells import labels, per_picture
from swarm_nca.world import World


def sparsemax(scores: Tensor) -> Tensor:
    """The point of the simplex nearest to each row: [N, K] → [N, K], ≥ 0, with row sums of 1."""
    # Sparsemax ignores a constant in a row; a largest score of 0 minimises rounding errors.
    scores = scores - scores.detach().amax(1, keepdim=True)
    ordered = scores.sort(dim=1, descending=True).values
    summed = ordered.cumsum(1)
    count = torch.arange(1, scores.shape[1] + 1, device=scores.device)
    # At least one score is kept, so that rows with NaN give NaN instead of an index error.
    kept = (1 + count * ordered > summed).sum(1, keepdim=True).clamp_min(1)
    threshold = (summed.gather(1, kept - 1) - 1) / kept
    return (scores - threshold).relu()


def shortfall(scores: Tensor, label: Tensor) -> Tensor:
    """The sparsemax loss of each row: scores [N, K], labels int64 [N] → [N], ≥ 0."""
    # p is the argument of a maximum, so the gradient treats it as a constant (Danskin 1966).
    with torch.no_grad():
        share = sparsemax(scores)
    lead = scores - scores.gather(1, label[:, None])
    loss = (share * lead).sum(1) + 0.5 * (1 - share.square().sum(1))
    # Rounding can make a loss of 0 negative; the gradient is 0 there.
    return loss.clamp_min(0.0)


def sparsemax_loss(world: World, *, each: bool = False) -> Tensor:
    """The sum of sparsemax losses over cells, averaged over the pictures.

    Zero states have a loss of 0.45 per living cell with ten classes. Every label must be
    known.
    """
    return per_picture(shortfall(world.logits, labels(world)), world, each=each)
