"""Rollouts with or without gradients.

Without gradients a backend steps in place. With gradients the same step runs out of place and
autograd records it; this is the reference for every other gradient.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from swarm_nca.arguments import whole
from swarm_nca.engine.backends import stepper
from swarm_nca.engine.fit import check_fit, draws_of, members, rates_of
from swarm_nca.engine.gather import living
from swarm_nca.engine.mail import Mail
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
    """The world `steps` steps later.

    Gradients are recorded when grad mode is on and the state or a weight of the rule requires them;
    weights of loaded rules do not. `rollout(a + b)` equals `rollout(a)` followed by `rollout(b)`.

    Args:
        steps: 0 or more.
        seed: seed of every random draw.
        fire_rate, noise: override those of the world and the rule when given.

    Raises:
        ValueError: steps that are negative or not whole, a seed, rate or noise out of range, or a
            rule that does not fit the world.
    """
    steps = whole("steps", steps, 0, MOST_STEPS)
    wants_grad = world.state.requires_grad or any(w.requires_grad for w in rule.parameters())
    if torch.is_grad_enabled() and wants_grad:
        rates = rates_of(world, rule, fire_rate, noise)
        return recorded(world, rule, steps, draws_of(world, seed), *rates)
    running = stepper(world, rule, seed, fire_rate=fire_rate, noise=noise)
    for _ in range(steps):
        running.step()
    return running.world()


def trajectory(
    world: World,
    rule: Rule,
    steps: int,
    seed: int = 0,
    *,
    fire_rate: float | None = None,
    noise: float | None = None,
) -> Iterator[World]:
    """Iterate over the worlds after steps 1, 2, … `steps`, without gradients; see `rollout`."""
    steps = whole("steps", steps, 0, MOST_STEPS)
    running = stepper(world, rule, seed, fire_rate=fire_rate, noise=noise)

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
    check_fit(world, rule)
    state, mail = world.state, Mail(world, draws)
    prepared = [(each, each.prepare(world.stimulus)) for each in (rule, *world.guests)]
    silence = state.new_zeros(1, rule.channels)
    for t in range(steps):
        fired = mail.able(draws.fires(t, fire_rate))
        before = rule.lives(state, world.largest)
        if before is not None:
            fired = fired[before[fired]]
        bank, changes = mail.collect(torch.cat([state, silence]), t), []
        groups = members(world, fired)
        fired = torch.cat(groups)
        table, begun = mail.arriving(fired, t), 0
        for (each, stimulus), rows in zip(prepared, groups, strict=True):
            heard, begun = table[begun : begun + len(rows)], begun + len(rows)
            messages = bank.index_select(0, heard.reshape(-1)).view(*heard.shape, rule.channels)
            mail.keep(rows, messages)
            changes.append(each.change(stimulus.index_select(0, rows), messages))
        change = torch.cat(changes)
        if noise:
            change = change + noise * draws.normals(t, fired, rule.channels, state.dtype)
        write = state.index_copy if rule.update == "replace" else state.index_add
        state = write(0, fired, change)
        if before is not None:
            dead = ~(before & living(rule, state, world.largest))
            state = state.masked_fill(dead[:, None], 0.0)
    return world.with_state(state, steps).with_cells(**mail.fields())
