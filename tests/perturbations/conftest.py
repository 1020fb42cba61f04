"""Worlds to perturb: two strokes and a blot, with random states."""

import numpy as np
import pytest
import torch

from swarm_nca.rules import Mlp, Rule
from swarm_nca.world import World


@pytest.fixture(scope="session")
def rule() -> Rule:
    return Mlp(generator=torch.Generator().manual_seed(1)).requires_grad_(False)


@pytest.fixture
def pictures() -> np.ndarray:
    grey = np.zeros((3, 12, 16), np.float32)
    grey[0, 2:10, 4:6] = 0.8
    grey[1, 5, 1:15] = 0.6
    grey[1, 2:9, 7] = 1.0
    grey[2, 3:7, 3:9] = 0.5
    grey[2, 8, 8] = 0.05  # faint: part of the stimulus, not alive
    return grey


@pytest.fixture
def world(rule: Rule, pictures: np.ndarray) -> World:
    return World.from_images(
        pictures, rule, labels=[1, 4, 0], keys=[11, 12, 13], start="random", seed=3
    )
