"""Elementary automata equal an oracle on integers, on both backends."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import swarm_nca as sn
from swarm_nca.engine import rollout


def oracle(bits: int, width: int, number: int, torus: bool) -> int:
    """One step of a row stored in one integer; cell 0 is the highest bit."""

    def at(place: int) -> int:
        if torus:
            place %= width
        return bits >> (width - 1 - place) & 1 if 0 <= place < width else 0

    after = 0
    for place in range(width):
        pattern = 4 * at(place - 1) + 2 * at(place) + at(place + 1)
        after = after << 1 | (number >> pattern & 1)
    return after


def row_of(bits: int, width: int) -> np.ndarray:
    return np.array([[float(bits >> (width - 1 - n) & 1) for n in range(width)]], np.float32)


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize("number", [30, 110])
def test_a_thousand_steps_equal_the_integer_oracle(number: int, torus: bool) -> None:
    rule, width = sn.make_rule(kind="elementary", number=number), 201
    bits = 1 << width // 2
    world = sn.World.from_images([row_of(bits, width)], rule, grid=sn.Grid(torus=torus))
    for _ in range(10):
        world = rollout(world, rule, 100)
        for _ in range(100):
            bits = oracle(bits, width, number, torus)
        assert np.array_equal(world.readout.image(world), row_of(bits, width) > 0.5)


@pytest.mark.parametrize("torus", [False, True])
def test_all_256_rules_equal_the_oracle_on_both_backends(torus: bool) -> None:
    width, rng = 23, np.random.default_rng(1)
    for number in range(256):
        rule, bits = sn.Elementary(number), int(rng.integers(1 << width))
        world = sn.World.from_images([row_of(bits, width)], rule, grid=sn.Grid(torus=torus))
        for _ in range(3):
            bits = oracle(bits, width, number, torus)
        swept, gathered = rollout(world, rule, 3), rollout(world, rule, 3, fire_rate=1 - 1e-12)
        assert np.array_equal(swept.readout.image(swept), row_of(bits, width) > 0.5), number
        assert torch.equal(swept.state, gathered.state), number


@pytest.mark.parametrize("wrong", [256, -1, 1.5, "110", True, None])
def test_invalid_numbers_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="a number from 0 to 255, got"):
        sn.make_rule(kind="elementary", number=wrong)
