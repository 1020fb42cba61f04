"""Training on a GPU: equal to a CPU run except for draws and rounding."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from swarm_nca.config import LocatedError, parse
from swarm_nca.rules import Mlp, read_rule
from swarm_nca.training.checkpoint import load_checkpoint, save_checkpoint
from swarm_nca.training.command import train
from swarm_nca.training.draws import masks
from swarm_nca.training.parallel import DataParallel
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import set_up
from swarm_nca.training.trainer import Trainer

RECIPE = """
name: tiny
data: [{dataset: strokes, count: 60}]
held_out: 10
iterations: 150
batch: 4
pool: 8
steps: 4
optimizer: muon
bound: 3.0
wounds: {}
average: 0.9
schedule: {rate: 2e-3, warmup: 3, shape: cosine}
"""


def recipe_for(device: str) -> Recipe:
    return parse(f"{RECIPE}device: {device}\n").validate(Recipe)


def trainer_for(device: str) -> Trainer:
    document = parse(f"{RECIPE}device: {device}\n")
    recipe: Recipe = document.validate(Recipe)
    rule, task, _ = set_up(recipe, document)
    return Trainer(recipe, rule, task)


def test_a_training_lowers_its_loss_and_gives_a_rule_on_the_cpu(device: str) -> None:
    trainer = trainer_for(device)
    losses = [trainer.advance().loss for _ in range(150)]
    assert sum(losses[-30:]) < 0.9 * sum(losses[:30])
    assert {weight.device.type for weight in trainer.rule.parameters()} == {device}
    assert {weight.device.type for weight in trainer.outcome.parameters()} == {"cpu"}


def test_a_resumed_run_equals_an_uninterrupted_one(device: str, tmp_path: Path) -> None:
    whole, first, second = (trainer_for(device) for _ in range(3))
    for _ in range(8):
        last = whole.advance().loss
    for _ in range(5):
        first.advance()
    save_checkpoint(first, tmp_path / "checkpoint.safetensors", 0.0)
    load_checkpoint(second, tmp_path / "checkpoint.safetensors")
    for _ in range(3):
        again = second.advance().loss
    # To the bit, but that a GPU's libraries may choose other kernels from time to time.
    assert again == pytest.approx(last, rel=0 if device == "cpu" else 1e-3)
    for one, other in zip(whole.rule.parameters(), second.rule.parameters(), strict=True):
        near = 0.0 if device == "cpu" else 1e-4
        torch.testing.assert_close(one, other, atol=near, rtol=0)


def test_a_training_from_the_command_line_leaves_a_rule_that_runs(
    device: str, tmp_path: Path
) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(f"{RECIPE.replace('150', '6')}device: {device}\n")
    assert train(path, tmp_path / "out") == 0
    rule, card = read_rule(tmp_path / "out" / "rule.safetensors")
    assert card["recipe"]["device"] == device
    assert (torch.cuda.is_available() and device == "cuda") == ("; " in card["machine"])
    assert next(rule.parameters()).device.type == "cpu"


def test_masks_have_the_rules_rates_and_depend_on_the_seed() -> None:
    rule, state = Mlp(fire_rate=0.3, noise=0.05), torch.zeros(200, 19)

    def drawn(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        return masks(torch.Generator().manual_seed(seed), 50, rule, state)

    fires, jolts = drawn(0)
    assert fires.shape == (50, 200)
    assert jolts.shape == (50, 200, 19)
    assert float(fires.float().mean()) == pytest.approx(0.3, abs=0.02)
    assert float(jolts.std()) == pytest.approx(0.05, rel=0.02)
    for one, other in zip(drawn(0), (fires, jolts), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(drawn(1)[0], fires)


def test_a_recipe_for_a_gpu_is_refused_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(LocatedError, match=r"device: torch finds no GPU: choose device cpu"):
        trainer_for("cuda")


def test_several_processes_with_a_gpu_are_refused() -> None:
    document = parse(RECIPE)
    rule, task, _ = set_up(document.validate(Recipe), document)
    with pytest.raises(ValueError, match="2 processes cannot train on device: cuda"):
        Trainer(recipe_for("cuda"), rule, task, DataParallel(0, 2))
