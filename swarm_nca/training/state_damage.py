"""State damage: noise or erasure in discs of a batch before a rollout; rules learn to recover.

The worlds of a pool hold only states that the rule itself produces. Damage adds other states, and
the loss trains the rule to return from them, so that patterns stay stable over thousands of steps.
Growing neural cellular automata (Mordvintsev et al. 2020) learn to regenerate in this way.
"""

from __future__ import annotations

import torch

from swarm_nca.world import World

#: Smallest and largest radius of a noisy disc, in pixels.
RADIUS = (2.0, 10.0)


def wounded(world: World, share: float, strength: float, generator: torch.Generator) -> World:
    """The worlds; in a share of them, normal noise is added to every channel within one disc.

    Args:
        share: probability that a world is damaged, in [0, 1].
        strength: standard deviation of the noise.
        generator: source of all draws.
    """
    counts, state = world.counts, world.state
    draw = torch.rand(4, len(world), generator=generator).to(state.device)
    first = counts.cumsum(0) - counts
    center = first + (draw[0] * counts).long().clamp_max(counts - 1)
    low, high = RADIUS
    # An undamaged world gets the radius 0.
    radius = torch.where(draw[1] < share, low + (high - low) * draw[2], 0.0)
    away = world.position - world.position[center][world.world_of]
    hit = (away.square().sum(1) < radius.square()[world.world_of]).nonzero().view(-1)
    noise = torch.randn(len(hit), state.shape[1], generator=generator).to(state)
    return world.with_state(state.index_add(0, hit, noise, alpha=strength))


def damaged(
    world: World, count: int, radius: tuple[float, float], generator: torch.Generator
) -> World:
    """The worlds; in the last `count` of them, all states within one disc are erased.

    As in growing neural cellular automata (Mordvintsev et al. 2020): the centre of a disc lies in
    the central half of the picture.

    Args:
        count: number of damaged worlds, at most B.
        radius: smallest and largest radius, in halves of a picture's width.
        generator: source of all draws.
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
