"""What a processor can do, and what a step has to do."""

from __future__ import annotations

import pytest
import torch

from swarm_nca.engine import Stepper
from swarm_nca.measure.limits import measured_limits, work_of
from swarm_nca.measure.stopwatch import interleaved
from swarm_nca.rules import Life, Mlp
from swarm_nca.world import World


def test_the_work_of_a_step_is_counted_by_hand() -> None:
    rule = Mlp(free_channels=2, hidden=(5, 7))  # 12 channels
    world = World.from_images(torch.full((1, 4, 4), 0.9), rule)
    work = work_of(rule, world, 6)
    assert work.flops == 2 * 6 * (9 * 12 * 5 + 5 * 7 + 7 * 12)
    states, noise, prepared, table = 2 * 16 * 12 * 4, 6 * 12 * 4, 6 * 5 * 4, 6 * 9 * 8
    assert work.traffic == states + noise + prepared + table
    assert work.intensity == work.flops / work.traffic


def test_a_rule_without_layers_is_refused() -> None:
    rule = Life()
    world = World.from_images(torch.full((1, 4, 4), 0.9), rule)
    with pytest.raises(ValueError, match="Life has no layers"):
        work_of(rule, world, 6)


def test_a_step_is_slower_than_the_limits() -> None:
    rule = Mlp(hidden=(64, 64))
    world = World.from_images(torch.full((4, 64, 64), 0.9), rule)
    stepper = Stepper(world, rule)
    limits = measured_limits(0.05, 1 << 24)
    work = work_of(rule, world, len(stepper.step()))
    times = interleaved({"step": stepper.step}, seconds=0.05)
    assert work.flops / times.least("step") < limits.flops
    assert 0 < limits.bandwidth < 1e13
