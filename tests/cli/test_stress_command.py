"""`swarm-nca stress` from end to end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from swarm_nca.cli import app
from swarm_nca.cli import stress_command as stress_module
from swarm_nca.cli.stress_command import stress_command
from swarm_nca.rules import Rule, save_rule
from swarm_nca.stress import families, suite
from swarm_nca.stress.families import FAMILIES
from swarm_nca.training.lock import locked


@pytest.fixture(scope="module")
def rule_file(busy_rule: Callable[..., Rule], tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(
        save_rule(busy_rule(hidden=(8, 8)), tmp_path_factory.mktemp("r") / "small.safetensors")
    )


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "STEPS", 3)
    monkeypatch.setattr(suite, "UNDER_FAULT", (2, 4))
    monkeypatch.setattr(suite, "RECOVERY", 2)


def test_a_suite_writes_its_files_and_a_second_call_adds_to_them(
    rule_file: str, tmp_path: Path
) -> None:
    console = Console(record=True, width=90)
    asked = {"data": "strokes", "count": 2, "out": tmp_path / "out", "console": console}
    stress_command(rule_file, only="clean, joined", **asked)
    stress_command(rule_file, only="noise", **asked)
    found = {file.name for file in (tmp_path / "out").iterdir()}
    assert found == {
        "plan.json", "stress.csv", "pictures.csv", "table.md", "report.html", "figures",
    }  # fmt: skip
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert ">joined<" in page
    assert ">noise<" in page
    text = console.export_text()
    for words in ("healed", "2 pictures a setting; faults", "report.html"):
        assert words in text
    assert "…" not in text


def test_a_suite_names_the_families_that_it_leaves_out(
    rule_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: FAMILIES[name] for name in ("clean", "immigrants")}
    for module in (families, stress_module):
        monkeypatch.setattr(module, "FAMILIES", few)
    console = Console(record=True, width=90)
    asked = {"data": "strokes", "count": 2, "console": console}
    stress_command(rule_file, out=tmp_path / "without", **asked)
    assert "immigrants: left out; name a rule with --immigrants" in console.export_text()
    suite = stress_command(rule_file, out=tmp_path / "with", immigrants=rule_file, **asked)
    assert "left out" not in console.export_text()
    assert {row.after for row in suite.store.rows if row.family == "immigrants"} == {False, True}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "rotaton"], "no family 'rotaton' (did you mean 'rotation'?)"),
        (["--only", ","], "--only takes names of families"),
        (["--data", "mnits"], "no data set 'mnits'"),
        (["--pictures", "nowhere"], "nowhere"),
        (["--only", "immigrants"], "name a rule with --immigrants"),
        (["--immigrants", "growing-grow"], "choose a rule with those of the world"),
    ],
)
def test_mistakes_take_one_line_and_leave_nothing_behind(
    rule_file: str, tmp_path: Path, arguments: list[str], message: str
) -> None:
    out = tmp_path / "out"
    given = ["stress", rule_file, "--data", "strokes", "--out", str(out), "--count", "2"]
    result = CliRunner().invoke(app, [*given, *arguments])
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not out.exists()


def test_two_suites_in_one_folder_at_once_are_refused(rule_file: str, tmp_path: Path) -> None:
    asked = {"data": "strokes", "count": 2, "out": tmp_path, "only": "clean"}
    refused = pytest.raises(ValueError, match="is measuring in this folder")
    with locked(tmp_path / ".lock", "measuring"), refused:
        stress_command(rule_file, console=Console(record=True), **asked)
    stress_command(rule_file, console=Console(record=True), **asked)
