"""The backend of full lattices: all cells of all pictures step at once, by the rule's own sweep.

Where every pixel is a cell and all cells act, sums along rows and columns are many times as fast as
gathering neighbours: Game of Life and the elementary automata run here.
"""

from __future__ import annotations

import torch
from torch import Tensor

from swarm_nca.engine.fit import check_fit, rates_of
from swarm_nca.links import Links
from swarm_nca.randomness import check_seed
from swarm_nca.rules import Rule
from swarm_nca.world import World


class LatticeStepper:
    """Full pictures of one size being stepped in place.

    Args:
        world, rule, seed, fire_rate, noise: as for `Stepper`; nothing is drawn at random.

    Raises:
        ValueError: what `refuses` names, or a rule that does not fit the world.
    """

    def __init__(
        self,
        world: World,
        rule: Rule,
        seed: int = 0,
        *,
        fire_rate: float | None = None,
        noise: float | None = None,
    ) -> None:
        check_fit(world, rule)
        check_seed(seed)
        reason = self.refuses(world, rule, *rates_of(world, rule, fire_rate, noise))
        lattice = world.space.lattice()
        if reason is not None or lattice is None:
            raise ValueError(f"{reason}; use Stepper")
        self._world, self._rule, self._torus = world, rule, lattice.torus
        self._state = world.state.detach().clone()
        self._shape = lattice.worlds, lattice.height, lattice.width, rule.channels
        self._everyone = torch.arange(world.cells, device=world.state.device)
        self.steps = 0

    @classmethod
    def refuses(cls, world: World, rule: Rule, fire_rate: float, noise: float) -> str | None:
        """Why a world cannot be swept under a rule at these rates; None if it can."""
        lattice = world.space.lattice()
        if lattice is None or not lattice.moore:
            return "only pictures of one size on a Moore grid, all of whose pixels live, are swept"
        if fire_rate != 1.0 or noise or world.links != Links():
            return "only cells that all act, without noise and with perfect links, are swept"
        if rule.sweep(world.state.new_zeros(1, rule.channels, 3, 3), lattice.torus) is None:
            return f"the rule {rule.kind!r} has no sweep"
        return None

    @property
    def state(self) -> Tensor:
        """[N, C], the live buffer: what cells hold now. Writing to it damages them."""
        return self._state

    def step(self) -> Tensor:
        """Take one step; returns the rows that acted, int64 [N]: all of them."""
        with torch.inference_mode():
            rows = self._state.view(self._shape)
            swept = self._rule.sweep(rows.permute(0, 3, 1, 2), self._torus)
            if swept is not None:  # it answered when asked by `refuses`
                rows.copy_(swept.permute(0, 2, 3, 1))
        self.steps += 1
        return self._everyone

    def world(self) -> World:
        """The present moment, safe from further steps."""
        return self._world.with_state(self._state.clone(), self.steps)
