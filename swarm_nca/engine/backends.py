"""The backends that step a world, in order of preference.

To add a backend, write a class with `refuses`, `state`, `step` and `world`, and a line in
`BACKENDS`. A test compares all backends with each other.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from swarm_nca.engine.fit import check_fit, products_in, rates_of
from swarm_nca.engine.gather import Stepper
from swarm_nca.engine.lattice import LatticeStepper
from swarm_nca.rules import Rule
from swarm_nca.world import World


class Backend(Protocol):
    """Steps the cells of a world; a change from outside needs a new backend."""

    @property
    def state(self) -> Tensor:
        """[N, C], the live buffer."""

    def step(self) -> Tensor:
        """Take one step in place; returns the rows that fired, int64 [M]."""

    def world(self) -> World:
        """The present world; later steps do not change it."""


#: All backends; the last one supports every world and rule.
BACKENDS: dict[str, type[LatticeStepper] | type[Stepper]] = {
    "lattice": LatticeStepper,
    "gather": Stepper,
}


def stepper(
    world: World,
    rule: Rule,
    seed: int = 0,
    *,
    fire_rate: float | None = None,
    noise: float | None = None,
    precision: str | None = None,
) -> Backend:
    """The first backend that does not refuse the world under the rule; see `Stepper`."""
    check_fit(world, rule)
    if products_in(precision, world, rule) != world.state.dtype:
        return Stepper(world, rule, seed, fire_rate=fire_rate, noise=noise, precision=precision)
    rates = rates_of(world, rule, fire_rate, noise)
    for backend in BACKENDS.values():
        if backend.refuses(world, rule, *rates) is None:
            return backend(world, rule, seed, fire_rate=fire_rate, noise=noise)
    raise RuntimeError("no backend supports this world")
