"""Fixtures: a small rule, and worlds with given decisions of their cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch

from swarm_nca.rules import Classes, Mlp, Rule
from swarm_nca.world import World

Decided = Callable[..., World]


@pytest.fixture(scope="session")
def rule() -> Rule:
    """Three classes, two free channels, small random weights in every layer."""
    generator = torch.Generator().manual_seed(7)
    rule = Mlp(Classes.named("a", "b", "c"), free_channels=2, hidden=(8, 8), generator=generator)
    rule.requires_grad_(False)
    rule.output.normal_(std=0.1, generator=generator)
    return rule


@pytest.fixture(scope="session")
def decided(rule: Rule) -> Decided:
    """decided([[0, 0, 1], [-1]], labels=[0, 2]): one list of decisions per world, −1 undecided."""

    def make(worlds: Sequence[Sequence[int]], labels: Sequence[int] | None = None) -> World:
        width = max((len(cells) for cells in worlds), default=0) + 1
        pictures = torch.zeros(len(worlds), 1, width)
        for number, cells in enumerate(worlds):
            pictures[number, 0, : len(cells)] = 1.0
        world = World.from_images(pictures, rule, labels=labels)
        state = torch.full_like(world.state, -0.5)
        for row, choice in enumerate(choice for cells in worlds for choice in cells):
            if choice >= 0:
                state[row, rule.free_channels + choice] = 0.25
        return world.with_state(state)

    return make
