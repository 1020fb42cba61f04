"""The real window on a screen (Xvfb): mouse events go in, the screen's pixels come out.

Collected where Xvfb is installed; see `conftest`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import swarm_nca as sn
from swarm_nca.render import Rgb
from swarm_nca.viewer.app import App
from swarm_nca.viewer.layout import layout_of
from swarm_nca.viewer.theme import LIGHT

from .screen_server import Screen, screen

SIZE, LARGER = (1280, 720), (1580, 880)

Place = tuple[int, int]


@pytest.fixture
def user() -> Iterator[Screen]:
    with screen() as one:
        yield one


@pytest.fixture
def viewer(user: Screen, rule_file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`swarm-nca view` on that screen."""
    hidden = ("WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "SDL_VIDEO_DRIVER")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    environment |= {"DISPLAY": user.display, "SDL_VIDEODRIVER": "x11"}
    ask = [sys.executable, "-m", "swarm_nca", "view", "--rule", str(rule_file)]
    process = subprocess.Popen(ask, env=environment, cwd=rule_file.parent)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def at(place: Place, color: tuple[int, int, int]) -> Callable[[Rgb], bool]:
    """Whether a point of the screen has a colour."""
    return lambda shot: tuple(shot[place[1], place[0]].tolist()) == color


def button(app: App, tip: str) -> Place:
    found = [widget.place.center for widget in app.widgets if widget.tip.startswith(tip)]
    assert len(found) == 1, tip
    return found[0]


def pixel(app: App, row: float, column: float) -> Place:
    canvas, (rows, columns) = app.canvas, app.extent
    return (
        round(canvas.left + (column + 0.5) / columns * canvas.width),
        round(canvas.top + (row + 0.5) / rows * canvas.height),
    )


def until_there(path: Path) -> Path:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} was never saved"
        time.sleep(0.05)
    return path


def test_a_user_draws_erases_resizes_saves_and_closes_a_real_window(
    user: Screen, viewer: subprocess.Popen[bytes], app: App, rule_file: Path
) -> None:
    """`app` is not shown: it has the same layout and gives the places of the controls."""
    corner = (8, 8)
    user.wait(lambda shot: bool((shot == LIGHT.accent).all(axis=2).any()))
    window = user.window()
    assert window is not None
    user.resize(window, SIZE)
    app.arrange(layout_of(SIZE))
    user.wait(at(corner, LIGHT.panel))

    # Clear the digit, draw a line, erase half of it.
    digit = app.session.world.position[40].tolist()
    user.wait(lambda shot: not at(pixel(app, *digit), LIGHT.paper)(shot))
    user.click(button(app, "Clear the canvas"))
    user.wait(at(pixel(app, *digit), LIGHT.paper))
    user.drag(*(pixel(app, 20, column) for column in range(6, 23)))
    user.wait(lambda shot: not at(pixel(app, 20, 20), LIGHT.paper)(shot))
    user.click(pixel(app, 20, 20), 3)
    shot = user.wait(at(pixel(app, 20, 20), LIGHT.paper))
    assert not at(pixel(app, 20, 8), LIGHT.paper)(shot)

    # In a larger window the controls react at the places where they are drawn.
    user.resize(window, LARGER)
    app.arrange(layout_of(LARGER))
    user.wait(at((LARGER[0] - 4, LARGER[1] - 4), LIGHT.panel))
    user.wait(at(app.layout.stage.topleft, LIGHT.desk))
    user.click(button(app, "Play or pause"))
    user.click(button(app, "Save a screenshot"))
    with Image.open(until_there(rule_file.parent / "swarm-1.png")) as image:
        saved = np.asarray(image)
    canvas = app.canvas
    part = np.s_[canvas.top : canvas.bottom, canvas.left : canvas.right]
    assert saved.shape == (LARGER[1], LARGER[0], 3)
    user.wait(lambda shot: bool((shot[part] == saved[part]).all()))

    # The saved session holds all edits, and runs.
    user.click(button(app, "Save the session"))
    run = sn.run(until_there(rule_file.parent / "session-1.yaml"))
    kinds = run.events["kind"].tolist()
    assert kinds == ["erase", *["draw"] * (len(kinds) - 2), "erase"]
    assert len(kinds) > 3
    assert run.frames[-1].world.cells > 0

    user.shut(window)
    assert viewer.wait(timeout=120) == 0
