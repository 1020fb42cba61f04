"""Commands of keys and buttons: change settings, save files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pygame

from swarm_nca.atomic import write_atomically
from swarm_nca.viewer import saving
from swarm_nca.viewer.beside import partners
from swarm_nca.viewer.camera import WHOLE
from swarm_nca.viewer.dials import DIALS
from swarm_nca.viewer.film import Film
from swarm_nca.viewer.paint import pixels_of
from swarm_nca.viewer.panes import rule_title
from swarm_nca.viewer.picker import Picker, entries_of
from swarm_nca.viewer.span import Span
from swarm_nca.viewer.theme import DARK, LIGHT

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App


def nudge(dial: str, direction: int) -> Callable[[App], None]:
    """A command: move a dial one step up (1) or down (−1)."""
    return lambda app: DIALS[dial].nudge(app, direction)


def nudge_speed(direction: int) -> Callable[[App], None]:
    """A command: choose the next higher (1) or lower (−1) speed."""

    def change(app: App) -> None:
        app.speed = min(max(app.speed + direction, 0), len(app.SPEEDS) - 1)

    return change


def next_view(direction: int) -> Callable[[App], None]:
    """A command: show the next (1) or previous (−1) view."""

    def change(app: App) -> None:
        app.view = app.views[(app.views.index(app.view) + direction) % len(app.views)]

    return change


def next_channel(direction: int) -> Callable[[App], None]:
    """A command: show the next (1) or previous (−1) channel."""

    def change(app: App) -> None:
        app.channel = (app.channel + direction) % app.session.rule.channels
        app.view = next(view for view in app.views if view.name == "Channel")

    return change


def next_theme(app: App) -> None:
    """Switch between the light and the dark theme."""
    app.theme = DARK if app.theme is LIGHT else LIGHT


def next_side(app: App) -> None:
    """Start a new session on a canvas of the next size; undo goes back."""
    sides = app.SIDES
    now = sides.index(app.extent[0]) if app.extent[0] in sides else -1
    app.resize_canvas(sides[(now + 1) % len(sides)])


def next_world(app: App) -> None:
    """Show the next world of the batch."""
    if len(app.session.world) > 1:
        app.session.show(app.session.shown + 1)
        app.witness = None
        app.say(f"World {app.session.shown + 1} of {len(app.session.world)}")


def undo(app: App) -> None:
    """Take back the last change: an edit, a new canvas or an opened file."""
    snapshot = app.trail.undo(app.session)
    if snapshot is None:
        app.say("Nothing to undo")
        return
    app.restore(snapshot)
    app.say(f"Undone: {snapshot.words}, at step {app.session.step:,}")


def redo(app: App) -> None:
    """Make the change again that was taken back last."""
    snapshot = app.trail.redo(app.session)
    if snapshot is None:
        app.say("Nothing to redo")
        return
    app.restore(snapshot)
    app.say(f"Redone: {snapshot.words}; step {app.session.step:,}")


def open_picker(app: App) -> None:
    """Show the list of rules and scenarios."""
    app.picker = Picker(entries_of(app.folder))


def pick(app: App) -> None:
    """Open the chosen entry of the list; an error becomes a notice."""
    entry = None if app.picker is None else app.picker.entry()
    app.picker = None
    if entry is None:
        return
    side = app.extent[0] if app.extent[0] in app.SIDES else app.SIDES[0]
    try:
        app.open(entry.start(side))
    except (ValueError, OSError) as error:
        app.say(" ".join(str(error).split()))


def zoom(notches: int) -> Callable[[App], None]:
    """A command: show the picture closer (1) or farther (−1), or the whole picture (0)."""

    def change(app: App) -> None:
        if not app.zoomable:
            app.say("This view has no zoom")
            return
        if notches:
            app.zoom(notches)
        else:
            app.camera = WHOLE
        whole = app.camera.zoom <= 1.0
        app.say("The whole canvas is shown" if whole else f"Zoom {app.camera.zoom:.1f} ×")

    return change


def toggle_full_screen(app: App) -> None:
    """Fill the screen with the window, or stop that."""
    app.full_screen = not app.full_screen
    app.say("Full screen; F11 or Escape ends it" if app.full_screen else "Full screen ended")


def save_screenshot(app: App) -> None:
    """Save the window as a PNG file."""
    surface = pygame.Surface(app.layout.window.size)
    app.draw(surface)
    _write(app, "swarm", ".png", lambda path: saving.picture_bytes(pixels_of(surface)))


def save_scenario(app: App) -> None:
    """Save the session as a scenario."""

    def text(path: Path) -> bytes:
        return saving.scenario_text(app.session, path.parent).encode()

    _write(app, "session", ".yaml", text, _saved_rule(app))


def save_states(app: App) -> None:
    """Save the present states as a NumPy archive."""
    _write(app, "states", ".npz", lambda path: saving.states_bytes(app.session), _saved_rule(app))


def mark_in(app: App) -> None:
    """Mark the present step as the start of the film, or clear that mark."""
    app.span.begin(app.session.step)


def mark_out(app: App) -> None:
    """Mark the present step as the end of the film, or clear that mark."""
    app.span.end(app.session.step)


def toggle_recording(app: App) -> None:
    """Start a span at the present step, or end it there and film it."""
    app.recording = not app.recording
    if app.recording:
        app.span = Span(app.session.step)
        app.say("Recording; press again to stop and save")
    else:
        app.span.last = app.session.step
        save_film(".webp")(app)


def save_film(kind: str) -> Callable[[App], None]:
    """A command: film the marked span, or the latest steps if there is no mark."""

    def begin(app: App) -> None:
        if app.film is not None:
            app.say("Please wait: another film is being made")
            return
        app.recording = False
        app.film = Film(app, *app.span.bounds(app.session), kind)

    return begin


def roll(app: App, seconds: float) -> None:
    """Continue the film being made; save it when it is complete."""
    film = app.film
    if film is None:
        return
    if film.done:  # written one frame later: the window shows 100 % meanwhile
        app.film = None
        _write(app, "recording", film.kind, lambda path: film.bytes())
        return
    try:
        film.work(seconds)
    except ValueError as error:
        app.film = None
        app.say(f"Not saved: {error}")


def next_beside(app: App) -> None:
    """Choose the next second rule; after the last one, none."""
    others = partners(app.session.opening.title, app.session.rule)
    own = (app.asked,) if app.asked is not None and app.asked not in others else ()
    choices = (None, *own, *others)
    if len(choices) == 1:
        app.say("No shipped rule can run beside this one")
        return
    now = choices.index(app.beside) if app.beside in choices else 0
    for name in (*choices[now + 1 :], *choices[: now + 1]):
        with contextlib.suppress(ValueError):  # a start that does not fit the rule's grid
            app.stand_beside(name)
            break
    app.say(f"Second rule: {app.beside}" if app.beside else "No second rule")


def _saved_rule(app: App) -> str:
    """A remark that only the first of two rules is saved; empty for one rule."""
    return f" (rule {rule_title(app.session)} only)" if app.session.beside else ""


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
