"""Scenarios of rules without classes: Life, elementary automata, growing patterns."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import swarm_nca as sn
from swarm_nca.config import LocatedError
from swarm_nca.recording.folder import FILES
from swarm_nca.scenario import load, run
from swarm_nca.scenario.junit import junit_xml

LIFE = """\
name: board
rule: {kind: life, rule: B36/S23}
images: {soup: 0.4}
canvas: [12, 15]
topology: {torus: true}
steps: 6
perturbations:
  - {at: 3, kind: draw, points: [[6, 2], [6, 9]], radius: 0.6}
expect:
  - {metric: alive, at: 6, min: 0}
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "one.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def neighbours(cells: set[tuple[int, int]], rows: int, columns: int) -> Counter[tuple[int, int]]:
    around = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    return Counter(((r + i) % rows, (c + j) % columns) for r, c in cells for i, j in around)


@pytest.mark.parametrize("engine", ["batched", "agents"])
def test_a_board_of_life_equals_life_on_sets_of_cells(write: Write, engine: str) -> None:
    text = LIFE.replace("steps: 6", f"engine: {engine}\nsteps: 6")
    done = run(write(text))
    start = done.frames[0].world
    cells = {tuple(cell) for cell in np.argwhere(start.readout.image(start)).tolist()}
    counts = [len(cells)]
    for step in range(1, 7):
        if step == 4:  # drawn after step 3
            cells |= {(6, column) for column in range(2, 10)}
        near = neighbours(cells, 12, 15)
        cells = {cell for cell, n in near.items() if n == 3 or n == (2 if cell in cells else 6)}
        counts.append(len(cells))
    assert done.metrics["alive"].tolist() == counts
    assert 20 < counts[0] < 120


def test_a_run_writes_every_file_and_its_resolved_scenario_repeats_it(
    write: Write, tmp_path: Path
) -> None:
    done = run(write(LIFE.replace("steps: 6", "record: {states: true}\nsteps: 6")), tmp_path / "a")
    assert {one.name for one in (tmp_path / "a").iterdir()} == set(FILES)
    again = run(tmp_path / "a" / "scenario.yaml", tmp_path / "b")
    for name in ("metrics.csv", "pooled.csv", "events.csv", "scenario.yaml"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert list(again.metrics.columns) == ["step", "world", *done.measured]
    facts = json.loads((tmp_path / "a" / "provenance.json").read_text(encoding="utf-8"))
    assert facts["rule"] == {"kind": "life", "rule": "B36/S23"}
    page = (tmp_path / "a" / "report.html").read_text(encoding="utf-8")
    assert "cells alive" in page
    assert "rule life B36/S23" in page
    assert "accuracy" not in page
    assert b'name="alive at 6' in junit_xml([done])


def test_drawn_weights_depend_on_the_seed_only(write: Write) -> None:
    text = "rule: {kind: mlp, noise: 0.0}\nimages: {glyph: 3}\nsteps: 1\n"
    hashes = [load(write(text), seed=seed).rule.hash() for seed in (1, 1, 2)]
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: life,", "kind: lief,", "one.yaml:2:14: rule.kind: no rule family 'lief' (did you"),
        ("rule: B36", "rul: B36", "one.yaml:2:20: rule.rul: a rule of kind 'life' has no setting"),
        ("B36/S23", "B36S23", "one.yaml:2:26: rule.rule: a rule of Life gives the neighbour"),
        ("kind: life, ", "", "one.yaml:2:7: rule: missing key 'kind'"),
        ("metric: alive", "metric: undecided", "expect[0].metric: undecided is for rules with"),
        ("metric: alive", "metric: error", "expect[0].metric: error is for rules with the"),
        ("steps: 6", "start: random\nsteps: 6", "start: this rule does not start from random"),
        ("soup: 0.4", "glyph: 3, label: 3", "images: label is the right class, but this rule"),
        ("soup: 0.4", "soup: 1.5", "images.soup: must be at most 1"),
        ("canvas: [12, 15]\n", "", "images: soup needs a size"),
        ("soup: 0.4", "rle: 'o$'", "images: a pattern ends with !"),
        ("soup: 0.4", "sprout: true, index: 2", "images.index: index does not go with sprout"),
        ("steps: 6", "target: {drawn: flower}\nsteps: 6", "target: a target needs a rule with"),
    ],
)
def test_a_mistake_is_reported_with_its_place_and_cure(
    write: Write, old: str, new: str, message: str
) -> None:
    with pytest.raises(LocatedError) as error:
        load(write(LIFE.replace(old, new)))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("kind", "named", "fits"),
    [
        ("{kind: life}", "B3/S23", True),
        ("{kind: life}", "b3/s23:T40,40", True),
        ("{kind: life}", "23/3", True),
        ("{kind: life}", "B36/S23", False),
        ("{kind: elementary, number: 0}", "W0", True),
        ("{kind: elementary, number: 30}", "W110", False),
        ("digits", "B3/S23", False),
    ],
)
def test_a_pattern_for_another_rule_is_refused(
    write: Write, tmp_path: Path, kind: str, named: str, fits: bool
) -> None:
    pattern = f"x = 3, y = 1, rule = {named}\n3o!"
    (tmp_path / "row.rle").write_text(pattern, encoding="ascii")
    path = write(f"rule: {kind}\nimages: {{rle: row.rle}}\ncanvas: [9, 9]\nsteps: 2\n")
    if fits:
        assert int(load(path).start.state.sum()) == 3
    else:
        with pytest.raises(LocatedError, match="images: this pattern is for the rule"):
            load(path)


def test_the_setting_rule_is_not_read_as_a_path_on_the_command_line(
    tmp_path: Path,
) -> None:
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep" / "one.yaml"
    path.write_text(LIFE, encoding="utf-8")
    for change in ("rule.rule=B2/S", "rule={kind: life, rule: B2/S}"):
        assert load(path, overrides=[change]).rule.settings() == {"rule": "B2/S"}


def test_a_pattern_is_found_relative_to_its_file_and_written_relative_to_the_run_folder(
    write: Write, tmp_path: Path
) -> None:
    (tmp_path / "dot.rle").write_text("o!", encoding="ascii")
    path = write("rule: {kind: life}\nimages: {rle: dot.rle}\ncanvas: [9, 9]\nsteps: 1\n")
    run(path, tmp_path / "far" / "run")
    text = (tmp_path / "far" / "run" / "scenario.yaml").read_text(encoding="utf-8")
    assert "rle: ../../dot.rle" in text
    assert load(tmp_path / "far" / "run" / "scenario.yaml").start.cells == 81


def test_the_error_of_growing_cells_is_measured_against_the_target(
    write: Write, tmp_path: Path
) -> None:
    rule = sn.Mlp.growing(generator=torch.Generator().manual_seed(3)).requires_grad_(False)
    sn.save_rule(rule, tmp_path / "grow.safetensors")
    rgba = np.zeros((6, 6, 4), np.uint8)
    rgba[1:5, 2:4] = (255, 0, 0, 128)
    Image.fromarray(rgba).save(tmp_path / "bar.png")
    path = write(
        "rule: grow.safetensors\nimages: {sprout: true}\ncanvas: [11, 13]\nsteps: 2\n"
        "target: {file: bar.png, size: 6}\nexpect: [{metric: error, at: 2, max: 1.0}]\n"
    )
    done = run(path, tmp_path / "run")
    target = np.zeros((11, 13, 4))
    target[2:8, 3:9][1:5, 2:4] = (128 / 255, 0, 0, 128 / 255)
    state = np.zeros_like(target)
    state[5, 6, 3] = 1.0  # an untrained rule changes nothing
    expected = ((state - target) ** 2).mean()
    assert done.metrics["error"].tolist() == pytest.approx([expected] * 3, rel=1e-5)
    assert "target: {file: ../bar.png, size: 6}" in done.scenario
    assert {one.name for one in (tmp_path / "run").iterdir()} == set(FILES) - {"states.npz"}


def test_a_board_of_life_from_python() -> None:
    life = sn.make_rule(kind="life", rule="B3/S23")
    masks = np.zeros((1, 8, 8))
    masks[0, 3, 2:5] = 1
    board = sn.World.from_images(masks, life, grid=sn.Grid(torus=True))
    board = sn.rollout(board, life, steps=101)
    image = life.readout.image(board, 0)
    assert image.dtype == bool
    assert np.argwhere(image).tolist() == [[2, 3], [3, 3], [4, 3]]


def test_a_soup_in_a_perturbation_gets_the_size_of_the_canvas(write: Write) -> None:
    text = LIFE.replace("- {at: 3", "- {at: 1, kind: mutate, images: {soup: 0.5}}\n  - {at: 3")
    done = run(write(text))
    assert done.frames[-1].world.picture(0).shape == (12, 15)
