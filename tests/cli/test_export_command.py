"""The command `export`: where it writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from swarm_nca.cli import app
from swarm_nca.rules import make_rule, save_rule


def test_a_rule_becomes_a_page_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["export", "digits", "--to", "html"])
    assert done.exit_code == 0, done.output
    assert done.output == "digits.html\n"
    assert "<h1>digits</h1>" in (tmp_path / "digits.html").read_text(encoding="utf-8")


def test_life_takes_its_setting(tmp_path: Path) -> None:
    out = tmp_path / "board.html"
    done = CliRunner().invoke(app, ["export", "life", "--set", "rule=B36/S23", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert '"next":[0,0,0,1,0,0,1,0,0,0,0,1,1,0,0,0,0,0]' in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits", "--to", "htm"], "no kind of export 'htm' (did you mean 'html'?)"),
        (["dogits"], "no rule 'dogits'"),
        (["digits", "--set", "rule=B3/S23"], "--set changes a setting of life"),
        (["life", "--set", "rule"], "--set takes KEY=VALUE"),
        (["life", "--set", "rle=B3/S23"], "no setting 'rle'"),
        (["elementary", "--set", "number=30"], "of these only life can be exported without a file"),
        (["digits", "--to", "c", "--out", "q.h"], "name that one, q.c"),
        (["110.safetensors"], "kind 'elementary' cannot be exported"),
        (["digits", "--out", "nowhere/digits.html"], "the folder nowhere does not exist"),
    ],
)
def test_mistakes_take_one_line_and_leave_nothing(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_rule(make_rule(kind="elementary"), tmp_path / "110.safetensors")
    done = CliRunner().invoke(app, ["export", *arguments])
    assert done.exit_code == 2
    assert message in done.output
    assert done.output.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["110.safetensors"]
