"""Noise: a jolt to what all cells hold, or grain on the picture they stand on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from swarm_nca.perturbations.perturbation import Perturbation, check_numbers, settle
from swarm_nca.randomness import Stream, check_seed, normal_rows, words
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Noise(Perturbation):
    """Normal deviates added once.

    They are counter-based: the seed, the world's key, the cell's site and the world's step decide
    them, so a second jolt of the same target in the same step repeats the first.

    Attributes:
        strength: their standard deviation, above 0.
        target: `states` (every channel), or `pixels` (the sum is kept within [0, 1], and pixels
            come alive or die by it).
    """

    kind: Literal["noise"] = field(default="noise", repr=False)
    strength: float
    target: Literal["states", "pixels"] = "states"

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, "strength")
        check_numbers("strength", (self.strength,), above=0)
        if self.target not in ("states", "pixels"):
            raise ValueError(f"target must be states or pixels, got {self.target!r}")

    def __call__(self, world: World, seed: int = 0) -> World:
        """The noisy worlds; see `Perturbation.__call__`."""
        seed = check_seed(seed)

        def jolted(alone: World, _: int) -> World:
            if self.target == "states":
                drawn = _offsets(alone, alone.site, seed, 0)
                normals = normal_rows(drawn, alone.state.shape[1], alone.state.dtype)
                return alone.with_state(alone.state + self.strength * normals)
            every = torch.arange(len(alone.canvas.grey), device=alone.state.device)
            normals = normal_rows(_offsets(alone, every, seed, 1), 1, alone.state.dtype)
            # More than 1 either way makes no difference to a sum kept within [0, 1].
            return alone.draw(every, (self.strength * normals[:, 0]).clamp(-1.0, 1.0))

        return self.one_by_one(world, jolted)

    def what(self, before: World, after: World) -> str:
        """How strong it was, and on what."""
        return f"strength {self.strength:g} on {self.target}"


def _offsets(alone: World, site: Tensor, seed: int, lane: int) -> Tensor:
    """int64 [n], where each site's deviates begin in the table; targets read different lanes."""
    return words(seed, alone.key, site, alone.step, Stream.PERTURBATION)[lane] >> 12
