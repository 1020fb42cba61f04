"""A rule as a file, and a way to write scenarios that obey it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from swarm_nca.rules import Mlp, Rule, save_rule

#: Something happens in it, and it is over soon.
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
    """An untrained rule whose output layer has weights, so that cells do something."""
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
