"""Sparsegen-lin: sparsemax with adjustable sparsity (Laha et al. 2018).

For a sparsity λ < 1 the point of the simplex is

    p = argmin of ‖p − z‖² − λ ‖p‖²   =   sparsemax(z / (1 − λ)):

λ = 0 is sparsemax, λ → 1 the argmax, λ → −∞ the uniform distribution. Its loss is the sparsemax
loss with the same scaling (the Fenchel–Young loss of ½ (1 − λ) ‖p‖²), with the one-hot label e, per
cell:

    loss      Σ_j p_j (z_j − z_label) + ½ (1 − λ) (1 − ‖p‖²)
    gradient  p − e

Both are exactly 0 once the label's score exceeds all others by 1 − λ, so λ sets the margin. The
loss depends only on differences between channels.
"""

from __future__ import annotations

from torch import Tensor

from swarm_nca.tasks.losses.cells import labels, per_picture
from swarm_nca.tasks.losses.sparsemax import shortfall, sparsemax
from swarm_nca.world import World

#: The default λ: half the margin of sparsemax.
SPARSITY = 0.5


def sparsegen_lin(scores: Tensor, sparsity: float = SPARSITY) -> Tensor:
    """[N, K] → [N, K], ≥ 0, with row sums of 1; larger `sparsity` gives more zeros.

    Raises:
        ValueError: a sparsity of 1 or more.
    """
    return sparsemax(scores / _margin(sparsity))


def sparsegen_lin_loss(world: World, sparsity: float = SPARSITY, *, each: bool = False) -> Tensor:
    """The sum of sparsegen-lin losses over cells, averaged over the pictures.

    Zero states have a loss of 0.45 (1 − sparsity) per living cell with ten classes. Every
    label must be known.

    Raises:
        ValueError: a sparsity of 1 or more.
    """
    margin = _margin(sparsity)
    return per_picture(margin * shortfall(world.logits / margin, labels(world)), world, each=each)


def _margin(sparsity: float) -> float:
    if not sparsity < 1.0:
        raise ValueError(
            f"sparsity must be below 1 (0 is sparsemax, towards 1 the argmax), got {sparsity}"
        )
    return 1.0 - sparsity
