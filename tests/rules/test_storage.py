"""Rules as files: all of a rule comes back, and a file that is none is refused with the cure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from swarm_nca.rules import Classes, Rule, load_rule, read_rule, save_rule

BusyRule = Callable[..., Rule]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_rule_and_its_card_come_back_whole(
    tmp_path: Path, busy_rule: BusyRule, dtype: torch.dtype
) -> None:
    classes = Classes.named("disc", "ring", "łuk")
    rule = busy_rule(dtype, classes=classes, fire_rate=0.3, noise=0.0, slots=4, hidden=(5, 6))
    card = {"recipe": {"steps": 20}, "scores": [0.5, 1], "licence": "MIT"}
    path = save_rule(rule, tmp_path / "rule.safetensors", card)
    back, told = read_rule(path)
    assert told == card
    assert back.settings() == rule.settings()
    for (name, given), (_, found) in zip(
        rule.named_parameters(), back.named_parameters(), strict=True
    ):
        assert torch.equal(given, found), name
        assert found.dtype == dtype
    assert back.hash() == rule.hash()
    assert not any(weight.requires_grad for weight in back.parameters())


def test_saving_twice_gives_the_same_bytes(tmp_path: Path, busy_rule: BusyRule) -> None:
    first, second = (save_rule(busy_rule(), tmp_path / f"{i}.safetensors") for i in (1, 2))
    assert first.read_bytes() == second.read_bytes()


def test_a_rule_in_training_is_saved_as_it_stands(tmp_path: Path) -> None:
    rule = Rule()
    path = save_rule(rule, tmp_path / "rule.safetensors")
    assert read_rule(path)[0].hash() == rule.hash()
    assert all(weight.requires_grad for weight in rule.parameters())


def test_a_card_that_is_no_plain_data_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"rule\.safetensors: .*must be plain data"):
        save_rule(Rule(), tmp_path / "rule.safetensors", {"weights": torch.zeros(1)})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def tensors(busy_rule: BusyRule) -> dict[str, torch.Tensor]:
    return dict(busy_rule().state_dict())


def written(
    path: Path, tensors: dict[str, torch.Tensor], settings: Any = None, form: int = 1
) -> Path:
    """A file in the rules' format, with whatever content."""
    header = {"format": form, "card": {}, "settings": settings or Rule().settings()}
    save_file(tensors, path, {"swarm_nca": json.dumps(header)})
    return path


def refused(path: Path, told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        load_rule(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor], bad: float
) -> None:
    tensors["middle"][3, 5] = bad
    told = r"'middle' holds values that are not finite.*take an earlier checkpoint"
    refused(written(tmp_path / "r.safetensors", tensors), told)


@pytest.mark.parametrize("keep", [0, 5, 100, 3_000, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, keep: int) -> None:
    path = save_rule(Rule(), tmp_path / "r.safetensors")
    path.write_bytes(path.read_bytes()[:keep])
    refused(path, "not a readable safetensors file")


def test_weights_of_another_shape_are_refused_with_both_shapes(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    settings = Rule(free_channels=4).settings()
    told = r"'output' has the shape \[80, 19\].*14 channels, 9 slots.*\[80, 14\]"
    tensors["perception"] = tensors["perception"][: 9 + 9 * 14].clone()
    refused(written(tmp_path / "r.safetensors", tensors, settings), told)


def test_a_missing_or_a_foreign_weight_is_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    more = tensors | {"attention": torch.zeros(3)}
    refused(written(tmp_path / "m.safetensors", more), "'attention' is no weight of such a rule")
    del tensors["output_bias"]
    refused(written(tmp_path / "l.safetensors", tensors), "weight 'output_bias' is missing")


def test_weights_that_are_no_real_numbers_are_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    whole = {name: weight.to(torch.int64) for name, weight in tensors.items()}
    refused(
        written(tmp_path / "r.safetensors", whole), "int64, but rules run in float32 or float64"
    )


def test_anybody_elses_safetensors_file_is_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    save_file(tensors, tmp_path / "r.safetensors")
    refused(tmp_path / "r.safetensors", "not a rule.*save_rule")


@pytest.mark.parametrize(
    "change",
    [
        {"fire_rate": 3},
        {"colour": "red"},
        {"classes": {"names": ["a"], "colors": [[0, 0, 0]]}},
        {"classes": ["a", "b"]},
        {"hidden": 80},
        {"slots": "nine"},
        {"free_channels": 10**14},
    ],
)
def test_settings_that_cannot_be_used_are_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor], change: dict[str, Any]
) -> None:
    path = written(tmp_path / "r.safetensors", tensors, Rule().settings() | change)
    refused(path, "settings cannot be used")


def test_a_file_of_a_later_version_is_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    path = written(tmp_path / "r.safetensors", tensors, form=2)
    refused(path, "format 2, but this version reads format 1")


def test_a_text_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.safetensors"
    path.write_text("weights: see the other machine\n" * 9)
    refused(path, "not a readable safetensors file")
    with pytest.raises(ValueError, match="no rule"):
        load_rule(tmp_path)
