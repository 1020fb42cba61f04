"""Worlds with given class channels."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from swarm_nca.rules import Classes, Mlp
from swarm_nca.world import World


@pytest.fixture(scope="session")
def world_of() -> Callable[..., World]:
    """world_of([[[1, 0, 0]], [[0, 1, 0], [0, 0, 2]]], [0, 1]) makes a batch.

    The arguments are class channels, world by world and cell by cell, and the labels of the worlds;
    the two free channels hold `free`.
    """

    def make(worlds: list[list[list[float]]], labels: list[int], free: float = 9.0) -> World:
        names = "abcdefghij"[: len(worlds[0][0])]
        rule = Mlp(Classes.named(*names), free_channels=2, hidden=(2, 2)).double()
        grey = torch.zeros(len(worlds), 1, max(map(len, worlds)))
        for number, cells in enumerate(worlds):
            grey[number, 0, : len(cells)] = 1.0
        world = World.from_images(grey.double(), rule, labels=labels)
        logits = torch.tensor([cell for cells in worlds for cell in cells], dtype=torch.float64)
        return world.with_state(torch.cat([torch.full((len(logits), 2), free), logits], 1))

    return make
