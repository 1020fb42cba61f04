"""What notebooks show: a run, a rule, pictures, a swarm and a world."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import swarm_nca as sn
from swarm_nca.recording import Run

SCENARIO = """
name: shown
rule: digits
images: {dataset: strokes, label: 7}
steps: 6
perturbations:
  - {at: 3, kind: restart}
expect:
  - {metric: state_magnitude, at: 6, min: 0.0}
  - {metric: cell_accuracy, at: 1, min: 0.9999}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    file = tmp_path_factory.mktemp("notebook") / "shown.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    return sn.run(file)


def picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_run_shows_its_verdict_its_expectations_its_film_and_its_curves(run: Run) -> None:
    html = run._repr_html_()
    assert "<b>shown</b>: failed (digits, 6 steps, seed 0)" in html
    assert "state_magnitude ≥ 0<" in html
    assert ["missed" in row for row in re.findall("<tr>.*?</tr>", html)] == [False, False, True]
    film, curves = (
        picture(base64.b64decode(data)) for data in re.findall(r'base64,([^"]+)"', html)
    )
    assert film.format == "WEBP"
    assert film.n_frames > 3  # type: ignore[attr-defined]
    assert curves.format == "PNG"
    assert "<script" not in html


def test_a_run_saves_what_the_command_writes_and_leaves_other_files_alone(
    run: Run, tmp_path: Path
) -> None:
    run.save(tmp_path / "kept", states=True)
    names = {file.name for file in (tmp_path / "kept").iterdir()}
    assert {"report.html", "metrics.csv", "run.webp", "states.npz", "scenario.yaml"} <= names
    assert run.report.startswith("<!doctype html>")
    before = (tmp_path / "kept" / "metrics.csv").read_bytes()
    with pytest.raises(ValueError, match="holds files already; choose a new or empty folder"):
        run.save(tmp_path / "kept")
    assert (tmp_path / "kept" / "metrics.csv").read_bytes() == before


def test_rules_pictures_swarms_and_worlds_show_themselves() -> None:
    rule, pictures = sn.load_rule("digits"), sn.images.strokes(5, seed=1)
    assert "22,499" in rule._repr_html_()
    assert rule.hash()[:16] in rule._repr_html_()
    shown = np.asarray(picture(pictures._repr_png_()).convert("L"))
    assert shown.min() < 40
    assert shown.max() == 255
    world = sn.World.from_images(pictures.grey[:1], rule)
    swarm = sn.Swarm(world[0], rule)
    assert picture(swarm._repr_png_()).size == picture(world._repr_png_()).size
    assert picture(sn.images.Pictures(np.empty((0, 28, 28), np.float32))._repr_png_()).size


def test_a_run_tells_what_its_scenario_says_of_itself(tmp_path: Path) -> None:
    told = SCENARIO.replace("name: shown", "name: shown\ndescription: >-\n  One & two,\n  three.")
    (tmp_path / "shown.yaml").write_text(told, encoding="utf-8")
    run = sn.run(tmp_path / "shown.yaml")
    assert run.description == "One & two, three."
    assert "<p>One &amp; two, three.</p>" in run._repr_html_()
    assert '<p class="description">One &amp; two, three.</p>' in run.report
