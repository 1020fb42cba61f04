"""The general backend: gather what the acting cells hear, ask the rule, scatter its answer.

Only the cells that act are computed; all read the states of before the step. The step happens in
place on a buffer of its own, without gradients. One row of zeros past the last cell stands for a
neighbour that is not there.
"""

from __future__ import annotations

import torch
from torch import Tensor

from swarm_nca.engine.fit import check_fit, draws_of, rates_of
from swarm_nca.matmul import BLOCK, filled_up
from swarm_nca.rules import Largest, Rule, through
from swarm_nca.world import World

#: Firing rows worked on at once, a whole number of blocks: messages and layers stay in the
#: processor's cache.
CHUNK = 64 * BLOCK


class Stepper:
    """A world being stepped in place.

    Args:
        world: where it starts; never changed.
        rule: what cells obey.
        seed: every random draw depends on it.
        fire_rate, noise: override the world's and the rule's when given.

    Raises:
        ValueError: a rule for other channels, slots or stimulus than the world has, or of another
            dtype; a seed, rate or noise out of range.
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
        self._world, self._rule = world, rule
        self._fire_rate, self._noise = rates_of(world, rule, fire_rate, noise)
        self._draws = draws_of(world, seed)
        self._padded = torch.cat([world.state, world.state.new_zeros(1, rule.channels)]).detach()
        self._change = torch.empty_like(self._padded)
        self._messages = self._padded.new_zeros(CHUNK * rule.slots, rule.channels)
        with torch.inference_mode():
            # Built once a run: shared or fixed weights are laid out for the products.
            self._layers = rule.layers()
            self._mortal = rule.lives(self.state, world.largest) is not None
            self._replaces = rule.update == "replace"
            self._prepared = rule.prepare(world.stimulus)
            self._chunk = self._prepared.new_zeros(CHUNK, *self._prepared.shape[1:])
        self.steps = 0

    @property
    def state(self) -> Tensor:
        """[N, C], the live buffer: what cells hold now. Writing to it damages them."""
        return self._padded[:-1]

    def step(self) -> Tensor:
        """Take one step; returns the rows that fired, int64 [M]."""
        with torch.inference_mode():
            rule, largest, before = self._rule, self._world.largest, None
            fired = self._draws.fires(self.steps, self._fire_rate)
            if self._mortal:
                before = living(rule, self.state, largest)
                fired = fired[before[fired]]
            heard = self._world.links.arriving(
                self._world.neighbors, fired, self._draws, self.steps
            )
            for start in range(0, len(fired), CHUNK):
                rows, table = fired[start : start + CHUNK], heard[start : start + CHUNK]
                change = self._change[start : start + len(rows)]
                # Copied first: what a rule of one's own returns may be a tensor that it keeps.
                change.copy_(self._answers(rows, table))
                if self._noise:
                    normals = self._draws.normals(self.steps, rows, rule.channels, change.dtype)
                    change.add_(normals, alpha=self._noise)
            write = self._padded.index_copy_ if self._replaces else self._padded.index_add_
            write(0, fired, self._change[: len(fired)])
            if before is not None:
                dead = ~(before & living(rule, self.state, largest))
                self.state.masked_fill_(dead[:, None], 0.0)
            self.steps += 1
            return fired

    def _answers(self, rows: Tensor, table: Tensor) -> Tensor:
        """[M, C], what the rule makes of the rows [M] and of what they hear, at [M, K]."""
        layers = self._layers
        # Rows that only fill a block up hold leftovers; layers do not mind, other rules may.
        filled = filled_up(len(rows), self._padded) if layers else len(rows)
        messages, prepared = self._messages[: filled * table.shape[1]], self._chunk[:filled]
        torch.index_select(self._padded, 0, table.reshape(-1), out=messages[: table.numel()])
        torch.index_select(self._prepared, 0, rows, out=prepared[: len(rows)])
        heard = messages.view(filled, table.shape[1], -1)
        if layers:
            return through(layers, prepared, heard)[: len(rows)]
        return self._rule.change(prepared, heard)

    @classmethod
    def refuses(cls, world: World, rule: Rule, fire_rate: float, noise: float) -> str | None:
        """None: it takes every rule that fits the world."""
        return None

    def world(self) -> World:
        """The present moment, safe from further steps."""
        return self._world.with_state(self.state.clone(), self.steps)


def living(rule: Rule, state: Tensor, largest: Largest) -> Tensor:
    """bool [N], which rows live, of a rule whose cells are born and die."""
    alive = rule.lives(state, largest)
    if alive is None:
        raise ValueError(f"{type(rule).__name__}.lives answers at one time, and not at another")
    return alive
