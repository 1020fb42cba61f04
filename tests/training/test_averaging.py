"""The averaged rule: its value, its independence from training, and resuming."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from swarm_nca.config import parse
from swarm_nca.rules import Mlp, Rule, read_rule
from swarm_nca.training.averaging import Average
from swarm_nca.training.checkpoint import load_checkpoint, save_checkpoint
from swarm_nca.training.command import train
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import set_up
from swarm_nca.training.trainer import Trainer

RECIPE = """
name: tiny
data: [{dataset: strokes, count: 12}]
held_out: 2
iterations: 6
batch: 4
pool: 6
steps: 3
rule: {hidden: [6, 5]}
schedule: {rate: 2e-3}
"""
AVERAGED = f"{RECIPE}average: 0.8\n"


def trainer_of(text: str) -> Trainer:
    document = parse(text)
    recipe = document.validate(Recipe)
    rule, task, _ = set_up(recipe, document)
    return Trainer(recipe, rule, task)


def flat(rule: Rule) -> Tensor:
    return torch.cat([weight.detach().reshape(-1) for weight in rule.parameters()])


def test_the_outcome_is_the_average_with_its_share_after_enough_iterations() -> None:
    trainer = trainer_of(f"{RECIPE}average: 0.4\n")
    trainer.advance()
    expected = flat(trainer.rule)
    # Of n weights added it keeps (n + 1) / (n + 10), until that is more than its share.
    for keep in (2 / 11, 3 / 12, 4 / 13, 5 / 14, 0.4, 0.4):
        trainer.advance()
        expected = keep * expected + (1 - keep) * flat(trainer.rule)
    torch.testing.assert_close(flat(trainer.outcome), expected)
    assert not torch.equal(flat(trainer.outcome), flat(trainer.rule))


def test_in_a_short_run_the_average_does_not_depend_on_the_first_weights() -> None:
    rule = Mlp(free_channels=1, hidden=(2, 2))
    average = Average(rule, 0.9999)
    for value in (1.0, *[0.0] * 99):
        with torch.no_grad():
            for weight in rule.parameters():
                weight.fill_(value)
        average.add(rule)
    assert float(flat(average.rule).abs().max()) < 1e-6


def test_training_does_not_depend_on_averaging() -> None:
    plain, averaged = trainer_of(RECIPE), trainer_of(AVERAGED)
    losses = [[trainer.advance().loss for _ in range(6)] for trainer in (plain, averaged)]
    assert losses[0] == losses[1]
    assert torch.equal(flat(plain.rule), flat(averaged.rule))
    assert plain.outcome is plain.rule


def test_an_average_resumes_from_a_checkpoint_and_ends_the_same(tmp_path: Path) -> None:
    whole, first, second = (trainer_of(AVERAGED) for _ in range(3))
    for _ in range(6):
        whole.advance()
    for _ in range(2):
        first.advance()
    save_checkpoint(first, tmp_path / "checkpoint.safetensors", 0.0)
    load_checkpoint(second, tmp_path / "checkpoint.safetensors")
    for _ in range(4):
        second.advance()
    assert torch.equal(flat(whole.outcome), flat(second.outcome))


def test_a_run_leaves_the_averaged_rule_in_its_folder(tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(AVERAGED)
    assert train(recipe, tmp_path / "run") == 0
    trainer = trainer_of(AVERAGED)
    for _ in range(6):
        trainer.advance()
    assert torch.equal(
        flat(read_rule(tmp_path / "run" / "rule.safetensors")[0]), flat(trainer.outcome)
    )


def test_a_checkpoint_without_the_average_is_refused(tmp_path: Path) -> None:
    plain, averaged = trainer_of(RECIPE), trainer_of(AVERAGED)
    plain.advance()
    save_checkpoint(plain, tmp_path / "c.safetensors", 0.0)
    with pytest.raises(ValueError, match=r"average = None, the recipe now has 0\.8"):
        load_checkpoint(averaged, tmp_path / "c.safetensors")
