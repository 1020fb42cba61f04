from __future__ import annotations

import pytest
import torch

from swarm_nca.bench import bench_rule, bench_worlds, published_trainer
from swarm_nca.bits_bench import bit_products
from swarm_nca.engine import Stepper
from swarm_nca.images import strokes
from swarm_nca.rules import Mlp


def test_bench_pictures_have_the_alive_share_of_mnist() -> None:
    world = bench_worlds(bench_rule(), 256)
    assert world.cells / int(world.space.sizes.sum()) == pytest.approx(0.176, abs=0.01)


def test_the_timed_rule_changes_states_and_keeps_them_finite() -> None:
    rule = bench_rule()
    stepper = Stepper(bench_worlds(rule, 2), rule)
    for _ in range(200):
        stepper.step()
    assert 0.05 < stepper.state.abs().mean() < 100
    assert not any(weight.requires_grad for weight in rule.parameters())


def test_the_timed_training_uses_the_published_settings_and_changes_weights() -> None:
    rule = Mlp()
    trainer = published_trainer(rule, strokes(160))
    recipe = trainer.recipe
    assert (recipe.batch, recipe.pool, recipe.steps) == (16, 160, 20)
    assert (recipe.regime, recipe.loss, recipe.normalize) == ("mutating", "l2", "tensors")
    assert recipe.shares() == (4, 4)
    before = rule.output.detach().clone()
    assert trainer.advance().iteration == 1
    assert not torch.equal(rule.output, before)


def test_all_timed_products_of_signs_are_equal() -> None:
    found = {name: compute().double() for name, compute in bit_products().items()}
    assert len(found) >= 4
    for name, values in found.items():
        assert torch.equal(values, found["float32"].double()), name
    assert found["float32"].abs().max() <= 180
    assert found["float32"].std() > 10
