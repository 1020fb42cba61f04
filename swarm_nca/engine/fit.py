"""Checks that a rule fits a world, and gives their rates and draws."""

from __future__ import annotations

from swarm_nca.randomness import Draws
from swarm_nca.rules import Rule, check_rates
from swarm_nca.world import World


def rates_of(
    world: World, rule: Rule, fire_rate: float | None = None, noise: float | None = None
) -> tuple[float, float]:
    """Fire rate and noise: the given ones, else the world's, else the rule's.

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
    """The draws of a world's rows from its present step on."""
    row = world.world_of
    return Draws(seed, world.key[row], world.site, world.step[row])


def check_fit(world: World, rule: Rule) -> None:
    """Raise a ValueError unless the rule fits the world."""
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
