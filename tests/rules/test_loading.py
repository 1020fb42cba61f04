"""Rules are found by shipped name, file or training folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from swarm_nca import shipped
from swarm_nca.rules import Mlp, called, find_rule, load_rule, save_rule, shipped_rules


@pytest.fixture
def shipped_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that ships the rules `digits` and `letters`."""
    rules = tmp_path / "assets" / "rules"
    rules.mkdir(parents=True)
    save_rule(Mlp(), rules / "digits.safetensors")
    shutil.copy(rules / "digits.safetensors", rules / "letters.safetensors")
    monkeypatch.setattr(shipped, "folder", lambda name: tmp_path / name)
    return rules


def test_shipped_rules_are_found_by_name(shipped_folder: Path) -> None:
    assert list(shipped_rules()) == ["digits", "letters"]
    assert find_rule("digits") == shipped_folder / "digits.safetensors"


def test_a_relative_path_starts_from_the_base_folder(shipped_folder: Path, tmp_path: Path) -> None:
    path = save_rule(Mlp(), tmp_path / "own.safetensors")
    assert find_rule("own.safetensors", base=tmp_path) == path
    assert find_rule(path, base=tmp_path / "elsewhere") == path
    assert load_rule("own.safetensors", tmp_path).hash() == load_rule(path).hash()


def test_a_training_folder_gives_the_rule_in_it(shipped_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    path = save_rule(Mlp(), tmp_path / "runs" / "rule.safetensors")
    assert find_rule(tmp_path / "runs") == find_rule("runs", base=tmp_path) == path
    path.unlink()
    with pytest.raises(ValueError, match=r"runs: this folder holds no rule\.safetensors"):
        find_rule(tmp_path / "runs")


@pytest.mark.parametrize("wrong", [5, None, Mlp(), b"digits"])
def test_other_types_of_names_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="by its name or its file, got"):
        load_rule(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["x" * 300, "a\x00b", "\ud800", "x/" * 3_000], ids=ascii)
def test_impossible_file_names_are_refused(shipped_folder: Path, wrong: str) -> None:
    with pytest.raises(ValueError, match="no rule '") as caught:
        load_rule(wrong)
    str(caught.value).encode()


def test_a_link_to_itself_is_refused(shipped_folder: Path, tmp_path: Path) -> None:
    loop = tmp_path / "loop.safetensors"
    loop.symlink_to(loop)
    with pytest.raises(ValueError, match="no rule"):
        load_rule(loop)


def test_a_similar_name_is_suggested(shipped_folder: Path) -> None:
    with pytest.raises(ValueError, match=r"no rule 'digit' \(did you mean 'digits'\?\)"):
        load_rule("digit")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("digits", "digits"),
        ("deep/own.safetensors", "own"),
        ("distill.json", "distill"),
        ("runs/lr-0.001", "lr-0.001"),
        ("runs/lr-0.001/rule.safetensors", "lr-0.001"),
    ],
)
def test_called_gives_a_short_name(given: str, name: str) -> None:
    assert called(given) == name


def test_without_a_similar_name_all_are_listed(shipped_folder: Path) -> None:
    with pytest.raises(ValueError, match="the shipped rules are digits, letters") as caught:
        load_rule("zebra")
    assert "did you mean" not in str(caught.value)


def test_every_shipped_rule_loads_frozen_and_fits_pictures() -> None:
    for name in shipped_rules():
        rule = load_rule(name)
        assert rule.slots == 9
        assert rule.stimulus_size == (0 if rule.habitat.sprout else 9)
        assert not any(weight.requires_grad for weight in rule.parameters())
