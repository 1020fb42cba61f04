"""Noise: adds normal deviates to states or pixels once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from swarm_nca.bounds import Positive
from swarm_nca.perturbations.perturbation import Perturbation
from swarm_nca.randomness import Stream, check_seed, normal_rows, words
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Noise(Perturbation):
    """Adds normal deviates to states or pixels, once.

    The deviates are counter-based: they depend on the seed, the world's key, the site and the
    world's step. A second noise on the same target in the same step repeats the first.

    Attributes:
        strength: standard deviation, above 0.
        target: `states` (every channel), or `pixels` (the sum is clamped to [0, 1], and pixels can
            become alive or die).
    """

    kind: Literal["noise"] = field(default="noise", repr=False)
    strength: Positive
    target: Literal["states", "pixels"] = "states"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target not in ("states", "pixels"):
            raise ValueError(f"target must be states or pixels, got {self.target!r}")

    def __call__(self, world: World, seed: int = 0) -> World:
        """The noisy worlds; see `Perturbation.__call__`."""
        seed = check_seed(seed)

        def with_noise(alone: World, _: int) -> World:
            if self.target == "states":
                drawn = _offsets(alone, alone.site, seed, 0)
                normals = normal_rows(drawn, alone.state.shape[1], alone.state.dtype)
                return alone.with_state(alone.state + self.strength * normals)
            pixels = torch.arange(len(alone.canvas.grey), device=alone.state.device)
            normals = normal_rows(_offsets(alone, pixels, seed, 1), 1, alone.state.dtype)
            # `draw` accepts [-1, 1]; larger amounts would give the same clamped sum.
            return alone.draw(pixels, (self.strength * normals[:, 0]).clamp(-1.0, 1.0))

        return self.one_by_one(world, with_noise)

    def what(self, before: World, after: World) -> str:
        """The strength and the target."""
        return f"strength {self.strength:g} on {self.target}"


def _offsets(alone: World, site: Tensor, seed: int, lane: int) -> Tensor:
    """int64 [n], offsets of the sites in the table of deviates; each target uses its own lane."""
    return words(seed, alone.key, site, alone.step, Stream.PERTURBATION)[lane] >> 12
