from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from swarm_nca.images.strokes import strokes
from swarm_nca.measure import CURVE
from swarm_nca.measure.evaluate_command import as_json, evaluate_command, exam_pictures
from swarm_nca.measure.protocols import evaluate
from swarm_nca.rules import Rule, save_rule


@pytest.fixture(scope="module")
def digits_file(tmp_path_factory) -> str:
    """A rule of ten digits, untrained, as a file."""
    return str(save_rule(Rule(), tmp_path_factory.mktemp("rules") / "untrained.safetensors"))


def test_the_json_has_the_keys_and_rows_that_were_promised(digits_file, tmp_path) -> None:
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
    assert list(document) == ["rule", "dataset", "protocol", "pictures", "seed", "curve"]
    assert [row["step"] for row in document["curve"]] == list(range(1, 25))
    assert all(list(row) == ["step", *CURVE] for row in document["curve"])
    assert (document["pictures"], document["seed"]) == (3, 4)
    printed = console.export_text()
    for shown in ("untrained.safetensors on 3 pictures of strokes", "swap +10", "swap +12"):
        assert shown in printed
    assert "…" not in printed


def test_what_was_not_measured_is_null_in_json(rule) -> None:
    nothing_known = exam_pictures("strokes", limit=2)
    nothing_known = type(nothing_known)(nothing_known.grey)
    document = as_json(evaluate(rule, nothing_known, steps=1), "rule", "pictures")
    assert document["curve"][0]["cell_accuracy"] is None
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_exams_are_drawn_from_other_seeds_than_recipes_take() -> None:
    exam, training = exam_pictures("strokes", limit=5, seed=0), strokes(5, 0)
    assert not np.array_equal(exam.grey, training.grey)
    assert np.array_equal(exam.grey, exam_pictures("strokes", limit=9, seed=0).grey[:5])
    assert not np.array_equal(exam.grey, exam_pictures("strokes", limit=5, seed=1).grey)


def test_letters_and_folders_can_be_examined_too(tmp_path) -> None:
    assert exam_pictures("letters", limit=2).classes[0] == "A"
    for name in ("hat", "shoe"):
        (tmp_path / name).mkdir()
        Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(tmp_path / name / "one.png")
    assert exam_pictures(str(tmp_path)).classes == ("hat", "shoe")
    assert len(exam_pictures(str(tmp_path), limit=1)) == 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"dataset": "stroks"}, r"no data set 'stroks' \(did you mean 'strokes'\?\)"),
        ({"dataset": "letters"}, "the rule decides between 10"),
        ({"dataset": "strokes", "limit": 0}, "limit must be at least 1, got 0"),
        ({"dataset": "strokes", "split": "train"}, "strokes has no split 'train': leave it out"),
        ({"dataset": "strokes", "protocol": "restrat"}, "did you mean 'restart'"),
        ({"dataset": "strokes", "steps": 0}, "steps must be at least 1"),
        ({"rule": "no-such-rule", "dataset": "strokes"}, "no rule 'no-such-rule'"),
    ],
)
def test_bad_requests_are_refused_with_nothing_printed_or_written(
    digits_file, tmp_path, asked, message
) -> None:
    console, file = Console(record=True), tmp_path / "scores.json"
    with pytest.raises(ValueError, match=message):
        evaluate_command(asked.pop("rule", digits_file), **asked, json_file=file, console=console)
    assert console.export_text() == ""
    assert not file.exists()


def test_a_missing_folder_is_told_before_the_work(digits_file, tmp_path) -> None:
    with pytest.raises(ValueError, match="does not exist; make it first"):
        evaluate_command(digits_file, "strokes", json_file=tmp_path / "nowhere" / "scores.json")
