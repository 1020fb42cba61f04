"""What keys and buttons do that is more than a line: settings nudged, files saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pygame

from swarm_nca.atomic import write_atomically
from swarm_nca.viewer import saving
from swarm_nca.viewer.beside import partners
from swarm_nca.viewer.dials import DIALS
from swarm_nca.viewer.film import Film
from swarm_nca.viewer.paint import pixels_of
from swarm_nca.viewer.panes import rule_title
from swarm_nca.viewer.span import Span
from swarm_nca.viewer.theme import DARK, LIGHT

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App


def nudge(dial: str, direction: int) -> Callable[[App], None]:
    """What turns a dial a little up or down."""
    return lambda app: DIALS[dial].nudge(app, direction)


def nudge_speed(direction: int) -> Callable[[App], None]:
    """What makes time run faster or slower."""

    def change(app: App) -> None:
        app.speed = min(max(app.speed + direction, 0), len(app.SPEEDS) - 1)

    return change


def next_view(direction: int) -> Callable[[App], None]:
    """What shows the next view, or the one before."""

    def change(app: App) -> None:
        app.view = app.views[(app.views.index(app.view) + direction) % len(app.views)]

    return change


def next_channel(direction: int) -> Callable[[App], None]:
    """What shows the next channel, or the one before."""

    def change(app: App) -> None:
        app.channel = (app.channel + direction) % app.session.rule.channels
        app.view = next(view for view in app.views if view.name == "Channel")

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

    _write(app, "session", ".yaml", text, _whose(app))


def save_states(app: App) -> None:
    """The present states as a NumPy archive."""
    _write(app, "states", ".npz", lambda path: saving.states_bytes(app.session), _whose(app))


def mark_in(app: App) -> None:
    """The span to film begins here."""
    app.span.begin(app.session.step)


def mark_out(app: App) -> None:
    """The span to film ends here."""
    app.span.end(app.session.step)


def toggle_recording(app: App) -> None:
    """Begin a span here, or end it here and film it."""
    app.recording = not app.recording
    if app.recording:
        app.span = Span(app.session.step)
        app.say("Recording; press again to stop and save")
    else:
        app.span.last = app.session.step
        save_film(".webp")(app)


def save_film(kind: str) -> Callable[[App], None]:
    """What films the marked span, or else what has just happened."""

    def begin(app: App) -> None:
        if app.film is not None:
            app.say("One film at a time: another is in the making")
            return
        app.recording = False
        app.film = Film(app, *app.span.bounds(app.session), kind)

    return begin


def roll(app: App, seconds: float) -> None:
    """Go on with the film in the making; once it is whole, save it."""
    film = app.film
    if film is None:
        return
    if film.done:  # and shown to be, for writing takes a while
        app.film = None
        _write(app, "recording", film.kind, lambda path: film.bytes())
        return
    try:
        film.work(seconds)
    except ValueError as error:
        app.film = None
        app.say(f"Not saved: {error}")


def next_beside(app: App) -> None:
    """Another rule beside the first, or none: one after the other."""
    others = partners(app.session.opening.title, app.session.rule)
    own = (app.asked,) if app.asked is not None and app.asked not in others else ()
    choices = (None, *own, *others)
    if len(choices) == 1:
        app.say("No rule that ships shows the same")
        return
    now = choices.index(app.beside) if app.beside in choices else 0
    app.stand_beside(choices[(now + 1) % len(choices)])
    app.say(f"Beside it: {app.beside}" if app.beside else "One rule alone")


def _whose(app: App) -> str:
    """Of two rules side by side it is the first whose doings are saved."""
    return f", of the rule {rule_title(app.session)} alone" if app.session.beside else ""


def _write(
    app: App, stem: str, ending: str, made: Callable[[Path], bytes], remark: str = ""
) -> None:
    path = saving.free_name(app.folder, stem, ending)
    try:
        write_atomically(path, made(path))
    except (ValueError, OSError) as error:
        app.say(f"Not saved: {error}")
    else:
        app.say(f"Saved {path.name}{remark}")
