"""Fixtures: a rule file, and a function that writes scenarios for it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from swarm_nca.rules import Mlp, Rule, save_rule

#: A short scenario with one perturbation.
SCENARIO = """\
name: short
rule: busy.safetensors
images: {dataset: strokes, label: 7}
steps: 8
perturbations:
  - {at: 5, kind: mutate, images: {dataset: strokes, label: 2}}
expect:
  - {metric: undecided, at: 8, max: 1.0}
"""


def busy_rule() -> Rule:
    """An untrained rule with random output weights, so that states change."""
    rule = Mlp(hidden=(16, 16), generator=torch.Generator().manual_seed(1))
    torch.nn.init.normal_(rule.output, std=0.05, generator=torch.Generator().manual_seed(2))
    return rule.requires_grad_(False)


@pytest.fixture
def rule() -> Rule:
    return busy_rule()


@pytest.fixture
def write(tmp_path: Path, rule: Rule) -> Callable[..., Path]:
    """Write a scenario beside the rule's file; `changes` replace parts of its text."""
    save_rule(rule, tmp_path / "busy.safetensors")

    def written(text: str = SCENARIO, name: str = "short.yaml", **changes: str) -> Path:
        lines = text.splitlines()
        for key, value in changes.items():
            lines = [line for line in lines if not line.startswith(f"{key}:")]
            if value is not None:
                lines.insert(0, f"{key}: {value}")
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return written
