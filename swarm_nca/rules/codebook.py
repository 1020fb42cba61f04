"""The values that a weight of several planes can take, and the nearest of them.

A filter of P planes is Σ scale[p] · plane[p]: every plane holds one value of a kind of filters for
each weight, and has a scale of its own for each filter (Guo et al. 2017, Network Sketching; Lin et
al. 2017, ABC-Net). P planes of 1 bit give 2^P values, and their products need only additions.

Letters: I inputs and O outputs of a layer, P planes, L values of a weight.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from swarm_nca.rules.filters import Filters

#: The most values of a weight.
MOST_VALUES = 256


class Codebook:
    """The sums of all combinations of values of P planes.

    Args:
        filters: the kind of every plane.
        planes: P, at least 1; all planes together have at most `MOST_VALUES` combinations.
    """

    def __init__(self, filters: Filters, planes: int) -> None:
        self._filters = filters
        one = filters.first + filters.step * torch.arange(filters.codes_in_use).double()
        #: float64 [L, P]: the value in each plane.
        self.values = torch.cartesian_prod(*[one] * planes).view(-1, planes)
        #: float64 [P]: scales in powers of the number of values; sums are then evenly spaced.
        powers = float(filters.codes_in_use) ** torch.arange(planes - 1, -1, -1).double()
        self.unit = powers / powers.sum()

    def even_scales(self, weight: Tensor, grid: int = 80) -> Tensor:
        """[P, O]: evenly spaced scales with the least squared error of weights [I, O]."""
        sums = (self.values @ self.unit).sort().values
        first, step = float(sums[0]), float(sums[1] - sums[0])
        largest = weight.abs().amax(0).clamp_min(1e-4)
        best, least = largest, torch.full_like(largest, math.inf)
        for part in torch.linspace(0.05, 1.2, grid).tolist():
            scale = (largest * part).half().to(weight)
            code = ((weight / scale - first) / step + 0.5).floor().clamp(0, len(sums) - 1)
            error = (weight - (first + step * code) * scale).square().sum(0)
            best = torch.where(error < least, scale, best)
            least = torch.minimum(error, least)
        return self.unit.to(weight)[:, None] * best

    def nearest(self, weight: Tensor, scale: Tensor) -> Tensor:
        """int64 [..., O]: the combination with the nearest sum to each weight [..., O].

        Args:
            scale: [P, O].
        """
        sums, order = (self.values.to(scale) @ scale).sort(0)
        middles = ((sums[1:] + sums[:-1]) / 2).T.contiguous()
        flat = weight.reshape(-1, weight.shape[-1]).T.contiguous()
        place = torch.searchsorted(middles, flat.to(middles), right=True)
        return order.T.gather(1, place).T.reshape(weight.shape)

    def rounded(self, weight: Tensor, gains: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Latents [P·I, O] in ±1, gains [I] and scales [P, O] with values near weights [I, O].

        Args:
            gains: whether inputs have scales, by the sizes of their weights; otherwise they are 1.
        """
        gain = torch.ones(len(weight))
        if gains:
            size = weight.square().mean(1).sqrt().clamp_min(1e-4)
            gain = (size / size.log().mean().exp()).half().float()
            weight = weight / gain[:, None]
        scale = self.even_scales(weight)
        if len(self.unit) == 1:  # latents stay where the weights are
            return (weight / scale).clamp(-1.0, 1.0), gain, scale
        return self.latents_of(self.nearest(weight, scale)), gain, scale

    def planes_of(self, codes: Tensor) -> Tensor:
        """float64 [P, I, O]: the values of combinations [I, O] in each plane."""
        return self.values[codes].permute(2, 0, 1)

    def latents_of(self, codes: Tensor) -> Tensor:
        """float64 [P·I, O]: latents for `Filters.quantize`, one plane after another."""
        planes = self.planes_of(codes).flatten(0, 1)
        return self._filters.latents(planes.clamp(-1.0, 1.0))
