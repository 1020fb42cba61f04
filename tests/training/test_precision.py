"""Products in bfloat16: equal training except for rounding, and a warning if it is slow."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from swarm_nca.config import parse
from swarm_nca.training.command import train
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import set_up
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
        rule, task, _ = set_up(recipe, document)
        trainer = Trainer(recipe, rule, task)
        losses.append([trainer.advance().loss for _ in range(8)])
        assert {weight.dtype for weight in rule.parameters()} == {torch.float32}
    exact, rounded = losses
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("faults: [{chance: 0.01, change: {kind: set, links: {delay: 1}}}]", "the fault 'set'"),
        (
            "faults: [{chance: 0.01, change: {kind: set, links: {delay: 1}}}, "
            "{chance: 0.01, change: {kind: set, links: {drop: 0.1}}}]",
            "the fault 'set'",
        ),
        ("rule: {kind: quantized, hidden: [6], inputs: ste_sign}", "this rule"),
    ],
    ids=["late messages", "late before lost messages", "inputs in bits"],
)
def test_what_has_no_gradient_in_bfloat16_is_refused_before_training(
    change: str, what: str, tmp_path: Path
) -> None:
    lines = [line for line in RECIPE.splitlines() if not change.startswith(line[:5] or "-")]
    text = "\n".join([*lines, change, "precision: bfloat16", ""])
    with pytest.raises(ValueError, match=f"bfloat16 does not support {what}; set precision"):
        train(parse(text), tmp_path / "run")
    assert not (tmp_path / "run").exists()


class Slow(TorchDispatchMode):
    """A processor on which every product of numbers of one dtype takes a millisecond longer."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        factors = [one for one in args if isinstance(one, torch.Tensor) and one.ndim == 2]
        if len(factors) >= 2 and {one.dtype for one in factors} == {self.dtype}:
            time.sleep(1e-3)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("slow", [torch.bfloat16, torch.float32])
def test_training_warns_if_bfloat16_is_slow(
    slow: torch.dtype, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(f"{RECIPE}precision: bfloat16\n")
    with Slow(slow):
        assert train(recipe, tmp_path / "run") == 0
        printed = capsys.readouterr().err
        assert train(recipe, resume=tmp_path / "run") == 0
    if slow == torch.float32:
        assert "bfloat16" not in printed
        return
    found = re.search(r"bfloat16 take ([\d.]+) times as long .*--set precision=float32", printed)
    assert found is not None
    assert float(found[1]) > 2.0
    assert "precision=float32" not in capsys.readouterr().err  # it cannot be changed any more
