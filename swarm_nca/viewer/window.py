"""The app in a window of its own, as large as the screen comfortably holds and as fine as it shows.

On a dense display a window has more pixels than the desktop counts. Everything is laid out in those
pixels, and so grows with the window; where the pointer is told in the desktop's, it is translated.
"""

from __future__ import annotations

import os

import pygame
from pygame.event import Event

from swarm_nca.viewer.app import App
from swarm_nca.viewer.layout import SMALLEST, layout_of

#: Frames per second at most, and the sizes of window to choose from.
FRAMES = 60
_SIZES = ((2560, 1440), (1920, 1080), (1600, 900), (1280, 720), (1120, 630), SMALLEST)

#: What SDL falls back to where there is no display: nobody would see the window.
_INVISIBLE = ("offscreen", "dummy")

#: Asks Windows for the display's own pixels instead of a coarser picture blown up.
_FINE = ("SDL_WINDOWS_DPI_AWARENESS", "permonitorv2")


def show(app: App, frames: int | None = None) -> None:
    """Run the app until its window is closed.

    Args:
        frames: stop after so many.

    Raises:
        ValueError: no display to show a window on, or pygame in the place of pygame-ce.
    """
    _check_pygame()
    os.environ.setdefault(*_FINE)
    try:
        pygame.display.init()
    except pygame.error as error:
        raise _no_display() from error
    try:
        asked = os.environ.get("SDL_VIDEODRIVER", "")
        if pygame.display.get_driver() in _INVISIBLE and asked not in _INVISIBLE:
            raise _no_display()
        window = pygame.Window("Swarm", _size(), resizable=True, allow_high_dpi=True)
        window.minimum_size = SMALLEST
        app.arrange(layout_of(window.get_surface().get_size()))
        _loop(app, window, frames)
        window.destroy()
    finally:
        pygame.display.quit()


def _loop(app: App, window: pygame.Window, frames: int | None) -> None:
    clock, shown = pygame.time.Clock(), 0
    while app.running and (frames is None or shown < frames):
        density = window.get_surface().get_width() / max(1, window.size[0])
        for event in pygame.event.get():
            app.handle(in_pixels(event, density))
        # A long pause, such as a window being moved, is not caught up with.
        app.tick(min(clock.tick(FRAMES) / 1000, 0.1))
        surface = window.get_surface()
        if surface.get_size() != app.layout.window.size:
            app.arrange(layout_of(surface.get_size()))
        app.draw(surface)
        window.flip()
        shown += 1


def in_pixels(event: Event, density: float) -> Event:
    """An event with its place, or the window's size, told in pixels.

    Args:
        density: pixels for each of the units that the desktop counts in.
    """
    if density == 1.0:
        return event
    told = dict(event.dict)
    if "pos" in told:
        told["pos"] = tuple(round(part * density) for part in told["pos"])
    if event.type == pygame.WINDOWRESIZED:
        told["x"], told["y"] = round(event.x * density), round(event.y * density)
    return Event(event.type, told)


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
        raise ValueError(
            "this is pygame, not pygame-ce, which the window is made with; both install the same "
            "folder: pip uninstall pygame pygame-ce, then pip install pygame-ce"
        )
