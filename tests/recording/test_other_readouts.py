"""Pictures of rules without classes: boards, colours, and rows drawn over time."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import swarm_nca as sn
from swarm_nca.recording import Run, spacetime
from swarm_nca.recording.animation import animation_webp
from swarm_nca.recording.pictures import pictures_of
from swarm_nca.recording.spacetime import Diagram, fitted
from swarm_nca.render import portrait
from swarm_nca.scenario import run

DARK = sn.Bit().colors[0]


def row_of(number: int, steps: int, tmp_path: Path, more: str = "") -> Run:
    path = tmp_path / "row.yaml"
    path.write_text(
        f"rule: {{kind: elementary, number: {number}}}\nimages: {{sprout: true}}\n"
        f"canvas: [1, 31]\nsteps: {steps}\n{more}",
        encoding="utf-8",
    )
    return run(path)


def integers(number: int, width: int, steps: int) -> list[list[bool]]:
    """Rows of an elementary automaton from a single cell, by integer arithmetic."""
    row, rows = 1 << width // 2, []
    for _ in range(steps + 1):
        rows.append([bool(row >> (width - 1 - place) & 1) for place in range(width)])
        padded = row << 1
        row = sum((number >> (padded >> place & 7) & 1) << place for place in range(width))
    return rows


@pytest.mark.parametrize("number", [30, 110, 184])
def test_a_diagram_has_a_row_of_pixels_for_each_step(number: int, tmp_path: Path) -> None:
    done = row_of(number, 14, tmp_path)
    diagram = Diagram(done)
    assert diagram.steps.tolist() == list(range(15))
    dark = (diagram.rgb() == DARK).all(axis=2)
    assert dark.tolist() == integers(number, 31, 14)
    half = diagram.rgb(until=6)
    assert np.array_equal(half[:7], diagram.rgb()[:7])
    assert (half[7:] == 255).all()


def test_a_long_run_is_thinned_to_a_diagram_of_bounded_height(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spacetime, "MOST", 60)
    done = row_of(110, 300, tmp_path, "record: {every: 100, picture: false}\n")
    diagram = Diagram(done)
    assert len(diagram.steps) == 60 == len(diagram.rgb())
    assert diagram.steps[[0, -1]].tolist() == [0, 300]


def test_a_diagram_shows_the_row_before_a_perturbation(tmp_path: Path) -> None:
    draw = "perturbations: [{at: 5, kind: draw, points: [[0, 3]], radius: 0.6}]\n"
    with_, without = (
        row_of(204, 8, tmp_path, more) for more in (draw, "")
    )  # rule 204 changes no cell
    one, other = ((Diagram(done).rgb() == DARK).all(axis=2) for done in (with_, without))
    assert np.array_equal(one[:6], other[:6])
    assert one[6:, 3].all()
    assert not other[:, 3].any()


def test_every_picture_of_a_row_shows_its_diagram_and_the_animation_extends_it(
    tmp_path: Path,
) -> None:
    done = row_of(30, 20, tmp_path)
    for name, data in pictures_of(done).items():
        assert Image.open(io.BytesIO(data)).size[0] > 300, name
    film = Image.open(io.BytesIO(animation_webp(done)))
    dark = []
    for number in (0, film.n_frames // 2, film.n_frames - 1):
        film.seek(number)
        pixels = np.asarray(film.convert("RGB"))[40:-70]
        dark.append(int((pixels == DARK).all(axis=2).sum()))
    assert 0 < dark[0] < dark[1] < dark[2]


def test_the_portrait_of_a_board_shows_only_its_cells() -> None:
    life, boards = sn.make_rule(kind="life"), np.zeros((1, 6, 9))
    boards[0, 2, 3] = 1
    rgb = portrait(sn.World.from_images(boards, life), scale=2)
    assert rgb.shape == (12, 18, 3)
    assert np.argwhere((rgb == DARK).all(axis=2)).tolist() == [[4, 6], [4, 7], [5, 6], [5, 7]]


def test_rgba_is_blended_with_white_and_bits_contrast_with_it() -> None:
    rgba = sn.Rgba()
    state = np.array([[0.5, 0.0, 0.0, 0.5], [0.0, 0.0, 0.0, 0.0]], np.float32)
    assert rgba.rgb(state, 0.0).tolist() == [[255, 128, 128], [255, 255, 255]]
    assert rgba.rgb(state, 0.0, (0, 0, 0)).tolist() == [[128, 0, 0], [0, 0, 0]]
    bits = sn.Bit().rgb(np.array([[1.0], [0.0]]), 0.0, (20, 20, 20))
    assert bits[1].tolist() == [20, 20, 20]
    assert bits[0].min() > 200


def test_pictures_are_enlarged_by_integers_or_shrunk() -> None:
    rgb = np.zeros((10, 20, 3), np.uint8)
    assert fitted(rgb, 70, 900).shape == (30, 60, 3)
    assert fitted(rgb, 10, 900).shape == (5, 10, 3)
