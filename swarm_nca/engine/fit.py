"""Checks that a rule fits a world, and gives their rates, draws and precision."""

from __future__ import annotations

import torch
from torch import Tensor

from swarm_nca.randomness import Draws
from swarm_nca.rules import Rule, check_rates
from swarm_nca.suggestion import unknown
from swarm_nca.world import World
from swarm_nca.world.fields import RULE

#: What a world and a rule must have in common, in messages.
_SHAPE = "(channels, slots, stimulus values)"

#: The precisions that matrix products can have, by name.
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


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
    return Draws(seed, *counters_of(world))


def counters_of(world: World) -> tuple[Tensor, Tensor, Tensor]:
    """Key, site and present step of each row, int64 [N], from which `Draws` makes its words."""
    if len(world) == 1:  # what all rows share, or the world has, needs no memory
        return world.key.expand(world.cells), world.address, world.step.expand(world.cells)
    row = world.world_of
    return world.key[row], world.site, world.step[row]


def check_fit(world: World, rule: Rule) -> None:
    """Raise a ValueError unless the rule and all guests fit the world and each other."""
    given, needed = _shapes(world, rule)
    if given != needed:
        raise ValueError(
            f"this world has {_SHAPE} = {given}, the rule needs {needed}; build the world with the "
            "rule that runs in it"
        )
    for guest in world.guests:
        check_guest(world, guest)
        if guest.update != rule.update:
            raise ValueError(
                f"rules of one world update in one way, {rule.kind!r} has {rule.update!r} and "
                f"{guest.kind!r} has {guest.update!r}"
            )
    for each in (rule, *world.guests):
        if world.state.dtype != each.dtype:
            raise ValueError(
                f"the world's state is {world.state.dtype}, the rule's weights are {each.dtype}; "
                "use world.to(dtype=…) or rule.to(…)"
            )


def check_guest(world: World, guest: Rule) -> None:
    """Raise a ValueError unless cells of the world can obey this rule."""
    given, needed = _shapes(world, guest)
    if given != needed:
        raise ValueError(
            f"this world has {_SHAPE} = {given}, the immigrants' rule needs {needed}; choose a "
            "rule with those of the world"
        )


def products_in(precision: str | None, world: World, rule: Rule) -> torch.dtype:
    """The precision of the factors of the rules' matrix products; the states' when None.

    Raises:
        ValueError: an unknown precision, or one that differs from the states' and a rule without
            matrix products.
    """
    if precision is None:
        return world.state.dtype
    if precision not in PRECISIONS:
        raise ValueError(unknown("precision", precision, PRECISIONS))
    products = PRECISIONS[precision]
    if products != world.state.dtype:
        for each in (rule, *world.guests):
            if each.layers() is None:
                raise ValueError(
                    f"precision {precision} is for rules with matrix products, and {each.kind!r} "
                    "has none: leave precision out"
                )
    return products


def members(world: World, rows: Tensor) -> list[Tensor]:
    """The rows [M] of each rule: the run's own, then the guests; together `rows`."""
    obeyed = world.cell_fields.get(RULE)
    if obeyed is None or not world.guests:
        return [rows, *(rows[:0] for _ in world.guests)]
    of_rows = obeyed[rows]
    return [rows[of_rows == number] for number in range(len(world.guests) + 1)]


def _shapes(world: World, rule: Rule) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """`_SHAPE` of the world, and as the rule needs it."""
    given = (world.state.shape[1], world.neighbors.shape[1], world.stimulus.shape[1])
    return given, (rule.channels, rule.slots, rule.stimulus_size)
