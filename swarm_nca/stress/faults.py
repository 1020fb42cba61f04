"""Faults that last: each function gives the world that lives with one from now on.

A function returns the given world itself at a setting without fault. `healed` ends every fault.

Letters: N cells, C state channels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from torch import Tensor

from swarm_nca.links import Links
from swarm_nca.perturbations import (
    Cut,
    Freeze,
    Immigrants,
    Kill,
    Liar,
    Rates,
    Set,
    Silence,
    Stuck,
)
from swarm_nca.stress.subject import Subject
from swarm_nca.world import World
from swarm_nca.world.faults import ANY, flagged
from swarm_nca.world.fields import RULE

#: (a sound world, a setting, the subject of the suite) → the world with the fault.
MakesFault: TypeAlias = Callable[[World, float, Subject], World]


def losing(world: World, share: float, subject: Subject) -> World:
    """Every message is lost with this probability."""
    return Set(links=Links(share))(world) if share else world


def delayed(world: World, steps: float, subject: Subject) -> World:
    """Every message arrives `steps` steps late."""
    return Set(links=Links(delay=int(steps)))(world) if steps else world


def rounded(world: World, bits: float, subject: Subject) -> World:
    """Messages have this many bits per channel, over a range of ±4."""
    return Set(links=Links(bits=int(bits)))(world)


def firing(world: World, rate: float, subject: Subject) -> World:
    """Cells fire at this rate."""
    return Rates(fire_rate=rate)(world)


def noisy(world: World, deviation: float, subject: Subject) -> World:
    """Cells add normal noise of this standard deviation whenever they fire."""
    return Rates(noise=deviation)(world)


def of_cells(kind: type[Silence | Freeze | Stuck | Liar | Kill]) -> MakesFault:
    """A perturbation of a share of the cells of each world, drawn at random."""

    def faulty(world: World, share: float, subject: Subject) -> World:
        return kind(share=share)(world, subject.seed) if share else world

    return faulty


def severed(world: World, share: float, subject: Subject) -> World:
    """A share of the links between neighbours carries nothing, in both directions."""
    return Cut(share=share)(world, subject.seed) if share else world


def invaded(world: World, share: float, subject: Subject) -> World:
    """A share of the cells of each world, drawn at random, obeys the subject's immigrants' rule."""
    if not share:
        return world
    if subject.immigrants is None:
        raise ValueError("the subject has no rule for immigrants")
    return Immigrants(share=share, rule=subject.immigrants)(world, subject.seed)


def invasions(subject: Subject) -> list[float]:
    """Shares of immigrants; none if the subject has no rule for them."""
    return [] if subject.immigrants is None else [0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]


def sound_cells(world: World) -> Tensor | None:
    """bool [N], the cells without a fault that obey the world's own rule; None if all do."""
    faulty, obeyed = flagged(world, ANY), world.cell_fields.get(RULE)
    if obeyed is None or not world.guests:
        return None if faulty is None else ~faulty
    return obeyed == 0 if faulty is None else (obeyed == 0) & ~faulty


def healed(world: World, sound: World) -> World:
    """The sound world at the present step, with what its cells hold now.

    Cells that were dead hold zeros; messages on their way are gone; immigrants obey the own rule.
    """
    places = world.state.new_zeros(int(sound.space.sizes.sum()), world.state.shape[1])
    state = places.index_copy(0, world.address, world.state)[sound.address]
    return replace(sound, state=state, step=world.step)
