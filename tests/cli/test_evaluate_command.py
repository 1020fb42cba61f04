from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from rich.console import Console
from typer.testing import CliRunner

from swarm_nca.cli import app
from swarm_nca.cli.evaluate_command import as_json, evaluate_command
from swarm_nca.engine import rollout
from swarm_nca.links import Links
from swarm_nca.measure import CURVE
from swarm_nca.measure.eval_set import exam_pictures
from swarm_nca.measure.metrics import state_magnitude
from swarm_nca.measure.protocols import evaluate
from swarm_nca.rules import Mlp, load_rule, save_rule
from swarm_nca.world import World


@pytest.fixture(scope="module")
def digits_file(tmp_path_factory) -> str:
    """The file of an untrained rule of ten digits."""
    return str(save_rule(Mlp(), tmp_path_factory.mktemp("rules") / "untrained.safetensors"))


def test_the_json_has_the_documented_keys_and_rows(digits_file, tmp_path) -> None:
    file, console = tmp_path / "scores.json", Console(record=True, width=80)
    result = evaluate_command(
        digits_file,
        "strokes",
        limit=3,
        steps=12,
        protocol="mutation",
        seed=4,
        json_file=file,
        console=console,
    )
    document = json.loads(file.read_text())
    assert document == as_json(result, digits_file, "strokes")
    keys = {"rule", "dataset", "protocol", "pictures", "labelled", "seed", "curve"}
    assert keys | {"steps", "swaps", "every", "holes"} == set(document)
    assert [row["step"] for row in document["curve"]] == list(range(1, 25))
    assert all(list(row) == ["step", *CURVE] for row in document["curve"])
    assert (document["pictures"], document["seed"]) == (3, 4)
    printed = console.export_text()
    for shown in ("untrained.safetensors on 3 pictures of strokes", "swap +10", "swap +12"):
        assert shown in printed
    assert "…" not in printed


def test_unmeasured_values_are_null_in_json() -> None:
    labelled = exam_pictures("strokes", limit=2)
    unlabelled = type(labelled)(labelled.grey)
    document = as_json(evaluate(Mlp(), unlabelled, steps=1), "rule", "pictures")
    assert document["curve"][0]["cell_accuracy"] is None
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_groups_and_votes_are_printed_and_figures_are_written(digits_file, tmp_path) -> None:
    file, console = tmp_path / "scores.json", Console(record=True, width=100)
    figures = [tmp_path / "curves.png", tmp_path / "curves.pdf"]
    evaluate_command(
        digits_file,
        "strokes+letters",
        limit=4,
        steps=3,
        every=2,
        by=["holes"],
        votes=True,
        fill_holes=True,
        json_file=file,
        figures=figures,
        console=console,
    )
    document = json.loads(file.read_text())
    assert [figure.read_bytes()[1:4] for figure in figures] == [b"PNG", b"PDF"]
    assert list(document["groups"]) == ["dataset", "holes"]
    assert [row["group"] for row in document["groups"]["dataset"]] == ["strokes", "letters"]
    assert [row["group"] for row in document["groups"]["holes"]] == ["0"]
    letters = document["groups"]["dataset"][1]
    assert letters["cell_accuracy"] is None
    assert letters["vote_accuracy"] is None
    assert letters["total_agreement"] is not None
    assert len(document["confusion"]["pictures"]) == 10 + 26
    printed = console.export_text()
    for shown in (
        "by dataset",
        "by holes",
        "votes at the end",
        "no accuracy for letters",
    ):
        assert shown in printed
    known = document["labelled"]
    assert known == document["groups"]["dataset"][0]["pictures"]
    assert f"accuracy is measured on the other {known}" in " ".join(printed.split())
    assert "…" not in printed


def test_signals_are_printed_and_written_over_known_and_unknown_pictures(
    digits_file, tmp_path
) -> None:
    file, console = tmp_path / "scores.json", Console(record=True, width=80)
    evaluate_command(
        digits_file,
        "strokes+letters",
        limit=3,
        steps=3,
        trust=True,
        json_file=file,
        console=console,
    )
    trust = json.loads(file.read_text())["trust"]
    assert trust["wrong"] >= 0.5  # the letters
    assert [one["signal"] for one in trust["signals"]] != []
    assert trust["coverage"][-1] == 1.0
    assert trust["risk"][-1] == pytest.approx(trust["wrong"])
    printed = console.export_text()
    assert trust["signals"][0]["signal"] in printed
    assert "AUROC" in printed


@pytest.mark.parametrize(
    ("rule", "dataset", "reason"),
    [(None, "letters", "every picture is wrong or unknown"), ("digits", "strokes", "no picture")],
)
def test_signals_of_equal_pictures_have_no_auroc_and_the_reason(
    digits_file, rule, dataset, reason
) -> None:
    console, steps = Console(record=True, width=80), 2 if rule is None else 60
    evaluate_command(
        rule or digits_file, dataset, limit=2, steps=steps, trust=True, console=console
    )
    assert f"no AUROC: {reason}" in console.export_text()


def test_the_first_nonfinite_states_are_reported_and_not_averaged(tmp_path) -> None:
    rule = Mlp()
    with torch.no_grad():
        rule.output.fill_(1e30)
        rule.middle.abs_()
    name = str(save_rule(rule, tmp_path / "wild.safetensors"))
    file, console = tmp_path / "scores.json", Console(record=True, width=80)
    evaluate_command(name, "strokes", limit=2, steps=9, every=3, json_file=file, console=console)
    rows = json.loads(file.read_text(), parse_constant=lambda text: pytest.fail(text))["curve"]
    assert rows[0]["nonfinite"] == 0
    assert rows[-1]["nonfinite"] > 0
    assert rows[-1]["state_largest"] is None
    first = next(row for row in rows if row["nonfinite"])
    line = f"not finite: the states of {first['nonfinite']:,.0f} cells at step {first['step']}"
    printed = console.export_text()
    assert line in printed
    assert "∞" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dataset": "stroks"}, r"no data set 'stroks' \(did you mean 'strokes'\?\)"),
        ({"dataset": "strokes", "by": ["hole"]}, r"by 'hole' \(did you mean 'holes'\?\)"),
        ({"dataset": "chimeras", "votes": True}, "chimeras has no classes, so there is no table"),
        ({"dataset": "strokes", "figures": [Path("a.svg")]}, r"name a figure that ends in \.png"),
        ({"dataset": "strokes", "swaps": 3}, "3 swaps need the protocol mutation or restart"),
        ({"dataset": "strokes", "limit": 0}, "limit must be at least 1, got 0"),
        ({"dataset": "joined", "limit": 10**9}, "too many for memory"),
        ({"dataset": "strokes", "split": "train"}, "strokes has no split 'train': leave split out"),
        ({"dataset": "strokes", "protocol": "restrat"}, "did you mean 'restart'"),
        ({"dataset": "strokes", "steps": 0}, "steps must be at least 1"),
        (
            {"dataset": "strokes", "trust": True, "protocol": "mutation"},
            "--trust needs the protocol fresh",
        ),
        ({"dataset": "strokes", "trust": True, "every": 5}, "--trust needs every step"),
        ({"rule": "no-such-rule", "dataset": "strokes"}, "no rule 'no-such-rule'"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_printed_or_written(
    digits_file, tmp_path, arguments, message
) -> None:
    console, file = Console(record=True), tmp_path / "scores.json"
    arguments = {"rule": digits_file, **arguments}
    with pytest.raises(ValueError, match=message):
        evaluate_command(**arguments, json_file=file, console=console)
    assert console.export_text() == ""
    assert not file.exists()


def test_a_missing_folder_is_refused_before_the_evaluation(digits_file, tmp_path) -> None:
    with pytest.raises(ValueError, match="does not exist; make it first"):
        evaluate_command(digits_file, "strokes", json_file=tmp_path / "nowhere" / "scores.json")


def test_links_of_an_evaluation_are_those_of_its_worlds(tmp_path) -> None:
    file, links = tmp_path / "scores.json", Links(bits=1, range=1.0)
    console = Console(record=True, width=80)
    evaluate_command(
        "mnist", "strokes", limit=3, steps=6, links=links, json_file=file, console=console
    )
    document = json.loads(file.read_text())
    assert document["links"] == {"drop": 0.0, "bits": 1, "range": 1.0}
    assert "links {'drop': 0.0, 'bits': 1, 'range': 1.0}" in " ".join(console.export_text().split())
    rule, pictures = load_rule("mnist"), exam_pictures("strokes", limit=3)
    world = World.from_images(pictures.grey, rule, labels=pictures.labels, links=links)
    after = rollout(world, rule, 6, seed=0)
    (row,) = (row for row in document["curve"] if row["step"] == 6)
    assert row["state_magnitude"] == pytest.approx(state_magnitude(after, rule))
    plain = evaluate(rule, pictures, steps=6, seed=0)
    assert plain.curve[-1]["state_magnitude"] != row["state_magnitude"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{bit: 1}", r"--links.bit: unknown key 'bit' \(did you mean 'bits'\?\)"),
        ("{bits: 99}", "--links.bits: must be at most 16, got 99"),
        ("drop: 1.5", "--links.drop: must be at most 1, got 1.5"),
        ("bits", "--links: must be a mapping"),
        ("{drop: 0.3", "--links: .*'}' that closes the mapping"),
    ],
)
def test_wrong_links_are_told_with_their_setting(digits_file, text, message) -> None:
    arguments = ["evaluate", digits_file, "--dataset", "strokes", "--links", text]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert re.search(message, " ".join(done.output.split()))
