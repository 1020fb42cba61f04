from __future__ import annotations

import json

import pytest
from rich.console import Console

from swarm_nca.cli.turning_command import turning_command
from swarm_nca.measure import CURVE
from swarm_nca.rules import Mlp, save_rule


def test_the_command_prints_and_writes_one_row_per_angle(tmp_path) -> None:
    rule = str(save_rule(Mlp(), tmp_path / "untrained.safetensors"))
    file, console = tmp_path / "turned.json", Console(record=True, width=80)
    turning_command(rule, "strokes", 90, limit=3, steps=2, seed=4, json_file=file, console=console)
    document = json.loads(file.read_text())
    assert list(document) == ["rule", "dataset", "protocol", "pictures", "seed", "turned"]
    assert [row["degrees"] for row in document["turned"]] == [0, 90, 180]
    assert all(list(row) == ["degrees", "step", *CURVE] for row in document["turned"])
    printed = console.export_text()
    for text in ("untrained.safetensors on 3 pictures of strokes, turned", "0°", "90°", "180°"):
        assert text in printed
    assert not set(printed) & set("┃│┏╇")  # no borders, as in the other tables


def test_pictures_without_a_class_of_the_rule_are_turned_too(tmp_path) -> None:
    rule, file = str(save_rule(Mlp(), tmp_path / "r.safetensors")), tmp_path / "turned.json"
    turning_command(
        rule, "strokes+letters", 180, limit=3, steps=1, json_file=file, console=Console(quiet=True)
    )
    assert json.loads(file.read_text())["pictures"] == 6


def test_a_bad_turn_is_refused_before_the_evaluation(tmp_path) -> None:
    rule, console = str(save_rule(Mlp(), tmp_path / "r.safetensors")), Console(record=True)
    with pytest.raises(ValueError, match="turn must be"):
        turning_command(rule, "strokes", 360, console=console)
    assert console.export_text() == ""
