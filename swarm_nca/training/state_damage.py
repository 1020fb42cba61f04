"""Wounds: discs of a batch jolted or erased before a rollout, so that a rule learns to heal.

A pool shows a rule only what the rule itself brings about. A wound puts cells where they never go
by themselves, and the loss asks for the way back from there; that is what keeps a swarm in its
place over thousands of steps, each with a small chance of an accident. Growing neural cellular
automata (Mordvintsev et al. 2020) learn to regenerate in the same way, from damaged pools.
"""

from __future__ import annotations

import torch

from swarm_nca.world import World

#: Smallest and largest radius of a wound, in pixels.
RADIUS = (2.0, 10.0)


def wounded(world: World, share: float, strength: float, generator: torch.Generator) -> World:
    """A share of the worlds with normal deviates added to every channel within one disc each.

    Args:
        share: chance of each world to be wounded, in [0, 1].
        strength: standard deviation of what is added.
        generator: source of who is hit, where and how.
    """
    counts, state = world.counts, world.state
    draw = torch.rand(4, len(world), generator=generator).to(state.device)
    first = counts.cumsum(0) - counts
    heart = first + (draw[0] * counts).long().clamp_max(counts - 1)
    low, high = RADIUS
    # A world spared has a disc of no size.
    radius = torch.where(draw[1] < share, low + (high - low) * draw[2], 0.0)
    away = world.position - world.position[heart][world.world_of]
    hit = (away.square().sum(1) < radius.square()[world.world_of]).nonzero().view(-1)
    jolt = torch.randn(len(hit), state.shape[1], generator=generator).to(state)
    return world.with_state(state.index_add(0, hit, jolt, alpha=strength))


def damaged(
    world: World, count: int, radius: tuple[float, float], generator: torch.Generator
) -> World:
    """The last worlds of a batch with everything erased within one disc each.

    As in growing neural cellular automata (Mordvintsev et al. 2020): the middle of a disc lies
    within half of the picture around its own middle.

    Args:
        count: how many, at most B.
        radius: smallest and largest, in halves of a picture's width.
        generator: source of where and how large.
    """
    if not count:
        return world
    draw = torch.rand(3, count, generator=generator).to(world.state)
    spared, low, high = len(world) - count, *radius
    extents = [world.space.as_pixels().extent(index) for index in range(spared, len(world))]
    half = torch.tensor(extents).to(draw) / 2
    center = half * (0.5 + draw[:2].t())
    size = half[:, 1] * (low + (high - low) * draw[2])
    hit = (world.world_of >= spared).nonzero().view(-1)
    of = world.world_of[hit] - spared
    away = world.position[hit].to(draw) + 0.5 - center[of]
    within = hit[away.square().sum(1) < size[of].square()]
    return world.with_state(world.state.index_fill(0, within, 0.0))
