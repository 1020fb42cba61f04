"""Worlds of several sizes with a different state in every cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from swarm_nca.rules import Classes, Mlp, Rule
from swarm_nca.spaces import PixelSpace
from swarm_nca.topologies import Grid
from swarm_nca.world import World

Worlds = Callable[..., World]


@pytest.fixture(scope="session")
def rule() -> Rule:
    """A rule with four classes and two free channels; its weights are not used."""
    generator = torch.Generator().manual_seed(5)
    rule = Mlp(Classes.named(*"abcd"), free_channels=2, hidden=(4, 4), generator=generator)
    return rule.requires_grad_(False)


@pytest.fixture(scope="session")
def worlds(rule: Rule) -> Worlds:
    """worlds([(3, 4), (5, 5)], seed) makes pictures of these sizes, a third white, some faint."""

    def made(sizes: Sequence[tuple[int, int]], seed: int = 0, grid: Grid = Grid()) -> World:  # noqa: B008
        random = np.random.default_rng(seed)
        pictures = []
        for size in sizes:
            grey = np.round(random.random(size), 2)
            pictures.append(grey * (random.random(size) > 1 / 3))
        keys = random.permutation(1000)[: len(sizes)]
        labels = random.integers(-1, 4, len(sizes))
        world = World.from_images(
            pictures,
            rule,
            keys=keys,
            labels=labels,
            grid=grid,
            # None, or rates of the world.
            fire_rate=(None, 0.25, 0.0)[seed % 3],
            noise=(None, 0.1)[seed % 2],
            start="random",
            seed=seed,
        )
        return world.with_state(world.state, steps=seed % 5)

    return made


@pytest.fixture(scope="session")
def assert_same() -> Callable[[World, World], None]:
    """Asserts that two worlds are equal in every bit."""

    def same(one: World, other: World) -> None:
        for field in ("state", "key", "step", "label", "address", "neighbors", "stimulus"):
            assert torch.equal(getattr(one, field), getattr(other, field)), field
        for shared in World.SHARED:
            assert getattr(one, shared) == getattr(other, shared)
        for derived in ("world_of", "counts", "site", "position"):
            assert torch.equal(getattr(one, derived), getattr(other, derived)), derived
        assert one.topology.names == other.topology.names
        if isinstance(one.space, PixelSpace):
            assert torch.equal(one.canvas.grey, other.canvas.grey)
            assert torch.equal(one.canvas.height, other.canvas.height)
            assert one.canvas.grid == other.canvas.grid

    return same
