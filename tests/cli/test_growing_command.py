"""Growing patterns on the command line: `evaluate --protocol growing` and `rules`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from rich.console import Console
from typer.testing import CliRunner

import swarm_nca as sn
from swarm_nca import rules
from swarm_nca.cli import app
from swarm_nca.cli.growing_command import growing_command
from swarm_nca.cli.rules_command import rules_command
from swarm_nca.rules import save_rule

TASK = {"kind": "growing", "target": {"drawn": "heart"}, "size": 7, "padding": 2}


@pytest.fixture
def grower(tmp_path: Path) -> Path:
    rule = sn.Mlp.growing(hidden=(4,), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        rule.output_bias.fill_(0.01)
    card = {"recipe": {"task": TASK}, "scores": {}}
    return save_rule(rule.requires_grad_(False), tmp_path / "grower.safetensors", card)


def test_the_result_of_each_world_is_printed_and_written(grower: Path, tmp_path: Path) -> None:
    paper = Console(file=io.StringIO(), width=100)
    found = growing_command(
        str(grower), worlds=3, late=100, json_file=tmp_path / "grown.json", console=paper
    )
    document = json.loads((tmp_path / "grown.json").read_text())
    assert [row["error_late"] for row in document["worlds"]] == [one.error_late for one in found]
    assert len({one.error_grown for one in found}) == 3
    assert (document["grown"], document["late"], document["severity"]) == (96, 100, 0.3)
    printed = paper.file.getvalue()  # type: ignore[attr-defined]
    assert all(f"{one.error_grown:.2e}" in printed for one in found)


def test_a_rule_without_a_card_needs_a_target(tmp_path: Path) -> None:
    bare = save_rule(sn.Mlp.growing(hidden=(4,)).requires_grad_(False), tmp_path / "b.safetensors")
    with pytest.raises(ValueError, match="--target"):
        growing_command(str(bare))
    (outcome,) = growing_command(str(bare), "heart", worlds=1, late=96, console=Console(quiet=True))
    assert outcome.alive


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["digits"], "--dataset"),
        (["digits", "--dataset", "strokes", "--target", "heart"], "--protocol growing"),
        (["digits", "--dataset", "strokes", "--late", "500"], "--protocol growing"),
        (["growing-persist", "--protocol", "growing", "--late", "90"], "at least grown, 96"),
        (["digits", "--protocol", "growing", "--dataset", "strokes"], "--dataset"),
        (["digits", "--protocol", "growing", "--target", "heart"], "read-out"),
    ],
)
def test_options_that_exclude_each_other_are_refused(arguments: list[str], line: str) -> None:
    done = CliRunner().invoke(app, ["evaluate", *arguments])
    assert done.exit_code == 2
    assert line in " ".join(done.output.split())


def test_rules_lists_the_target_of_a_rule_without_classes(
    grower: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "shipped_rules", lambda: {"grower": grower})
    paper = Console(file=io.StringIO(), width=100)
    rules_command(console=paper)
    assert "grower: growing heart" in paper.file.getvalue()  # type: ignore[attr-defined]
