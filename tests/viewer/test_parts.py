"""Parts of the viewer: groups, views, history, samples, and output to window and file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from swarm_nca.cli import app as command_line
from swarm_nca.cli.view_command import view_command
from swarm_nca.images import Source
from swarm_nca.perturbations import Draw, Loss, Mutate
from swarm_nca.rules import Classes
from swarm_nca.viewer.app import App
from swarm_nca.viewer.groups import groups_of
from swarm_nca.viewer.headless import film, frame
from swarm_nca.viewer.history import MOST, History
from swarm_nca.viewer.inspector import question, row_of
from swarm_nca.viewer.overlays import VIEWS, Look
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.samples import picture, plain, sample
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.session_config import SessionConfig, from_rule
from swarm_nca.viewer.theme import DARK, LIGHT, name_colors
from swarm_nca.viewer.window import show
from swarm_nca.world import World


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_groups_are_connected_components_of_one_label(side: int, seed: int) -> None:
    import networkx as nx

    random = np.random.default_rng(seed)
    says = random.integers(0, 3, side * side)
    graph = nx.grid_2d_graph(side, side)
    neighbors = np.full((side * side, 4), side * side)
    for number in range(side * side):
        near = [row * side + column for row, column in graph[divmod(number, side)]]
        neighbors[number, : len(near)] = near
    same = nx.Graph()
    same.add_nodes_from(range(side * side))
    for number, row in enumerate(neighbors):
        heard = [n for n in row.tolist() if n < side * side and says[n] == says[number]]
        same.add_edges_from((number, n) for n in heard)
    group = groups_of(neighbors, says)
    pieces = {frozenset(np.flatnonzero(group == number).tolist()) for number in np.unique(group)}
    assert pieces == {frozenset(piece) for piece in nx.connected_components(same)}


def look_at(session: Session, **others: object) -> Look:
    return Look(session.alone, session.rule, session.fired_rows, LIGHT, **others)  # type: ignore[arg-type]


def test_the_class_view_shows_class_colours_and_faint_grey(
    session: Session,
) -> None:
    for _ in range(5):
        session.advance()
    look = look_at(session)
    rgb = VIEWS[0].draw(look)
    rows, columns = session.world.position.numpy().T
    best = session.world.logits.numpy().argmax(1)
    sure = session.world.logits.numpy().max(1) > session.rule.shown_above
    palette = np.array(session.rule.classes.colors)
    assert (rgb[rows, columns][sure] == palette[best[sure]]).all()
    assert (rgb[rows, columns][~sure] == 0).all()
    grey = session.world.picture().numpy()
    faint = (grey > 0.01) & (grey <= session.rule.alive_above)
    assert faint.any()
    assert (rgb[faint] < 255).all()
    assert (rgb[grey == 0] == 255).all()


def test_the_fired_view_marks_the_rows_that_fired(session: Session) -> None:
    session.advance()
    look = look_at(session)
    rgb = next(view for view in VIEWS if view.name == "Fired").draw(look)
    marked = (rgb == LIGHT.accent).all(axis=2)
    assert marked.sum() == len(session.fired) > 10
    rows, columns = session.world.position[session.fired].numpy().T
    assert marked[rows, columns].all()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_draws_a_world_without_cells(opening: SessionConfig, view, theme) -> None:  # type: ignore[no-untyped-def]
    empty = World.from_images(torch.zeros(1, 28, 28), opening.rule)
    rgb = view.draw(Look(empty, opening.rule, np.zeros(0, np.int64), theme))
    assert rgb.dtype == np.uint8
    assert rgb.ndim == 3


def test_an_answer_holds_state_stimulus_and_messages(session: Session) -> None:
    for _ in range(3):
        session.advance()
    look, world = look_at(session), session.world
    row = 17
    answer = question(look, row)
    assert (answer.state == world.state[row].numpy()).all()
    assert (answer.stimulus == world.stimulus[row].numpy()).all()
    site = int(world.site[row])
    assert row_of(look, site) == row
    for slot, (down, right) in enumerate((d, r) for d in (-1, 0, 1) for r in (-1, 0, 1)):
        other = row_of(look, site + 28 * down + right)
        assert bool(answer.heard[slot]) == (other is not None)
        heard = np.zeros_like(answer.state) if other is None else world.state[other].numpy()
        assert (answer.inbox[slot] == heard).all()


def test_history_stays_within_its_bounds_in_a_long_session() -> None:
    history = History()
    for step in range(20_000):
        if history.wants(step):
            history.note(step, np.full((1, len(History.NAMES)), float(step)))
    assert len(history) <= MOST
    steps = history.between(10_000, 12_000)[:, 0]
    assert steps[0] == 10_000
    assert len(set(np.diff(steps))) == 1
    history.branch(500)
    assert history.between(0, 1e9)[-1, 0] <= 500


def test_accuracy_and_undecided_are_nan_while_all_states_are_zero(session: Session) -> None:
    session.measure()
    start = dict(zip(History.NAMES, session.history.between(0, 0)[0, 1:], strict=True))
    assert np.isnan([start["accuracy"], start["undecided"]]).all()
    assert start["largest vote"] == start["magnitude"] == 0
    session.advance()
    session.measure()
    then = dict(zip(History.NAMES, session.history.between(1, 1)[0, 1:], strict=True))
    shown = look_at(session).decided
    assert then["largest vote"] == np.bincount(shown[shown >= 0]).max() / len(shown)
    assert not np.isnan(list(then.values())).any()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collects every line of text painted from now on."""
    lines: list[str] = []
    paint = Paint.text

    def text(self: Paint, text: str, *rest: object, **others: object) -> int:
        lines.append(text)
        return paint(self, text, *rest, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(Paint, "text", text)
    return lines


@pytest.mark.parametrize("rule", ["digits", "fashion-mnist"])
def test_cells_without_a_label_are_called_silent_for_all_classes(
    rule: str, written: list[str]
) -> None:
    frame(App(from_rule(rule)))
    assert "silent" in written
    assert not {"none", "undecided"}.intersection(written[: written.index("Over time")])
    assert "No cell shows a class yet" in written


def test_a_headless_film_shows_no_rate_of_steps(
    app: App, written: list[str], tmp_path: Path
) -> None:
    film(app, 3, tmp_path / "end.png")
    assert "step 3" in written
    assert not [line for line in written if "steps/s" in line]


def test_the_command_prints_the_path_of_the_film(
    rule_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ask = ["view", "--rule", str(rule_file), "--headless", "--steps", "1"]
    assert CliRunner().invoke(command_line, ask).stdout == "view.webp\n"
    assert (tmp_path / "view.webp").is_file()


def test_rotated_colours_stay_distinct_and_a_full_rotation_changes_none() -> None:
    classes = Classes.named(*"0123456789")
    for hue in (0.0, 0.3, 0.77):
        assert len(np.unique(name_colors(classes, hue, LIGHT.paper), axis=0)) == 10
    plain, whole, half = (name_colors(classes, hue, LIGHT.paper) for hue in (0.0, 1.0, 0.5))
    assert (whole.astype(int) - plain).max() <= 1
    assert (half != plain).any()


def test_samples_are_pictures_of_their_class_and_unknown_names_have_none() -> None:
    for name in ("0", "9", "Q", "dress", "ankle boot"):
        first, second = (picture(sample(name, which) or Source(glyph=0)) for which in (0, 1))
        assert first is not None
        assert second is not None
        assert (first != second).any()
    assert sample("unheard of", 0) is None


def test_plain_data_of_a_record_leaves_out_defaults() -> None:
    assert plain(Draw(points=((1.5, 2.0),))) == {"points": [[1.5, 2.0]]}
    assert plain(Loss(drop=0.25)) == {"drop": 0.25}
    mutate = Mutate(images=Source(row=(Source(glyph=1), Source(glyph=2)), join=True))
    assert plain(mutate) == {"images": {"row": [{"glyph": 1}, {"glyph": 2}], "join": True}}


def test_the_last_picture_of_a_film_equals_the_app_s_picture(app: App, tmp_path: Path) -> None:
    film(app, 6, tmp_path / "run.webp")
    with Image.open(tmp_path / "run.webp") as moving:
        assert moving.n_frames == 7  # type: ignore[attr-defined]
        moving.seek(6)
        assert (np.asarray(moving.convert("RGB")) == frame(app)).all()
    film(app, 2, tmp_path / "run.png")
    assert app.session.step == 8
    with pytest.raises(ValueError, match=r"\.webp or \.gif"):
        film(app, 2, tmp_path / "run.mp4")
    with pytest.raises(ValueError, match="no folder"):
        film(app, 2, tmp_path / "nowhere" / "run.webp")


def test_the_command_renders_a_scenario_to_a_file(rule_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "end.png"
    view_command(None, str(rule_file), headless=True, steps=3, out=out)
    with Image.open(out) as image:
        assert image.size == (1280, 720)
    for wrong, why in (({"steps": 3}, "--headless"), ({"out": out}, "--headless")):
        with pytest.raises(ValueError, match=why):
            view_command(None, str(rule_file), **wrong)  # type: ignore[arg-type]


def test_history_thins_out_for_any_steps_stored() -> None:
    values = np.full((1, len(History.NAMES)), 0.5)
    for stride in (1, 3, 4, 8, 64):
        history = History()
        for step in range(0, 3 * MOST * stride, stride):
            if history.wants(step):
                history.note(step, values)
        steps = history.between(0, 1e9)[:, 0]
        assert MOST / 4 < len(history) <= MOST
        assert (np.diff(steps) > 0).all()
        assert steps[-1] > 2.9 * MOST * stride


def test_repeated_values_replace_old_ones_and_past_values_are_sorted_in() -> None:
    history, worlds = History(2), np.arange(8.0).reshape(2, 4)
    for step in (4, 9, 2, 9, 6):
        history.note(step, worlds + 10 * step)
    history.note(4, worlds - 1)
    for world in range(2):
        rows = history.between(0, 99, world)
        assert rows[:, 0].tolist() == [2, 4, 6, 9]
        wanted = [worlds[world] + 20, worlds[world] - 1, worlds[world] + 60, worlds[world] + 90]
        assert rows[:, 1:].tolist() == np.array(wanted).tolist()
    history.branch(6)
    assert history.between(0, 99)[:, 0].tolist() == [2, 4]


def test_history_of_a_large_batch_uses_no_more_bytes_than_of_a_small_one() -> None:
    history = History(2_000)
    values = np.zeros((2_000, len(History.NAMES)))
    for step in range(1_000):
        if history.wants(step):
            history.note(step, values)
    assert 100 < len(history) < 300
    assert history.between(0, 1_000, 1_999)[-1, 0] > 990


def test_a_window_runs_and_closes(app: App) -> None:
    import pygame

    app.playing = True
    show(app, frames=5)
    assert app.running
    pygame.display.init()
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    show(app)
    assert not app.running
    pygame.display.init()


def test_without_a_display_the_command_fails_with_one_line(rule_file: Path) -> None:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "SDL_VIDEO_DRIVER")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    ask = [sys.executable, "-m", "swarm_nca", "view", "--rule", str(rule_file)]
    environment["XDG_RUNTIME_DIR"] = str(rule_file.parent)  # otherwise libraries print warnings
    if (
        sys.platform != "linux"
    ):  # other systems always have a display: request a driver that does not exist
        environment["SDL_VIDEODRIVER"] = "nothing"
    done = subprocess.run(ask, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert "no display" in done.stderr
    assert "--headless" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
