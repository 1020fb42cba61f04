"""Faults that last: each function gives the world that lives with one from its first step on.

A function returns the given world itself at a setting without fault. `healed` ends every fault.

Letters: N cells.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from swarm_nca.perturbations import Loss, Rates
from swarm_nca.randomness import Stream, threshold, words
from swarm_nca.world import World


def losing(world: World, share: float, seed: int) -> World:
    """Every message is lost with this probability."""
    return Loss(drop=share)(world) if share else world


def firing(world: World, rate: float, seed: int) -> World:
    """Cells fire at this rate."""
    return Rates(fire_rate=rate)(world)


def noisy(world: World, deviation: float, seed: int) -> World:
    """Cells add normal noise of this standard deviation whenever they fire."""
    return Rates(noise=deviation)(world)


def dead(world: World, share: float, seed: int) -> World:
    """A share of the cells is gone; their pixels are white."""
    if not share:
        return world
    grey = world.canvas.grey.clone()
    grey[world.address[drawn(world, share, seed)]] = 0.0
    pictures = torch.split(grey, world.space.sizes.tolist())
    shapes = [world.picture(number).shape for number in range(len(world))]
    images = [one.view(shape) for one, shape in zip(pictures, shapes, strict=True)]
    return world.repictured(images, world.label)


def drawn(world: World, share: float, seed: int) -> Tensor:
    """bool [N], cells drawn with a probability, each on its own."""
    row = world.world_of
    zero = torch.zeros_like(row)
    word = words(seed, world.key[row], world.site, zero, Stream.PERTURBATION)[2]
    return word < threshold(share)


def healed(world: World, sound: World) -> World:
    """The world without faults: pictures, links and rates are those of the sound world.

    Cells keep what they hold; cells that were dead are born anew and hold zeros.
    """
    images = [sound.picture(number) for number in range(len(sound))]
    back = world.repictured(images, sound.label)
    shared = {name: getattr(sound, name) for name in World.SHARED}
    return replace(back, cell_fields=sound.cell_fields, **shared)
