"""A rule is found by the name it ships under, or by its file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from swarm_nca import shipped
from swarm_nca.rules import Mlp, called, find_rule, load_rule, save_rule, shipped_rules


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that ships the rules `digits` and `letters`."""
    rules = tmp_path / "assets" / "rules"
    rules.mkdir(parents=True)
    save_rule(Mlp(), rules / "digits.safetensors")
    shutil.copy(rules / "digits.safetensors", rules / "letters.safetensors")
    monkeypatch.setattr(shipped, "folder", lambda name: tmp_path / name)
    return rules


def test_shipped_rules_are_found_by_name(shelf: Path) -> None:
    assert list(shipped_rules()) == ["digits", "letters"]
    assert find_rule("digits") == shelf / "digits.safetensors"


def test_a_path_starts_from_the_given_folder(shelf: Path, tmp_path: Path) -> None:
    path = save_rule(Mlp(), tmp_path / "own.safetensors")
    assert find_rule("own.safetensors", base=tmp_path) == path
    assert find_rule(path, base=tmp_path / "elsewhere") == path
    assert load_rule("own.safetensors", tmp_path).hash() == load_rule(path).hash()


def test_a_trainings_folder_stands_for_the_rule_in_it(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    path = save_rule(Mlp(), tmp_path / "runs" / "rule.safetensors")
    assert find_rule(tmp_path / "runs") == find_rule("runs", base=tmp_path) == path
    path.unlink()
    with pytest.raises(ValueError, match=r"runs: this folder holds no rule\.safetensors"):
        find_rule(tmp_path / "runs")


@pytest.mark.parametrize("wrong", [5, None, Mlp(), b"digits"])
def test_what_is_no_name_is_refused_with_what_is_expected(wrong: object) -> None:
    with pytest.raises(ValueError, match="by its name or its file, got"):
        load_rule(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["x" * 300, "a\x00b", "\ud800", "x/" * 3_000], ids=ascii)
def test_a_name_that_no_file_can_have_is_no_rule(shelf: Path, wrong: str) -> None:
    with pytest.raises(ValueError, match="no rule '") as caught:
        load_rule(wrong)
    str(caught.value).encode()


def test_a_link_to_itself_is_no_rule(shelf: Path, tmp_path: Path) -> None:
    loop = tmp_path / "loop.safetensors"
    loop.symlink_to(loop)
    with pytest.raises(ValueError, match="no rule"):
        load_rule(loop)


def test_a_near_name_is_offered(shelf: Path) -> None:
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
def test_a_rule_is_called_as_people_would(given: str, name: str) -> None:
    assert called(given) == name


def test_without_a_near_name_all_are_listed(shelf: Path) -> None:
    with pytest.raises(ValueError, match="those that ship are digits, letters") as caught:
        load_rule("zebra")
    assert "did you mean" not in str(caught.value)


def test_every_rule_that_ships_loads_frozen_and_fits_pictures() -> None:
    for name in shipped_rules():
        rule = load_rule(name)
        assert (rule.slots, rule.stimulus_size) == (9, 9)
        assert not any(weight.requires_grad for weight in rule.parameters())
