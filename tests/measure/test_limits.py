"""What a processor can do, and what a step has to do."""

from __future__ import annotations

import pytest
import torch

from swarm_nca.measure import limits
from swarm_nca.measure.limits import Limits, gradient_flops, measured_limits, work_of
from swarm_nca.measure.stopwatch import Times
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


def test_gradients_take_three_products_for_each_product_of_a_step() -> None:
    rule = Mlp(free_channels=2, hidden=(5, 7), fire_rate=0.25)
    world = World.from_images(torch.full((1, 4, 4), 0.9), rule)
    assert gradient_flops(rule, world, 10) == 3 * 10 * 2 * 4 * (9 * 12 * 5 + 5 * 7 + 7 * 12)


def test_fixed_filters_are_summed_before_the_products() -> None:
    rule = Mlp.growing()
    world = World.from_images(torch.full((1, 4, 4), 0.9), rule)
    assert work_of(rule, world, 6).flops == 2 * 6 * (3 * 16 * 128 + 128 * 16)


def test_a_share_of_the_limit_is_that_of_the_precision() -> None:
    found = Limits(1e9, 4e9, 1e9)
    assert found.share(5e8, 1000.0) == 0.5
    assert found.share(5e8, 1000.0, "bfloat16") == 0.125


def test_a_rule_without_layers_is_refused() -> None:
    rule = Life()
    world = World.from_images(torch.full((1, 4, 4), 0.9), rule)
    with pytest.raises(ValueError, match="Life has no layers"):
        work_of(rule, world, 6)


@pytest.mark.parametrize(("short", "side"), [(0.5, 1024), (9.0, 256)])
def test_limits_are_work_over_the_shortest_times(
    short: float, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def timed(tasks, **settings):
        for task in tasks.values():
            task()  # the timed code runs
        units = {"single": [1.0], "short": [short]}
        return Times(units | {"float32": [0.5, 0.25], "bfloat16": [0.125], "copy": [4.0, 2.0]})

    monkeypatch.setattr(limits, "interleaved", timed)
    found = measured_limits(copied=4_000)
    assert found.flops == 2 * 1024**3 / 0.25
    assert found.flops_bfloat16 == 2 * side**3 / 0.125
    assert found.bandwidth == 2 * 4_000 / 2.0
