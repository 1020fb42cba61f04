"""The backend for full lattices: `rule.sweep` steps all cells of all pictures at once.

If every pixel is a cell and all cells fire, sums along rows and columns are many times faster than
gathering neighbours. Game of Life and the elementary automata use this backend.
"""

from __future__ import annotations

import torch
from torch import Tensor

from swarm_nca.engine.fit import check_fit, products_in, rates_of
from swarm_nca.engine.mail import ordinary
from swarm_nca.randomness import check_seed
from swarm_nca.rules import Rule
from swarm_nca.world import World


class LatticeStepper:
    """Steps full pictures of one size in place.

    Args:
        world, rule, seed, fire_rate, noise, precision: as for `Stepper`; nothing is drawn at
            random.

    Raises:
        ValueError: a world or rule that `refuses` rejects, a rule that does not fit the world, or
            another precision than that of the states.
    """

    def __init__(
        self,
        world: World,
        rule: Rule,
        seed: int = 0,
        *,
        fire_rate: float | None = None,
        noise: float | None = None,
        precision: str | None = None,
    ) -> None:
        check_fit(world, rule)
        check_seed(seed)
        if products_in(precision, world, rule) != world.state.dtype:
            raise ValueError("sweeps keep the precision of the states: leave precision out")
        reason = self.refuses(world, rule, *rates_of(world, rule, fire_rate, noise))
        lattice = world.space.lattice()
        if reason is not None or lattice is None:
            raise ValueError(f"{reason}; use Stepper")
        self._world, self._rule, self._torus = world, rule, lattice.torus
        self._state = world.state.detach().clone()
        self._shape = lattice.worlds, lattice.height, lattice.width, rule.channels
        self._all_rows = torch.arange(world.cells, device=world.state.device)
        self.steps = 0
        self.fired = self._all_rows[:0]

    @classmethod
    def refuses(cls, world: World, rule: Rule, fire_rate: float, noise: float) -> str | None:
        """Why this backend does not support a world and rule at these rates; None if it does."""
        lattice = world.space.lattice()
        if lattice is None or not lattice.moore:
            return "sweeps need pictures of one size on a Moore grid, with a cell at every pixel"
        if fire_rate != 1.0 or noise or not ordinary(world):
            return "sweeps need fire rate 1, no noise, perfect links and sound cells"
        if rule.sweep(world.state.new_zeros(1, rule.channels, 3, 3), lattice.torus) is None:
            return f"the rule {rule.kind!r} has no sweep"
        return None

    @property
    def state(self) -> Tensor:
        """[N, C], the live buffer of present states. Writing to it changes the cells."""
        return self._state

    def step(self) -> None:
        """Take one step, in which all rows fire."""
        with torch.inference_mode():
            rows = self._state.view(self._shape)
            swept = self._rule.sweep(rows.permute(0, 3, 1, 2), self._torus)
            if swept is not None:  # `refuses` has checked this
                rows.copy_(swept.permute(0, 2, 3, 1))
        self.steps += 1
        self.fired = self._all_rows

    def world(self) -> World:
        """The present world; later steps do not change it."""
        return self._world.with_state(self._state.clone(), self.steps)
