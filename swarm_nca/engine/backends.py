"""The backends that step a world, in order of preference.

To add a backend, write a class with `refuses`, `state`, `fired`, `step` and `world`, and a line in
`BACKENDS`. A test compares all backends with each other.
"""

from __future__ import annotations

from functools import partial

from swarm_nca.engine.away import Away
from swarm_nca.engine.backend import Backend
from swarm_nca.engine.fit import check_fit, rates_of
from swarm_nca.engine.gather import Stepper
from swarm_nca.engine.lattice import LatticeStepper
from swarm_nca.engine.masked import MaskedStepper
from swarm_nca.rules import Rule
from swarm_nca.world import World

#: All backends; the last one supports every world and rule.
BACKENDS: dict[str, type[LatticeStepper] | type[Stepper]] = {
    "lattice": LatticeStepper,
    "masked": MaskedStepper,
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
    device: str | None = None,
) -> Backend:
    """The first backend that does not refuse the world under the rule; see `Stepper`.

    Args:
        device: where it steps, such as `cuda`; worlds and states stay on the device of `world`.
            That device when None.
    """
    here = world.state.device
    if device is not None and device not in (str(here), here.type):
        make = partial(stepper, seed=seed, fire_rate=fire_rate, noise=noise, precision=precision)
        return Away(world, rule, device, make)
    check_fit(world, rule)
    rates = rates_of(world, rule, fire_rate, noise)
    for backend in BACKENDS.values():
        if backend.refuses(world, rule, *rates) is None:
            return backend(world, rule, seed, fire_rate=fire_rate, noise=noise, precision=precision)
    raise RuntimeError("no backend supports this world")
