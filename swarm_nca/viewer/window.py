"""The app in a window of its own, as large as the screen comfortably holds."""

from __future__ import annotations

import os
import sys

import pygame

from swarm_nca.viewer.app import App
from swarm_nca.viewer.layout import layout_of

#: Frames per second at most, and the sizes of window to choose from.
FRAMES = 60
_SIZES = ((2560, 1440), (1920, 1080), (1600, 900), (1280, 720), (1120, 630), (960, 540))

#: What SDL falls back to where there is no display: nobody would see the window.
_INVISIBLE = ("offscreen", "dummy")


def show(app: App, frames: int | None = None) -> None:
    """Run the app until its window is closed.

    Args:
        frames: stop after so many.

    Raises:
        ValueError: no display to show a window on.
    """
    _check_pygame()
    try:
        pygame.display.init()
    except pygame.error as error:
        raise _no_display() from error
    try:
        asked = os.environ.get("SDL_VIDEODRIVER", "")
        if pygame.display.get_driver() in _INVISIBLE and asked not in _INVISIBLE:
            raise _no_display()
        size = _size()
        surface = pygame.display.set_mode(size, pygame.RESIZABLE)
        pygame.display.set_caption("Swarm")
        app.arrange(layout_of(surface.get_size()))
        _loop(app, frames)
    finally:
        pygame.display.quit()


def _loop(app: App, frames: int | None) -> None:
    clock, shown = pygame.time.Clock(), 0
    while app.running and (frames is None or shown < frames):
        for event in pygame.event.get():
            app.handle(event)
        # A long pause, such as a window being moved, is not caught up with.
        app.tick(min(clock.tick(FRAMES) / 1000, 0.1))
        surface = pygame.display.get_surface()
        if surface is None:
            return
        if surface.get_size() != app.layout.window.size:
            app.arrange(layout_of(surface.get_size()))
        app.draw(surface)
        pygame.display.flip()
        shown += 1


def _size() -> tuple[int, int]:
    """The largest that leaves some of the desktop free."""
    desktop = pygame.display.get_desktop_sizes()[0]
    for width, height in _SIZES:
        if width <= 0.9 * desktop[0] and height <= 0.88 * desktop[1]:
            return width, height
    return _SIZES[-1]


def _no_display() -> ValueError:
    return ValueError(
        "there is no display to show a window on; render to a file instead: "
        "swarm-nca view --headless --steps 400 --out run.webp"
    )


def _check_pygame() -> None:
    if not getattr(pygame, "IS_CE", False):
        print(
            "this is pygame, not pygame-ce, which the viewer is made for; both install the same "
            "folder: pip uninstall pygame pygame-ce, then pip install pygame-ce",
            file=sys.stderr,
        )
