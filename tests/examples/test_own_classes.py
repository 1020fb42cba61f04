"""User-defined classes: from a folder of pictures to a rule, its scores and a scenario."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from swarm_nca import shipped
from swarm_nca.cli import app
from swarm_nca.images import read_folder
from swarm_nca.rules import load_rule

SIGNS = shipped.folder("scenarios") / "signs"
CLASSES = ("give-way", "left", "no-entry", "priority", "right")

SCENARIO = f"""\
rule: trained/rule.safetensors
images: {{folder: {json.dumps(str(SIGNS))}, label: left, index: 0}}
steps: 4
perturbations:
  - {{at: 2, kind: mutate, images: {{folder: {json.dumps(str(SIGNS))}, label: right, index: 0}}}}
expect:
  - {{metric: undecided, at: 4, max: 1}}
"""


def swarm_nca(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_the_example_has_equally_many_pictures_of_every_class() -> None:
    pictures = read_folder(SIGNS)
    assert pictures.classes == CLASSES
    assert np.bincount(pictures.labels).tolist() == [16] * 5
    assert isinstance(pictures.grey, np.ndarray)
    assert pictures.grey.shape == (80, 28, 28)
    assert len(np.unique(pictures.grey, axis=0)) == 80


def test_a_rule_is_trained_on_a_folder_scored_and_run(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    few = ("iterations=2", "batch=4", "pool=8", "steps=3", "rule.hidden=[8, 8]")
    told = swarm_nca("train", "signs", "--out", "trained", *(f"--set={one}" for one in few))
    assert re.search(r"cell accuracy [\d.]+ %, .* \(15 held-out pictures, step 200\)", told)
    page = Path("trained/report.html").read_text(encoding="utf-8")
    assert "trained/report.html" in told
    assert "15 held-out pictures, step 200" in page
    assert load_rule("trained/rule.safetensors").hash() in page
    captions = re.findall(r"<li>([\w-]+): \d+\u00a0% say ([\w-]+)</li>", page)
    assert len(captions) == 12
    assert {name for pair in captions for name in pair} <= set(CLASSES)
    assert load_rule("trained/rule.safetensors").classes.names == CLASSES

    options = ("--dataset", str(SIGNS), "--limit", "7", "--steps", "2", "--json", "scores.json")
    swarm_nca("evaluate", "trained/rule.safetensors", *options)
    scores = json.loads(Path("scores.json").read_text())
    assert scores["pictures"] == 7
    assert len(scores["curve"]) == 2

    Path("turns.yaml").write_text(SCENARIO)
    swarm_nca("run", "turns.yaml", "--out", "run", "--quiet")
    assert "left" in Path("run/events.csv").read_text()


@pytest.mark.parametrize("limit", [5, 12])
def test_part_of_a_folder_contains_every_class(limit: int) -> None:
    part = read_folder(SIGNS).from_all_classes(limit)
    assert sorted(set(part.labels)) == [0, 1, 2, 3, 4]
    assert np.ptp(np.bincount(part.labels)) <= 1
