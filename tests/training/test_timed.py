from __future__ import annotations

import torch

from swarm_nca.images import strokes
from swarm_nca.rules import Mlp
from swarm_nca.training.timed import published


def test_what_is_timed_is_the_published_iteration_and_learns() -> None:
    rule = Mlp()
    trainer = published(rule, strokes(160))
    recipe = trainer.recipe
    assert (recipe.batch, recipe.pool, recipe.steps) == (16, 160, 20)
    assert (recipe.regime, recipe.loss, recipe.normalize) == ("mutating", "l2", "tensors")
    assert recipe.shares() == (4, 4)
    before = rule.output.detach().clone()
    assert trainer.advance().iteration == 1
    assert not torch.equal(rule.output, before)
