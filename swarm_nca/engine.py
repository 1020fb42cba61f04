"""One step of a swarm, and many: only the cells that fire are computed.

A step gathers what the firing cells hear, asks the rule, and adds the change where it fired;
everybody reads the states of before the step. `Stepper` does it in place on a buffer of its own
(fast, no gradients); the differentiable path says the same functionally. One row of zeros past
the last cell is what "nobody" says.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from swarm_nca.arguments import whole
from swarm_nca.products import BLOCK, filled_up
from swarm_nca.randomness import MOST_STEPS, Draws
from swarm_nca.rules import Rule, check_rates
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
            fired = self._draws.fires(self.steps, self._fire_rate)
            heard = self._world.links.arriving(
                self._world.neighbors, fired, self._draws, self.steps
            )
            for start in range(0, len(fired), CHUNK):
                rows, table = fired[start : start + CHUNK], heard[start : start + CHUNK]
                change = self._change[start : start + len(rows)]
                # Copied first: what a rule of one's own returns may be a tensor that it keeps.
                change.copy_(self._answers(rows, table))
                if self._noise:
                    normals = self._draws.normals(
                        self.steps, rows, self._rule.channels, change.dtype
                    )
                    change.add_(normals, alpha=self._noise)
            self._padded.index_add_(0, fired, self._change[: len(fired)])
            self.steps += 1
            return fired

    def _answers(self, rows: Tensor, table: Tensor) -> Tensor:
        """[M, C], what the rule makes of the rows [M] and of what they hear, at [M, K]."""
        # A rule of one's own may mind rows that only fill a block up, with leftovers of before.
        plain = type(self._rule) is Rule
        filled = filled_up(len(rows), self._padded) if plain else len(rows)
        messages, prepared = self._messages[: filled * table.shape[1]], self._chunk[:filled]
        torch.index_select(self._padded, 0, table.reshape(-1), out=messages[: table.numel()])
        torch.index_select(self._prepared, 0, rows, out=prepared[: len(rows)])
        return self._rule.change(prepared, messages.view(filled, -1))[: len(rows)]

    def world(self) -> World:
        """The present moment, safe from further steps."""
        return self._world.with_state(self.state.clone(), self.steps)


def step(
    world: World,
    rule: Rule,
    seed: int = 0,
    *,
    fire_rate: float | None = None,
    noise: float | None = None,
) -> World:
    """The world one step later; see `rollout`."""
    return rollout(world, rule, 1, seed, fire_rate=fire_rate, noise=noise)


def rollout(
    world: World,
    rule: Rule,
    steps: int,
    seed: int = 0,
    *,
    fire_rate: float | None = None,
    noise: float | None = None,
) -> World:
    """The world some steps later.

    Gradients flow when grad mode is on and a weight of the rule, or the state, requires them; a
    loaded rule's weights do not. `rollout(a + b)` equals `rollout(a)` followed by `rollout(b)`.

    Args:
        steps: 0 or more.
        seed: every random draw depends on it.
        fire_rate, noise: override the world's and the rule's when given.

    Raises:
        ValueError: a number of steps that is negative or not whole, a seed, rate or noise out of
            range, or a rule that does not fit the world.
    """
    steps = whole("steps", steps, 0, MOST_STEPS)
    wants_grad = world.state.requires_grad or any(w.requires_grad for w in rule.parameters())
    if torch.is_grad_enabled() and wants_grad:
        return _differentiable(world, rule, steps, seed, fire_rate, noise)
    stepper = Stepper(world, rule, seed, fire_rate=fire_rate, noise=noise)
    for _ in range(steps):
        stepper.step()
    return world.with_state(stepper.state, steps)


def trajectory(
    world: World,
    rule: Rule,
    steps: int,
    seed: int = 0,
    *,
    fire_rate: float | None = None,
    noise: float | None = None,
) -> Iterator[World]:
    """The worlds after steps 1, 2, … `steps`, one at a time, without gradients; see `rollout`."""
    steps = whole("steps", steps, 0, MOST_STEPS)
    stepper = Stepper(world, rule, seed, fire_rate=fire_rate, noise=noise)

    def moments() -> Iterator[World]:
        for _ in range(steps):
            stepper.step()
            yield stepper.world()

    return moments()


def _differentiable(
    world: World,
    rule: Rule,
    steps: int,
    seed: int,
    fire_rate: float | None,
    noise: float | None,
) -> World:
    check_fit(world, rule)
    rate, noise = rates_of(world, rule, fire_rate, noise)
    draws, prepared, state = draws_of(world, seed), rule.prepare(world.stimulus), world.state
    silence, heard_by_one = state.new_zeros(1, rule.channels), rule.slots * rule.channels
    for t in range(steps):
        fired = draws.fires(t, rate)
        heard = world.links.arriving(world.neighbors, fired, draws, t)
        padded = torch.cat([state, silence])
        messages = padded.index_select(0, heard.reshape(-1)).view(len(fired), heard_by_one)
        change = rule.change(prepared.index_select(0, fired), messages)
        if noise:
            change = change + noise * draws.normals(t, fired, rule.channels, state.dtype)
        state = state.index_add(0, fired, change)
    return world.with_state(state, steps)


def rates_of(
    world: World, rule: Rule, fire_rate: float | None = None, noise: float | None = None
) -> tuple[float, float]:
    """Fire rate and noise: as given, else the world's, else the rule's.

    Raises:
        ValueError: a rate or noise out of range.
    """

    def first(*rates: float | None) -> float:
        return next(rate for rate in rates if rate is not None)

    rate = first(fire_rate, world.fire_rate, rule.fire_rate)
    spread = first(noise, world.noise, rule.noise)
    check_rates(rate, spread)
    return float(rate), float(spread)


def draws_of(world: World, seed: int) -> Draws:
    """The draws of a world's rows from its present moment on."""
    row = world.world_of
    return Draws(seed, world.key[row], world.site, world.step[row])


def check_fit(world: World, rule: Rule) -> None:
    """A ValueError, unless this rule can be obeyed in this world."""
    given = (world.state.shape[1], world.neighbors.shape[1], world.stimulus.shape[1])
    needed = (rule.channels, rule.slots, rule.stimulus_size)
    if given != needed:
        raise ValueError(
            f"this world has (channels, slots, stimulus values) = {given}, the rule needs "
            f"{needed}; build the world with the rule that runs in it"
        )
    dtype = next(rule.parameters()).dtype
    if world.state.dtype != dtype:
        raise ValueError(
            f"the world's state is {world.state.dtype}, the rule's weights are {dtype}; "
            "use world.to(dtype=…) or rule.to(…)"
        )
