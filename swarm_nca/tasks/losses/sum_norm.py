"""Sum-normalisation: each score's share of their sum (see Laha et al. 2018), in softmax's place.

z_j / Σ_i z_i is a distribution only where no score is negative and one is positive. Class channels
are free to be neither: all are 0 at the start. Taking positive parts first does not cure it, for
where all are negative it is 0 / 0 still, and a label below 0 gets no gradient to rise by. So the
positive part is taken smoothly, with a sharpness β:

    z⁺ = log(1 + exp(β z)) / β,    S = Σ_i z⁺_i,    p_j = z⁺_j / S,

which is defined everywhere, uniform where all scores are equal, and the plain share where they are
well above 1/β. Shares do not change with the scale of the scores, so a loss of shares alone lets
states run away (they reach 10²⁰ within 300 iterations of the published recipe). The loss is
therefore the cross-entropy of p and a hold on the sum, S − 1 − log S, which is least at S = 1,
where normalising changes nothing; the logarithms of S cancel. With the one-hot label e, per cell:

    loss      −log p_label + (S − 1 − log S)   =   S − 1 − log z⁺_label
    gradient  σ(β z_j) · (1 − e_j / z⁺_j)

It is the Poisson loss of the positive parts; it falls to 0 as z⁺ → e, and pulls a label far below 0
up with β. Adding a constant to all channels changes it.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from swarm_nca.tasks.losses.cells import labels, per_picture
from swarm_nca.world import World

#: β: the published target (1 for the label, 0 for the nine others) then gives the label 0.62.
SHARPNESS = 10.0

#: Where log(1 + exp(x)) is exp(x) to seven digits, and soon underflows.
_LOW = -15.0


def sum_norm(scores: Tensor) -> Tensor:
    """Shares of the smooth positive parts: [N, K] → [N, K], ≥ 0, rows summing up to 1."""
    return _log_positive(scores).softmax(1)


def sum_norm_loss(world: World, *, each: bool = False) -> Tensor:
    """The sum of the losses above over cells, averaged over the pictures.

    A rule that does nothing scores 2.36 per living cell of ten classes. Every label must be known.
    """
    wanted = _log_positive(world.logits.gather(1, labels(world)[:, None])).view(-1)
    total = functional.softplus(world.logits, beta=SHARPNESS).sum(1)
    return per_picture(total - 1.0 - wanted, world, each=each)


def _log_positive(scores: Tensor) -> Tensor:
    """log z⁺ without underflow: far below 0 it is β z − log β."""
    sharp = scores * SHARPNESS
    above = (functional.softplus(sharp.clamp_min(_LOW)) / SHARPNESS).log()
    return above + (sharp - _LOW).clamp_max(0.0)
