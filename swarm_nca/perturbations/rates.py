"""Rates: changes the fire rate and the noise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from swarm_nca.bounds import NonNegative, Share
from swarm_nca.perturbations.perturbation import Perturbation
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Rates(Perturbation):
    """Another fire rate or noise for all worlds of the batch, which share them.

    Attributes:
        fire_rate: share of cells that fire in a step, in [0, 1]; unchanged when None.
        noise: standard deviation of the noise, 0 or more; unchanged when None.
    """

    SHARED: ClassVar[bool] = True

    kind: Literal["rates"] = field(default="rates", repr=False)
    fire_rate: Share | None = None
    noise: NonNegative | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fire_rate is None and self.noise is None:
            raise ValueError("rates need fire_rate, noise or both, such as fire_rate: 0.25")

    def __call__(self, world: World, seed: int = 0) -> World:
        """The same worlds with other rates; see `Perturbation.__call__`."""
        return replace(
            world,
            fire_rate=world.fire_rate if self.fire_rate is None else self.fire_rate,
            noise=world.noise if self.noise is None else self.noise,
        )

    def what(self, before: World, after: World) -> str:
        """Each rate before and after."""
        changed = []
        if self.fire_rate is not None:
            changed.append(f"fire rate {_text(before.fire_rate)} → {self.fire_rate:g}")
        if self.noise is not None:
            changed.append(f"noise {_text(before.noise)} → {self.noise:g}")
        return ", ".join(changed)


def _text(rate: float | None) -> str:
    return "the rule's" if rate is None else f"{rate:g}"
