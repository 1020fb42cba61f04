"""Growing patterns on the command line: `evaluate --protocol growing` and `rules`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

import swarm_nca as sn
from swarm_nca import rules
from swarm_nca.cli import app
from swarm_nca.cli import growing_command as growing_command_module
from swarm_nca.cli.growing_command import growing_command
from swarm_nca.cli.rules_command import rules_command
from swarm_nca.rules import Rule, save_rule
from swarm_nca.tasks.growing import Growing
from swarm_nca.tasks.growing_protocol import Grown
from swarm_nca.training.command import train

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


def seen_task(rule: Path, monkeypatch: pytest.MonkeyPatch, target: str | None = None) -> Growing:
    """The task on which the command tests a rule."""
    tasks: list[Growing] = []

    def grown(rule: Rule, task: Growing, *_: object) -> list[Grown]:
        tasks.append(task)
        return []

    monkeypatch.setattr(growing_command_module, "grown_by", grown)
    growing_command(str(rule), target, console=Console(quiet=True))
    return tasks[0]


def test_another_target_keeps_the_size_and_padding_of_the_training(
    grower: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGBA", (5, 5), "red").save(tmp_path / "red.png")
    for target in ("lizard", str(tmp_path / "red.png")):
        task = seen_task(grower, monkeypatch, target)
        assert (task.size, task.padding) == (7, 2)


def test_a_rule_is_tested_on_the_target_file_of_its_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGBA", (5, 5), "red").save(tmp_path / "red.png")
    recipe = tmp_path / "red.yaml"
    recipe.write_text(
        "name: red\ntask: {kind: growing, target: {file: red.png}, size: 5, padding: 1}\n"
        "rule: {hidden: [4]}\nbatch: 2\npool: 2\nfresh: 0\nsteps: 1\niterations: 1\n"
    )
    assert train(recipe, tmp_path / "runs" / "red") == 0
    task = seen_task(tmp_path / "runs" / "red", monkeypatch)
    assert task.rgba[3, 3].tolist() == [1, 0, 0, 1]


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
