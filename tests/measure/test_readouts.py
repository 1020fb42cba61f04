"""Metrics by read-out: the metrics of each kind of rule; the values of `alive` and `error`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import swarm_nca as sn
from swarm_nca.measure import METRICS
from swarm_nca.measure.metrics import check_metric, measure, measure_worlds, metrics_for

COMMON = ["state_magnitude", "residual_magnitude", "state_largest", "nonfinite"]


def board(*boards: np.ndarray) -> tuple[sn.World, sn.Rule]:
    rule = sn.make_rule(kind="life")
    return sn.World.from_images(list(boards), rule), rule


def field() -> tuple[sn.World, sn.Rule]:
    rule = sn.Mlp.growing(generator=torch.Generator().manual_seed(0)).requires_grad_(False)
    grey = np.zeros((2, 4, 6), np.float32)
    grey[0, 2, 3] = grey[1, 0, 0] = 1.0
    return sn.World.from_images(grey, rule), rule


def test_rules_with_classes_have_all_of_metrics() -> None:
    world = sn.World.from_images(np.ones((1, 3, 3), np.float32), sn.Mlp())
    assert list(metrics_for(world)) == list(METRICS)


def test_other_rules_have_the_metrics_of_their_read_out() -> None:
    assert list(metrics_for(board(np.ones((3, 3)))[0])) == ["alive", *COMMON]
    world, _ = field()
    assert list(metrics_for(world)) == ["alive", *COMMON]
    aimed = world.with_worlds(target=torch.zeros(2, 4, 6, 4))
    assert list(metrics_for(aimed)) == ["alive", "error", *COMMON]
    numbers = sn.World.from_images(np.ones((1, 3, 3)), sn.Mlp(sn.Field(("heat",)), noise=0.0))
    assert list(metrics_for(numbers)) == COMMON


def test_alive_counts_cells_of_each_world_and_of_all() -> None:
    first, second = np.zeros((3, 4)), np.ones((2, 5))
    first[1, 1:3] = 1
    world, rule = board(first, second)
    assert measure_worlds(world, rule)["alive"].tolist() == [2, 10]
    assert measure(world, rule)["alive"] == 12
    assert sn.metrics.alive(world, rule) == 12


def test_alive_cells_of_a_pattern_are_those_whose_own_alpha_exceeds_a_tenth() -> None:
    world, rule = field()
    state = world.state.clone()
    state[:3, 3] = torch.tensor([0.1, 0.11, -5.0])
    assert sn.metrics.alive(world.with_state(state), rule) == 3  # two sprouts, one more


def test_the_error_is_the_mean_square_over_all_pixels_and_channels() -> None:
    world, rule = field()
    draw = np.random.default_rng(1)
    target, state = draw.random((2, 4, 6, 4)), draw.normal(size=(2 * 24, 16))
    aimed = world.with_worlds(target=torch.from_numpy(target).float())
    aimed = aimed.with_state(torch.from_numpy(state).float())
    expected = ((state[:, :4].reshape(2, 4, 6, 4) - target) ** 2).mean(axis=(1, 2, 3))
    assert measure_worlds(aimed, rule)["error"].tolist() == pytest.approx(expected, rel=1e-5)
    assert measure(aimed, rule)["error"] == pytest.approx(expected.mean(), rel=1e-5)


def test_pixels_without_a_cell_count_as_transparent_in_the_error() -> None:
    rule = sn.Mlp(sn.Rgba(), noise=0.0).requires_grad_(False)  # lives on ink alone
    grey = np.zeros((1, 3, 3), np.float32)
    grey[0, 1, 1] = 1.0
    target = np.random.default_rng(2).random((1, 3, 3, 4))
    world = sn.World.from_images(grey, rule).with_worlds(target=torch.from_numpy(target).float())
    assert measure(world, rule)["error"] == pytest.approx((target**2).mean(), rel=1e-5)


def test_a_metric_of_another_read_out_is_refused_with_those_that_fit() -> None:
    world, _ = board(np.ones((3, 3)))
    with pytest.raises(ValueError, match="with the read-out classes, this rule's is bit: use"):
        check_metric("cell_accuracy", world)
    with pytest.raises(ValueError, match="error needs a target, and there is none: add"):
        check_metric("error", field()[0])
    with pytest.raises(ValueError, match="did you mean 'alive'"):
        check_metric("alve", world)
