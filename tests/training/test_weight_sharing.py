"""The recipe sets the hearing; gradients are normalized by the shares of the first layer."""

from __future__ import annotations

import pytest
import torch

from swarm_nca.config import LocatedError, parse
from swarm_nca.rules import Mlp
from swarm_nca.training.optimizers import normalize_gradients
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import set_up
from swarm_nca.training.trainer import Trainer

RECIPE = """
name: ring
data: [{dataset: strokes, count: 12}]
held_out: 2
iterations: 40
batch: 8
regime: naive
steps: 6
rule: {hearing: ring, hidden: [20, 20]}
schedule: {rate: 2e-3}
normalize: shares
"""


def test_a_recipe_with_hearing_ring_trains_a_ring_rule() -> None:
    document = parse(RECIPE)
    recipe = document.validate(Recipe)
    rule, task, _ = set_up(recipe, document)
    trainer = Trainer(recipe, rule, task)
    reports = [trainer.advance() for _ in range(40)]
    losses = [8 * report.loss / report.world.cells for report in reports]  # of one cell
    assert losses[0] == pytest.approx(0.5, abs=0.01)
    assert sum(losses[-10:]) / 10 < 0.46
    used = rule.layers()[0].weight[9:].view(9, rule.channels, 20)
    assert all(torch.equal(used[slot], used[0]) for slot in range(9) if slot != 4)
    assert not torch.equal(used[4], used[0])


def test_stimulus_and_messages_of_a_ring_are_normalized_separately() -> None:
    rule = Mlp(hearing="ring", hidden=(6, 5))
    for weight in rule.parameters():
        weight.grad = torch.rand_like(weight) + 1.0
    normalize_gradients(rule, "shares")
    gradient = rule.perception.grad
    assert gradient is not None
    lengths = [float(part.norm()) for part in (gradient[:2], gradient[2:])]
    assert lengths == pytest.approx([1.0, 1.0], abs=1e-5)


def test_an_unknown_hearing_is_refused_with_its_place() -> None:
    with pytest.raises(LocatedError, match=r"r\.yaml:9:.*rule\.hearing.*'rnig'"):
        parse(RECIPE.replace("hearing: ring", "hearing: rnig"), "r.yaml").validate(Recipe)
