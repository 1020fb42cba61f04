"""Rates and set: change the fire rate, the noise and the links from here on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from swarm_nca.bounds import NonNegative, Share
from swarm_nca.links import Links
from swarm_nca.perturbations.perturbation import Perturbation, labels, relabeled
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Rates(Perturbation):
    """Sets the fire rate or the noise, for all worlds of the batch.

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


@dataclass(frozen=True, kw_only=True)
class Set(Perturbation):
    """Sets links, fire rate, noise or label from here on, for all worlds of the batch.

    Attributes:
        links: how messages are lost, delayed and rounded; unchanged when None.
        fire_rate: share of cells that fire in a step, in [0, 1]; unchanged when None.
        noise: standard deviation of the noise, 0 or more; unchanged when None.
        label: what the cells should agree on, by number (−1: unknown) or name; unchanged when None.
    """

    SHARED: ClassVar[bool] = True

    kind: Literal["set"] = field(default="set", repr=False)
    links: Links | None = None
    fire_rate: Share | None = None
    noise: NonNegative | None = None
    label: int | str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if all(value is None for value in (self.links, self.fire_rate, self.noise, self.label)):
            raise ValueError(
                "set needs links, fire_rate, noise or label, such as links: {drop: 0.3}"
            )

    def __call__(self, world: World, seed: int = 0) -> World:
        """The same worlds with other links and rates; see `Perturbation.__call__`."""
        if self.fire_rate is not None or self.noise is not None:
            world = Rates(fire_rate=self.fire_rate, noise=self.noise)(world)
        world = relabeled(world, self.label)
        return world if self.links is None else replace(world, links=self.links)

    def what(self, before: World, after: World) -> str:
        """The new links, and each rate before and after."""
        changed = [] if self.links is None else [f"links {_links(self.links)}"]
        if self.fire_rate is not None or self.noise is not None:
            changed.append(Rates(fire_rate=self.fire_rate, noise=self.noise).what(before, after))
        if self.label is not None:
            changed.append(f"label {labels(before)} → {labels(after)}")
        return ", ".join(changed)


def _links(links: Links) -> str:
    settings = {name: value for name, value in links.settings().items() if value}
    return " ".join(f"{name} {value}" for name, value in settings.items()) or "without faults"


def _text(rate: float | None) -> str:
    return "the rule's" if rate is None else f"{rate:g}"
