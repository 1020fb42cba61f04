"""Sum-normalisation: each score's share of their sum, instead of softmax (see Laha et al. 2018).

z_j / Σ_i z_i is a distribution only if no score is negative and one is positive. Class channels
need not satisfy this: all are 0 at the start. Plain positive parts do not help: if all scores are
negative, they give 0 / 0, and a label below 0 has no gradient. Therefore a smooth positive part is
used, with a sharpness β:

    z⁺ = log(1 + exp(β z)) / β,    S = Σ_i z⁺_i,    p_j = z⁺_j / S.

It is defined everywhere, uniform for equal scores, and equals the plain share for scores well above
1/β. Shares do not depend on the scale of the scores, so with a loss of shares alone states grow
without limit (to 10²⁰ within 300 iterations of the published recipe). The loss is therefore the
cross-entropy of p plus a penalty on the sum, S − 1 − log S, whose minimum is at S = 1, where
normalising changes nothing; the logarithms of S cancel. With the one-hot label e, per cell:

    loss      −log p_label + (S − 1 − log S)   =   S − 1 − log z⁺_label
    gradient  σ(β z_j) · (1 − e_j / z⁺_j)

It is the Poisson loss of the positive parts. It falls to 0 as z⁺ → e, and its gradient on a label
far below 0 tends to −β. Adding a constant to all channels changes it.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from swarm_nca.tasks.losses.cells import labels, per_picture
from swarm_nca.world import World

#: β. With it, p_label is 0.62 for the published target (1 for the label, 0 for nine others).
SHARPNESS = 10.0

#: Below this, log(1 + exp(x)) equals exp(x) to seven digits and soon underflows.
_LOW = -15.0


def sum_norm(scores: Tensor) -> Tensor:
    """Shares of the smooth positive parts: [N, K] → [N, K], ≥ 0, with row sums of 1."""
    return _log_positive(scores).softmax(1)


def sum_norm_loss(world: World, *, each: bool = False) -> Tensor:
    """The sum of the loss above over cells, averaged over the pictures.

    Zero states have a loss of 2.36 per living cell with ten classes. Every label must be
    known.
    """
    wanted = _log_positive(world.logits.gather(1, labels(world)[:, None])).view(-1)
    total = functional.softplus(world.logits, beta=SHARPNESS).sum(1)
    return per_picture(total - 1.0 - wanted, world, each=each)


def _log_positive(scores: Tensor) -> Tensor:
    """log z⁺ without underflow; β z − log β far below 0."""
    sharp = scores * SHARPNESS
    above = (functional.softplus(sharp.clamp_min(_LOW)) / SHARPNESS).log()
    return above + (sharp - _LOW).clamp_max(0.0)
