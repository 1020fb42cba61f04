"""Rollouts with or without gradients.

Without gradients a backend steps in place. With gradients the same step runs out of place and
autograd records it; this is the reference for every other gradient.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from swarm_nca.arguments import whole
from swarm_nca.engine.backends import stepper
from swarm_nca.engine.fit import draws_of, products_in, rates_of
from swarm_nca.engine.gather import RecordedStepper
from swarm_nca.randomness import MOST_STEPS, StepDraws
from swarm_nca.rules import Rule
from swarm_nca.world import World


def step(
    world: World,
    rule: Rule,
    seed: int = 0,
    *,
    fire_rate: float | None = None,
    noise: float | None = None,
    precision: str | None = None,
) -> World:
    """The world one step later; see `rollout`."""
    return rollout(world, rule, 1, seed, fire_rate=fire_rate, noise=noise, precision=precision)


def rollout(
    world: World,
    rule: Rule,
    steps: int,
    seed: int = 0,
    *,
    fire_rate: float | None = None,
    noise: float | None = None,
    precision: str | None = None,
) -> World:
    """The world `steps` steps later.

    Gradients are recorded when grad mode is on and the state or a weight of the rule requires them;
    weights of loaded rules do not. `rollout(a + b)` equals `rollout(a)` followed by `rollout(b)`.

    Args:
        steps: 0 or more.
        seed: seed of every random draw.
        fire_rate, noise: override those of the world and the rule when given.
        precision: of the factors of matrix products, `float32` or `bfloat16`; the states' when
            None. States, noise and sums keep their own precision.

    Raises:
        ValueError: steps that are negative or not whole, a seed, rate or noise out of range, a
            rule that does not fit the world, or a precision with gradients or for a rule without
            matrix products.
    """
    steps = whole("steps", steps, 0, MOST_STEPS)
    wants_grad = world.state.requires_grad or any(w.requires_grad for w in rule.parameters())
    if torch.is_grad_enabled() and wants_grad:
        if products_in(precision, world, rule) != world.state.dtype:
            raise ValueError(
                f"a rollout with gradients cannot have precision {precision}: use "
                "torch.no_grad(), or precision in a recipe"
            )
        rates = rates_of(world, rule, fire_rate, noise)
        after = recorded(world, rule, steps, draws_of(world, seed), *rates)
        return after if steps else world
    running = stepper(world, rule, seed, fire_rate=fire_rate, noise=noise, precision=precision)
    for _ in range(steps):
        running.step()
    return running.world() if steps else world


def trajectory(
    world: World,
    rule: Rule,
    steps: int,
    seed: int = 0,
    *,
    fire_rate: float | None = None,
    noise: float | None = None,
    precision: str | None = None,
) -> Iterator[World]:
    """Iterate over the worlds after steps 1, 2, … `steps`, without gradients; see `rollout`."""
    steps = whole("steps", steps, 0, MOST_STEPS)
    running = stepper(world, rule, seed, fire_rate=fire_rate, noise=noise, precision=precision)

    def moments() -> Iterator[World]:
        for _ in range(steps):
            running.step()
            yield running.world()

    return moments()


def recorded(
    world: World, rule: Rule, steps: int, draws: StepDraws, fire_rate: float, noise: float
) -> World:
    """The world `steps` steps later, recorded by autograd; supports every rule.

    Args:
        draws: random numbers for firing, lost messages and noise; on the world's device.

    Raises:
        ValueError: a rule that does not fit the world.
    """
    running = RecordedStepper(world, rule, fire_rate=fire_rate, noise=noise, draws=draws)
    for _ in range(steps):
        running.step()
    return running.world()
