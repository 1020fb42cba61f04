from __future__ import annotations

import csv

import pytest
from typer.testing import CliRunner

from swarm_nca.cli import app
from swarm_nca.cli.ladder_command import bits_command
from swarm_nca.cli.study_command import numbers
from swarm_nca.rules import load_rule, save_rule


def test_the_command_writes_tables_and_a_figure_and_extends_them(tmp_path) -> None:
    command = ["study", "learning-life", "--widths", "1-2", "--seeds", "3", "--out", str(tmp_path)]
    first = CliRunner().invoke(app, [*command, "--steps", "1", "--examples", "16"])
    assert first.exit_code == 0, first.output
    assert "n = 1, m = 2: 0 of 3 learned (0.0 %)" in first.stdout
    second = CliRunner().invoke(app, [*command, "--steps", "2", "--examples", "24"])
    assert second.exit_code == 0, second.output
    with (tmp_path / "learning-life.csv").open() as file:
        rows = [
            (line["n"], line["m"], line["seeds"], line["limit"]) for line in csv.DictReader(file)
        ]
    assert rows == [
        ("1", "1", "3", "16"),
        ("1", "2", "3", "16"),
        ("2", "1", "3", "24"),
        ("2", "2", "3", "24"),
    ]
    assert (tmp_path / "learning-life.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--steps", "0"], "--steps takes numbers such as 1,2 or 1-8; got '0'"),
        (["--widths", "3-1"], "--widths takes numbers"),
        (["--widths", "1", "--flips", "2"], "add them to --steps and --widths"),
        (["--seeds", "0"], "--seeds"),
    ],
)
def test_bad_input_gives_one_line_and_exit_code_2(tmp_path, wrong: list[str], message: str) -> None:
    command = ["study", "learning-life", "--examples", "8", "--out", str(tmp_path / "out"), *wrong]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_numbers_reads_lists_and_ranges() -> None:
    assert numbers("--steps", "3,1-2, 2") == [1, 2, 3]


def test_two_rules_of_one_name_are_refused_before_a_rung_is_scored(tmp_path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save_rule(load_rule("digits"), tmp_path / folder / "same.safetensors")
    files = [str(tmp_path / folder / "same.safetensors") for folder in ("a", "b")]
    with pytest.raises(ValueError, match="two are called alike"):
        bits_command("digits", given=files, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
