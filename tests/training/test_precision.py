"""Products in bfloat16: the same training but for rounding, and a word where it would be slow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch

from swarm_nca.located import parse
from swarm_nca.measure.stopwatch import Times
from swarm_nca.rules import Mlp
from swarm_nca.training.command import train
from swarm_nca.training.materials import materials
from swarm_nca.training.precision import bfloat16_takes
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
        rule, task, _ = materials(recipe, document)
        trainer = Trainer(recipe, rule, task)
        losses.append([trainer.advance().loss for _ in range(8)])
        assert {weight.dtype for weight in rule.parameters()} == {torch.float32}
    exact, rounded = losses
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize(("times", "told"), [(1.74, "take 1.7 times as long"), (1.05, "")])
def test_training_says_where_bfloat16_is_slow(
    times: float,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(f"{RECIPE}precision: bfloat16\n")
    monkeypatch.setattr("swarm_nca.training.command.bfloat16_takes", lambda rule, worlds: times)
    assert train(recipe, tmp_path / "run") == 0
    err = capsys.readouterr().err
    assert told in err
    assert ("precision=float32" in err) is bool(told)
    assert train(recipe, resume=tmp_path / "run") == 0
    assert "precision=float32" not in capsys.readouterr().err  # it cannot be changed any more


def test_what_bfloat16_takes_is_the_time_of_the_rules_own_product_over_that_in_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, torch.Tensor] = {}

    def timed(tasks: Mapping[str, Callable[[], torch.Tensor]], *, seconds: float) -> Times:
        seen.update({name: task() for name, task in tasks.items()})
        return Times(
            {name: [2.0 if out.dtype == torch.bfloat16 else 1.0] for name, out in seen.items()}
        )

    monkeypatch.setattr("swarm_nca.training.precision.interleaved", timed)
    assert bfloat16_takes(Mlp(hidden=(12, 10)), 4) == 2.0
    assert {tuple(out.shape) for out in seen.values()} == {(4 * 64, 12)}
