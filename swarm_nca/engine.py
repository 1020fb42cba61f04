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

from swarm_nca.grounds import Lattice
from swarm_nca.links import Links
from swarm_nca.products import BLOCK, filled_up
from swarm_nca.randomness import Draws, StepDraws
from swarm_nca.rules import Largest, Rule, check_rates, through
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
        self._lattice = lattice_of(world, rule, self._fire_rate, self._noise)
        self._everyone = torch.arange(world.cells, device=world.state.device)
        with torch.inference_mode():
            # Built once a run: shared or fixed weights are laid out for the products.
            self._layers = rule.layers()
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
            if self._lattice is not None:
                return self._sweep(self._lattice)
            state, rule, largest = self.state, self._rule, self._world.largest
            fired = self._draws.fires(self.steps, self._fire_rate)
            before = rule.lives(state, largest)
            if before is not None:
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
            replaces, padded = rule.update == "replace", self._padded
            write = padded.index_copy_ if replaces else padded.index_add_
            write(0, fired, self._change[: len(fired)])
            if before is not None:
                state.masked_fill_(~(before & _alive(rule, state, largest))[:, None], 0.0)
            self.steps += 1
            return fired

    def _sweep(self, lattice: Lattice) -> Tensor:
        """A step of full lattices whose cells all act, in one go."""
        shape = lattice.worlds, lattice.height, lattice.width, self._rule.channels
        pictures = self.state.view(shape).permute(0, 3, 1, 2)
        swept = self._rule.sweep(pictures, lattice.torus)
        if swept is None:
            raise RuntimeError(f"{type(self._rule).__name__} swept once, and then no more")
        self.state.view(shape).copy_(swept.permute(0, 2, 3, 1))
        self.steps += 1
        return self._everyone

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
        ValueError: a negative number of steps, a seed, rate or noise out of range, or a rule that
            does not fit the world.
    """
    _check_steps(steps)
    wants_grad = world.state.requires_grad or any(w.requires_grad for w in rule.parameters())
    if torch.is_grad_enabled() and wants_grad:
        rates = rates_of(world, rule, fire_rate, noise)
        return world.with_state(recorded(world, rule, steps, draws_of(world, seed), *rates), steps)
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
    _check_steps(steps)
    stepper = Stepper(world, rule, seed, fire_rate=fire_rate, noise=noise)

    def moments() -> Iterator[World]:
        for _ in range(steps):
            stepper.step()
            yield stepper.world()

    return moments()


def recorded(
    world: World, rule: Rule, steps: int, draws: StepDraws, fire_rate: float, noise: float
) -> Tensor:
    """The state [N, C] some steps later, each recorded for autograd: it serves every rule.

    Args:
        draws: decides who fires, what is lost and which noise is added; on the world's device.

    Raises:
        ValueError: a rule that does not fit the world.
    """
    check_fit(world, rule)
    prepared, state = rule.prepare(world.stimulus), world.state
    silence = state.new_zeros(1, rule.channels)
    for t in range(steps):
        fired = draws.fires(t, fire_rate)
        before = rule.lives(state, world.largest)
        if before is not None:
            fired = fired[before[fired]]
        heard = world.links.arriving(world.neighbors, fired, draws, t)
        padded = torch.cat([state, silence])
        messages = padded.index_select(0, heard.reshape(-1)).view(*heard.shape, rule.channels)
        change = rule.change(prepared.index_select(0, fired), messages)
        if noise:
            change = change + noise * draws.normals(t, fired, rule.channels, state.dtype)
        write = state.index_copy if rule.update == "replace" else state.index_add
        state = write(0, fired, change)
        if before is not None:
            dead = ~(before & _alive(rule, state, world.largest))
            state = state.masked_fill(dead[:, None], 0.0)
    return state


def _alive(rule: Rule, state: Tensor, largest: Largest) -> Tensor:
    alive = rule.lives(state, largest)
    if alive is None:
        raise ValueError(f"{type(rule).__name__}.lives answers before the update, but not after it")
    return alive


def lattice_of(world: World, rule: Rule, fire_rate: float, noise: float) -> Lattice | None:
    """The lattice on which a rule can sweep this world; None where cells are gathered."""
    lattice = world.ground.lattice()
    if lattice is None or fire_rate != 1.0 or noise or world.links != Links() or not lattice.moore:
        return None
    probe = world.state.new_zeros(1, rule.channels, 3, 3)
    return None if rule.sweep(probe, lattice.torus) is None else lattice


def _check_steps(steps: int) -> None:
    if steps < 0:
        raise ValueError(f"steps must be 0 or more, got {steps}")


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
    return rate, spread


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
    if world.state.dtype != rule.dtype:
        raise ValueError(
            f"the world's state is {world.state.dtype}, the rule's weights are {rule.dtype}; "
            "use world.to(dtype=…) or rule.to(…)"
        )
