"""Products in bfloat16: the same training but for rounding, and a word where it would be slow."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from swarm_nca.located import parse
from swarm_nca.training.command import has_bfloat16
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.trainer import Trainer

RECIPE = """
name: tiny
data: [{dataset: strokes, count: 20}]
held_out: 4
iterations: 8
batch: 5
pool: 8
steps: 6
rule: {hidden: [12, 10]}
schedule: {rate: 2e-3}
"""


def test_a_training_in_bfloat16_follows_the_one_in_float32() -> None:
    losses: list[list[float]] = []
    for precision in ("float32", "bfloat16"):
        document = parse(f"{RECIPE}precision: {precision}\n")
        recipe = document.validate(Recipe)
        rule, task, _ = recipe.materials(document)
        trainer = Trainer(recipe, rule, task)
        losses.append([trainer.advance().loss for _ in range(8)])
        assert {weight.dtype for weight in rule.parameters()} == {torch.float32}
    exact, rounded = losses
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=0.01)


def test_a_torch_that_cannot_be_asked_has_no_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(has_bfloat16(), bool)
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())
    assert has_bfloat16() is False
