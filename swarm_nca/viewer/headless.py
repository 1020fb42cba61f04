"""Renders a session to a file, step by step, without a window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pygame

from swarm_nca.atomic import write_atomically
from swarm_nca.render import Rgb
from swarm_nca.viewer.app import App
from swarm_nca.viewer.paint import pixels_of
from swarm_nca.viewer.saving import MOVING, moving_bytes, picture_bytes

#: Maximum number of pictures in a film; longer sessions show every second step, every third, …
MOST = 200


def check_out(out: Path) -> None:
    """Check that a film or a picture can be written to `out`.

    Raises:
        ValueError: another ending than .webp, .gif or .png, or a folder that does not exist.
    """
    if out.suffix.lower() not in (*MOVING, ".png"):
        raise ValueError(
            f"{out}: use .webp or .gif for a film, .png for a picture of the last step"
        )
    if not out.absolute().parent.is_dir():
        raise ValueError(f"{out}: there is no folder {out.parent}: create it first")


def film(
    app: App, steps: int, out: Path, progress: Callable[[int, int], None] | None = None
) -> None:
    """Play a number of steps and write the window's pictures to a file.

    Raises:
        ValueError: another ending than .webp, .gif or .png, or a folder that does not exist.
    """
    check_out(out)
    moving = out.suffix.lower() in MOVING
    stride = -(-(steps + 1) // MOST)
    frames: list[Rgb] = []
    app.playing = True
    for step in range(steps + 1):
        if step:
            app.session.advance()
            app.settle(1 / 30)
        if step == steps or (moving and step % stride == 0):
            frames.append(frame(app))
        if progress is not None:
            progress(step, steps)
    made = moving_bytes(frames, out.suffix.lower()) if moving else picture_bytes(frames[-1])
    write_atomically(out, made)


def frame(app: App) -> Rgb:
    """The window's present picture, uint8 [H, W, 3]."""
    surface = pygame.Surface(app.layout.window.size)
    app.draw(surface)
    return pixels_of(surface)
