"""What keys and buttons do that is more than a line: settings nudged, files saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pygame

from swarm_nca.atomic import write_atomically
from swarm_nca.perturbations import Loss, Noise
from swarm_nca.portrait import Rgb, enlarged
from swarm_nca.viewer import saving
from swarm_nca.viewer.overlays import VIEWS
from swarm_nca.viewer.theme import DARK, LIGHT

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App

#: A recording is of the canvas, at most so many pictures, one of two frames, this wide or so.
_LONGEST, _WIDE = 450, 560

#: How far one press of a key goes, and the bounds.
_NUDGES = {
    "brush": (0.2, 0.6, 4.0),
    "jolt": (0.1, 0.1, 2.0),
    "loss": (0.05, 0.0, 1.0),
    "hue": (0.05, 0.0, 1.0),
}


def nudge(name: str, direction: int) -> Callable[[App], None]:
    """What makes a setting a little larger or smaller."""

    def change(app: App) -> None:
        by, low, high = _NUDGES[name]
        now = app.session.world.links.drop if name == "loss" else getattr(app, name)
        value = round(now + direction * by, 4)
        if name == "hue":
            app.hue = value % 1.0
        elif name == "loss":
            lose(app, min(max(value, low), high))
        else:
            setattr(app, name, min(max(value, low), high))

    return change


def lose(app: App, drop: float) -> None:
    """From now on this share of all messages is lost."""
    drop = round(drop, 2)
    if drop != app.session.world.links.drop:
        app.edit(Loss(drop=drop))


def jolt(app: App) -> None:
    """Noise on what all cells hold, once."""
    app.edit(Noise(strength=app.jolt))


def nudge_speed(direction: int) -> Callable[[App], None]:
    """What makes time run faster or slower."""

    def change(app: App) -> None:
        app.speed = min(max(app.speed + direction, 0), len(app.SPEEDS) - 1)

    return change


def next_view(direction: int) -> Callable[[App], None]:
    """What shows the next view, or the one before."""

    def change(app: App) -> None:
        app.view = VIEWS[(VIEWS.index(app.view) + direction) % len(VIEWS)]

    return change


def next_channel(direction: int) -> Callable[[App], None]:
    """What shows the next channel, or the one before."""

    def change(app: App) -> None:
        app.channel = (app.channel + direction) % app.session.rule.channels
        app.view = next(view for view in VIEWS if view.name == "Channel")

    return change


def next_theme(app: App) -> None:
    """Light becomes dark, dark light."""
    app.theme = DARK if app.theme is LIGHT else LIGHT


def next_side(app: App) -> None:
    """A canvas of the next size."""
    sides = app.SIDES
    now = sides.index(app.extent[0]) if app.extent[0] in sides else -1
    app.resize_canvas(sides[(now + 1) % len(sides)])


def next_world(app: App) -> None:
    """Another world of the batch."""
    if len(app.session.world) > 1:
        app.session.show(app.session.shown + 1)
        app.witness = None
        app.say(f"World {app.session.shown + 1} of {len(app.session.world)}")


def save_screenshot(app: App) -> None:
    """The window as a PNG file."""
    surface = pygame.Surface(app.layout.window.size)
    app.draw(surface)
    _write(app, "swarm", ".png", lambda path: saving.picture_bytes(pixels_of(surface)))


def save_scenario(app: App) -> None:
    """The session as a scenario."""

    def text(path: Path) -> bytes:
        return saving.scenario_text(app.session, path.parent).encode()

    _write(app, "session", ".yaml", text)


def save_states(app: App) -> None:
    """The present states as a NumPy archive."""
    _write(app, "states", ".npz", lambda path: saving.states_bytes(app.session))


def toggle_recording(app: App) -> None:
    """Begin to record the canvas, or write what was recorded."""
    if app.recording is None:
        app.recording = []
        app.say("Recording the canvas; press again to stop and save")
        return
    frames, app.recording = app.recording[::2] or app.recording, None
    if not frames:
        app.say("Nothing was recorded")
        return
    scale = max(1, _WIDE // frames[0].shape[1])
    # One size for all, whatever views were shown.
    whole = [enlarged(frame, scale) for frame in frames if frame.shape == frames[0].shape]
    _write(app, "recording", ".webp", lambda path: saving.moving_bytes(whole, ".webp"))


def record(app: App) -> None:
    """Keep the canvas as it is now; a recording that grows too long is saved."""
    if app.recording is None:
        return
    app.recording.append(app.view.draw(app.look))
    if len(app.recording) >= 2 * _LONGEST:
        toggle_recording(app)


def pixels_of(surface: pygame.Surface) -> Rgb:
    """A surface as uint8 [H, W, 3]."""
    return np.ascontiguousarray(pygame.surfarray.array3d(surface).swapaxes(0, 1))


def _write(app: App, stem: str, ending: str, made: Callable[[Path], bytes]) -> None:
    path = saving.free_name(app.folder, stem, ending)
    try:
        write_atomically(path, made(path))
    except (ValueError, OSError) as error:
        app.say(f"Not saved: {error}")
    else:
        app.say(f"Saved {path.name}")
