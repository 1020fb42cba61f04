"""The front between answers and silence: read from one run, equal to counting cells one by one."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

import swarm_nca as sn
from swarm_nca.cli import silence_command as silence_module
from swarm_nca.cli.silence_command import silence_command
from swarm_nca.images import Pictures, strokes
from swarm_nca.rules import Rule, load_rule
from swarm_nca.stress import silence
from swarm_nca.stress.silence import LETTERS, THRESHOLDS, front, unknown_pictures


@pytest.fixture
def rule() -> Rule:
    return load_rule("digits").requires_grad_(False)


def counted(rule: Rule, pictures: Pictures, threshold: float) -> tuple[float, float, float]:
    """Shares of right answers, wrong answers and silence; cell by cell."""
    world = sn.World.from_images(list(pictures.grey), rule)
    state = sn.rollout(world, rule, steps=silence.STEPS, seed=0).state
    found = {"right": 0, "wrong": 0, "silent": 0}
    for number, label in enumerate(pictures.labels.tolist()):
        votes, cells = set(), 0
        shown = 0
        for row in torch.nonzero(world.world_of == number).view(-1).tolist():
            channels = state[row, -10:].tolist()
            cells += 1
            if max(channels) >= threshold:
                shown += 1
                votes.add(channels.index(max(channels)))
        if len(votes) != 1 or 2 * shown < cells:
            found["silent"] += 1
        else:
            found["right" if votes == {label} else "wrong"] += 1
    return tuple(count / len(pictures) for count in found.values())  # type: ignore[return-value]


def test_every_threshold_has_the_shares_of_a_count_cell_by_cell(
    rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "STEPS", 24)  # some swarms still disagree
    known, unknown = strokes(8, seed=3), strokes(5, seed=3, classes="letters")
    nobody = Pictures(unknown.grey, np.full(5, -1), unknown.classes)
    points = front("digits", rule, {"known": known}, {"unknown": unknown})
    assert len(points) == 2 * len(THRESHOLDS)
    for point in points:
        wanted = counted(rule, known if point.known else nobody, point.threshold)
        assert (point.right, point.wrong, point.abstains) == pytest.approx(wanted)
        assert point.own == (point.threshold == 0.0)
    shares = [point.abstains for point in points if point.known]
    assert len(set(shares)) > 2


def test_known_letters_are_all_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Pictures] = {}

    def measured(name: str, rule: Rule, known: dict[str, Pictures], *_: object) -> None:
        given.update(known)
        raise ValueError("seen")

    monkeypatch.setattr(silence_module, "check", measured)
    with pytest.raises(ValueError, match="seen"):
        silence_command(["digits"], known="letters", unknown="dots", limit=60)
    names = given["letters"]
    assert len({names.classes[label] for label in names.labels}) > len(LETTERS)


def test_letters_are_those_that_no_recipe_trains_on() -> None:
    assert len(unknown_pictures("letters+chimeras", 30)["letters"]) == 30
    parts = unknown_pictures("letters", 40, seed=1)["letters"]
    names = {parts.classes[label] for label in parts.labels}
    assert names <= set(LETTERS)
    assert len(names) > 5


def test_the_command_writes_a_table_and_a_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "STEPS", 5)
    quiet, out = Console(quiet=True), tmp_path / "new" / "out"
    rules = ["digits", "mnist"]
    points = silence_command(rules, unknown="letters+dots", limit=3, out=out, console=quiet)
    rows = list(csv.DictReader((out / "silence.csv").open()))
    assert [row["dataset"] for row in rows] == [point.dataset for point in points]
    assert {row["rule"] for row in rows} == set(rules)
    assert min(Image.open(out / "silence.png").size) > 400


@pytest.mark.parametrize(
    ("given", "cure"),
    [
        ({"rules": ["digits", "digits"]}, "two rules are called digits"),
        ({"known": "strokes", "unknown": "strokes"}, "give it to --known only"),
        ({"known": "letters", "unknown": "dots"}, "give it to --unknown only"),
        ({"known": "strokes", "unknown": "dots+doodles"}, "give it to --known only"),
        ({"unknown": "lettres"}, "letters"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_a_file_is_written(
    given: dict[str, object], cure: str, tmp_path: Path
) -> None:
    asked_for = {"rules": ["digits"], "limit": 2, "out": tmp_path / "out", **given}
    with pytest.raises(ValueError, match=cure):
        silence_command(**asked_for)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()
