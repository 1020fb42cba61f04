"""The app in a window, sized for the screen, at the display's full resolution.

On a dense display a window has more pixels than desktop units. The layout is in pixels; places of
the pointer come in desktop units and are converted.
"""

from __future__ import annotations

import os

import pygame
from pygame.event import Event

from swarm_nca.viewer.app import App
from swarm_nca.viewer.icons import emblem
from swarm_nca.viewer.layout import SMALLEST, layout_of

#: Maximum frames per second, and the possible sizes of the window.
FRAMES = 60
_SIZES = ((2560, 1440), (1920, 1080), (1600, 900), (1280, 720), (1120, 630), SMALLEST)

#: SDL's fallback drivers without a display: the window would be invisible.
_INVISIBLE = ("offscreen", "dummy")

#: Makes Windows use the display's own pixels instead of scaling a coarser picture.
_FINE = ("SDL_WINDOWS_DPI_AWARENESS", "permonitorv2")


def show(app: App, frames: int | None = None) -> None:
    """Run the app until its window is closed.

    Args:
        frames: stop after so many frames.

    Raises:
        ValueError: no display, or pygame is installed instead of pygame-ce.
    """
    _check_pygame()
    os.environ.setdefault(*_FINE)
    try:
        pygame.display.init()
    except pygame.error as error:
        raise _no_display() from error
    try:
        requested = os.environ.get("SDL_VIDEODRIVER", "")
        if pygame.display.get_driver() in _INVISIBLE and requested not in _INVISIBLE:
            raise _no_display()
        window = pygame.Window("Swarm", _size(), resizable=True, allow_high_dpi=True)
        window.minimum_size = SMALLEST
        window.set_icon(emblem(64))
        app.arrange(layout_of(window.get_surface().get_size()))
        _loop(app, window, frames)
        window.destroy()
    finally:
        pygame.display.quit()


def _loop(app: App, window: pygame.Window, frames: int | None) -> None:
    clock, shown, full = pygame.time.Clock(), 0, False
    while app.running and (frames is None or shown < frames):
        density = window.get_surface().get_width() / max(1, window.size[0])
        for event in pygame.event.get():
            app.handle(in_pixels(event, density))
        if app.full_screen != full:
            full = app.full_screen
            window.set_fullscreen(desktop=True) if full else window.set_windowed()
        # The time of a long pause, for example while the window is moved, is skipped.
        app.tick(min(clock.tick(FRAMES) / 1000, 0.1))
        surface = window.get_surface()
        if surface.get_size() != app.layout.window.size:
            app.arrange(layout_of(surface.get_size()))
        app.draw(surface)
        window.flip()
        shown += 1


def in_pixels(event: Event, density: float) -> Event:
    """An event with its place, or the window's size, converted to pixels.

    Args:
        density: pixels per desktop unit.
    """
    if density == 1.0:
        return event
    fields = dict(event.dict)
    if "pos" in fields:
        fields["pos"] = tuple(round(part * density) for part in fields["pos"])
    if event.type == pygame.WINDOWRESIZED:
        fields["x"], fields["y"] = round(event.x * density), round(event.y * density)
    return Event(event.type, fields)


def _size() -> tuple[int, int]:
    """The largest size that leaves some of the desktop free."""
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
            "the viewer needs pygame-ce, but pygame is installed; both use the same folder: "
            "pip uninstall pygame pygame-ce, then pip install pygame-ce"
        )
