"""Rates: from now on, cells fire more or less readily, and with more or less noise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from swarm_nca.perturbations.perturbation import Perturbation, settle
from swarm_nca.rules import check_rates
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Rates(Perturbation):
    """Other rates than the rule's own, for all worlds of the batch, which share them.

    Attributes:
        fire_rate: the share of cells that act in a step, in [0, 1]; as before when None.
        noise: the standard deviation of what is added to every change, 0 or more; as before when
            None.
    """

    SHARED: ClassVar[bool] = True

    kind: Literal["rates"] = field(default="rates", repr=False)
    fire_rate: float | None = None
    noise: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fire_rate is None and self.noise is None:
            raise ValueError("rates need fire_rate, noise or both, such as fire_rate: 0.25")
        settle(self, "fire_rate", "noise")
        rates = (self.fire_rate, self.noise)
        check_rates(*(0.0 if rate is None else rate for rate in rates))

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
            changed.append(f"fire rate {_told(before.fire_rate)} → {self.fire_rate:g}")
        if self.noise is not None:
            changed.append(f"noise {_told(before.noise)} → {self.noise:g}")
        return ", ".join(changed)


def _told(rate: float | None) -> str:
    return "the rule's" if rate is None else f"{rate:g}"
