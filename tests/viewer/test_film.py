"""Films of a span of steps, also in the past, and the marks on the time bar."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pygame
import pytest
import torch
from PIL import Image
from pygame.event import Event

from swarm_nca.cli.view_command import view_command
from swarm_nca.perturbations import Restart
from swarm_nca.render import Rgb
from swarm_nca.viewer import film as film_module
from swarm_nca.viewer.app import App
from swarm_nca.viewer.film import Film
from swarm_nca.viewer.headless import frame
from swarm_nca.viewer.keyframes import Keyframe, Keyframes
from swarm_nca.viewer.saving import moving_bytes
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.session_config import SessionConfig
from swarm_nca.viewer.span import LATELY, Span


def press(app: App, key: str, mod: int = 0) -> None:
    app.handle(Event(pygame.KEYDOWN, key=ord(key), mod=mod, unicode=key))


def finish(app: App) -> None:
    while app.film is not None:
        app.tick(0.0)


def frames_of(path: Path | BytesIO) -> list[Rgb]:
    with Image.open(path) as film:
        pictures = []
        for number in range(film.n_frames):  # type: ignore[attr-defined]
            film.seek(number)
            pictures.append(np.asarray(film.convert("RGB")))
    return pictures


def filmed(film: Film) -> list[Rgb]:
    film.work()
    return frames_of(BytesIO(film.bytes()))


def play(app: App, steps: int) -> None:
    for _ in range(steps):
        app.session.advance()


def test_past_steps_are_filmed_as_they_were(app: App) -> None:
    app.session.edit(Restart())
    play(app, 40)
    one = filmed(Film(app, 10, 30, ".webp"))
    # A session that ended at the span's last step gives the same film.
    app.session.seek(30)
    app.session.edit(Restart())
    other = filmed(Film(app, 10, 29, ".webp"))
    assert len(one) == 21
    heights = one[0].shape[0] - 40  # without the progress bar below
    for a, b in zip(one[:-1], other, strict=True):
        assert (a[:heights] == b[:heights]).all()


def test_filming_does_not_change_the_session(app: App) -> None:
    play(app, 50)
    app.session.seek(45)
    before, said = app.session.world, list(app.session.said)
    app.span.begin(5)
    app.span.end(35)
    press(app, "O")
    finish(app)
    assert app.session.step == 45
    assert app.session.reached == 50
    assert torch.equal(app.session.world.state, before.state)
    assert list(app.session.said) == said
    assert len(frames_of(app.folder / "recording-1.webp")) == 31


def test_the_session_goes_on_while_a_film_is_made_with_visible_progress(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm_nca.viewer.app._SHARE", 0.0)  # one picture a tick
    play(app, 30)
    press(app, "O")
    assert app.film is not None
    seen, still = [], app.film
    app.playing = True
    while app.film is not None:
        seen.append(still.progress)
        frame(app)
        app.tick(1 / 60)
    assert seen == sorted(seen)
    assert len(set(seen)) > 20
    assert app.session.step > 30
    assert app.notice == "Saved recording-1.webp"


def test_keys_and_buttons_set_marks_and_a_film_overwrites_no_file(app: App) -> None:
    play(app, 20)
    app.seek(4)
    press(app, "(")
    app.seek(9)
    press(app, ")")
    assert app.span.bounds(app.session) == (4, 9)
    for key in ("(", ")", "O"):
        assert sum(key in widget.tip for widget in app.widgets) >= 1, key
    (app.folder / "recording-1.webp").write_bytes(b"existing")
    press(app, "O")
    finish(app)
    press(app, "o", pygame.KMOD_CTRL)
    finish(app)
    assert (app.folder / "recording-1.webp").read_bytes() == b"existing"
    assert len(frames_of(app.folder / "recording-2.webp")) == 6
    assert len(frames_of(app.folder / "recording-1.gif")) >= 2
    press(app, ")")  # at the marked step: clears the mark
    assert app.span.bounds(app.session) == (4, 20)
    app.seek(4)
    press(app, "(")
    assert not app.span.marked


def test_the_time_bar_shows_the_marked_span(app: App) -> None:
    play(app, 100)
    bar = app.timebar
    around = np.s_[bar.place.top : bar.place.bottom, bar.x(20) - 3 : bar.x(60) + 4]
    before = frame(app)[around]
    app.span.begin(20)
    app.span.end(60)
    assert (frame(app)[around] != before).any(axis=2).sum() > 60


def test_recording_films_from_the_first_press_to_the_second(app: App) -> None:
    play(app, 7)
    press(app, "o")
    assert app.recording
    play(app, 5)
    press(app, "o")
    assert not app.recording
    finish(app)
    assert len(frames_of(app.folder / "recording-1.webp")) == 6


@pytest.mark.parametrize(
    ("first", "last", "bounds"),
    [
        (None, None, (0, 50)),
        (10, None, (10, 50)),
        (None, 30, (0, 30)),
        (45, 300, (45, 50)),
        (80, 90, (50, 50)),
    ],
)
def test_a_span_lies_within_the_steps_reached(
    session: Session, first: int | None, last: int | None, bounds: tuple[int, int]
) -> None:
    for _ in range(50):
        session.advance()
    assert Span(first, last).bounds(session) == bounds


def test_without_marks_a_film_shows_the_latest_steps(session: Session) -> None:
    for _ in range(LATELY + 30):
        session.advance()
    assert Span().bounds(session) == (30, LATELY + 30)


def test_a_mark_beyond_the_other_clears_it() -> None:
    span = Span()
    span.begin(10)
    span.end(20)
    span.begin(30)
    assert (span.first, span.last) == (30, None)
    span.end(5)
    assert (span.first, span.last) == (None, 5)


def test_a_long_span_has_a_bounded_number_of_pictures_and_includes_its_end(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film_module, "MOST", 10)
    play(app, 45)
    film = Film(app, 2, 45, ".webp")
    pictures = filmed(film)
    assert len(pictures) <= 11
    assert film.progress == 1.0
    (last,) = filmed(Film(app, 45, 45, ".webp"))
    height = last.shape[0] - 40
    assert (pictures[-1][:height] == last[:height]).all()


def test_two_rules_are_filmed_side_by_side(app: App, rule_file: Path) -> None:
    app.stand_beside(str(rule_file))
    play(app, 6)
    picture = filmed(Film(app, 0, 6, ".webp"))[-1]
    # The same rule twice: both halves show the same cells.
    left, right = picture[40:348, 16:324], picture[40:348, 340:648]
    assert (left == right).all()
    assert (left != left[0, 0]).any()


def test_steps_before_the_canvas_was_cleared_can_be_filmed(app: App) -> None:
    play(app, 5)
    press(app, "c")
    press(app, "O")
    finish(app)
    assert len(frames_of(app.folder / "recording-1.webp")) == 6


def test_a_gif_keeps_its_colours(app: App) -> None:
    play(app, 12)
    shown, given = (filmed(Film(app, 0, 12, kind)) for kind in (".gif", ".webp"))
    assert len(shown) == 13
    for a, b in zip(shown, given, strict=True):
        assert np.abs(a.astype(int) - b).mean() < 1.5


def test_a_film_of_one_picture_is_written(tmp_path: Path) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    for kind in (".webp", ".gif"):
        (tmp_path / f"one{kind}").write_bytes(moving_bytes([picture], kind, [100]))
        assert len(frames_of(tmp_path / f"one{kind}")) == 1


@pytest.mark.parametrize("name", ["run.gif", "run.webp"])
def test_headless_films_two_rules_too(rule_file: Path, tmp_path: Path, name: str) -> None:
    other = tmp_path / "twin.safetensors"
    other.write_bytes(rule_file.read_bytes())
    out = tmp_path / name
    view_command(None, str(rule_file), beside=str(other), headless=True, steps=3, out=out)
    pictures = frames_of(out)
    assert pictures[0].shape == (720, 1280, 3)
    assert len(pictures) == 4


def test_copied_keyframes_are_independent(opening: SessionConfig) -> None:
    kept = Keyframes(Keyframe.of(opening.start, 0))
    for step in (16, 32):
        kept.keep(Keyframe.of(opening.start, step))
    copied = kept.copy()
    copied.branch(0)
    assert len(copied) == 1
    assert len(kept) == 3
