"""What floats above the picture: notices, explanations, a film's progress, the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pygame
from pygame import Rect, Surface

from swarm_nca.viewer.inspector import TIPS, rooms
from swarm_nca.viewer.keys import ACTIONS
from swarm_nca.viewer.lettering import BODY, LARGE, SMALL, pixels_high, wrapped
from swarm_nca.viewer.paint import Paint

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App

#: The help's columns of headings, and what no key does.
_COLUMNS = (("Time", "Keep"), ("Hand", "View", "World"), ("Disturb",))
_HINTS = (
    "0 – 9 change the picture into that class.",
    "The right button, or shift, erases; the middle button inspects.",
    "The wheel makes the brush wider or finer.",
    "Several fingers draw at once.",
    "Drop a picture, or a scenario, on the window.",
    "Drag on the time bar to go back; touch the canvas there to branch off.",
)

#: What the panels at the right show, for whoever points at them.
_VOTE = "How many cells say they are part of what; silent ones have said nothing yet"
_CELLS = "How many cells are alive, and what share of all they are"
_COURSE = "How many cells are alive, and how large the numbers are that cells hold"
_CURVES = (
    "Accuracy: cells that are right, where it is known what is right. Largest vote: cells that say "
    "what most say. Undecided: cells that speak against every class. Magnitude: how large the "
    "numbers are that cells hold"
)


def explanation(app: App) -> tuple[str, Rect] | None:
    """What is under the pointer, in words, and where it is; None for what needs none."""
    point = app.pointer
    widget = app.widget_at(point)
    if widget is app.timebar:
        return app.timebar.told(point), widget.place
    if widget is not None:
        return widget.tip, widget.place
    vote, curves, cell = app.layout.rail(app.witness is not None)
    classes = app.session.rule.readout.class_names
    places = [(vote, _VOTE), (curves, _CURVES)] if classes else [(vote, _CELLS), (curves, _COURSE)]
    if app.witness is not None:
        parts = rooms(cell, app.layout.scale)
        places += [(getattr(parts, name), words) for name, words in TIPS.items()]
    for place, words in places:
        if place.collidepoint(point):
            return words, place
    return None if app.touchable else _tile(app)


def _tile(app: App) -> tuple[str, Rect] | None:
    number = app.tile_at(app.pointer)
    if number is None:
        return None
    what = app.looks[app.pane_at(app.pointer)].means(number)
    return f"Channel {number}, {what}: click to see it alone", Rect(app.pointer, (1, 12))


def tip(app: App, brush: Paint, told: str, near: Rect) -> None:
    """An explanation beside what it explains, within the window."""
    px, window = app.layout.px, app.layout.window
    lines = wrapped(told, pixels_high(SMALL, brush.scale), px(300))
    width = max(brush.width(line, SMALL) for line in lines)
    place = Rect(0, 0, width + px(20), px(16) * len(lines) + px(12))
    place.midtop = (near.centerx, near.bottom + px(6))
    if near.right <= app.layout.left.right:  # the left rail: beside it, or it hides the rail
        place.midleft = (app.layout.left.right + px(8), near.centery)
    elif near.left >= app.layout.right.left and near.top >= app.layout.head.bottom:
        place.midright = (app.layout.right.left - px(8), near.centery)
    if near.height < px(40) and near.width > px(400):  # the time bar: beside the pointer
        place.midbottom = (app.pointer[0], near.top - px(2))
    if place.bottom > window.bottom:
        place.bottom = near.top - px(6)
    place.clamp_ip(window.inflate(-px(12), -px(12)))
    brush.box(place, app.theme.ink, 6)
    for number, line in enumerate(lines):
        y = place.top + px(14) + px(16) * number
        brush.text(line, (place.left + px(10), y), app.theme.panel, SMALL)


def notice(app: App, brush: Paint, middle: tuple[int, int]) -> None:
    """What the app has to say, for a while."""
    room, px = app.layout.stage, app.layout.px
    lines = wrapped(app.notice, pixels_high(BODY, brush.scale), room.width - px(80))[:3]
    width = max(brush.width(line) for line in lines)
    place = Rect(0, 0, width + px(32), px(18) * len(lines) + px(10))
    place.midbottom = (middle[0], room.bottom + px(28))
    brush.box(place, app.theme.ink, 8)
    for number, line in enumerate(lines):
        y = place.top + px(14) + px(18) * number
        brush.text(line, (place.centerx, y), app.theme.panel, BODY, "center")


def progress(app: App, brush: Paint, middle: tuple[int, int]) -> None:
    """How far the film in the making has come."""
    px, film = brush.px, app.film
    if film is None:
        return
    place = Rect(0, 0, px(320), px(34))
    place.midbottom = (middle[0], app.layout.stage.bottom + px(28))
    brush.box(place, app.theme.ink, 8)
    track = Rect(place.left + px(16), place.bottom - px(10), place.width - px(32), px(3))
    brush.bar(track, app.theme.faint)
    done = round(track.width * film.progress)
    brush.bar(Rect(track.topleft, (done, track.height)), app.theme.accent)
    told = f"Filming steps {film.first:,} – {film.last:,}"
    y = place.top + px(13)
    brush.text(told, (track.left, y), app.theme.panel, SMALL)
    brush.text(f"{film.progress:.0%}", (track.right, y), app.theme.panel, SMALL, "right")


def guide(app: App, brush: Paint) -> None:
    """The help: every key, and what the pointer does."""
    px, window, theme = app.layout.px, app.layout.window, app.theme
    shade = Surface(window.size, pygame.SRCALPHA)
    shade.fill((*theme.desk, 225))
    brush.surface.blit(shade, (0, 0))
    place = Rect(0, 0, px(1040), px(632))
    place.center = window.center
    brush.box(place, theme.panel, 12, theme.line)
    left, top = place.left + px(36), place.top + px(40)
    brush.text("Draw on the canvas and watch the cells agree", (left, top), size=LARGE, strong=True)
    close = "click to close"
    brush.text(close, (place.right - px(36), top), theme.quiet, SMALL, "right")
    width = (place.width - px(72)) // len(_COLUMNS)
    for number, names in enumerate(_COLUMNS):
        x, y = left + number * width, top + px(48)
        for name in names:
            brush.text(name, (x, y), theme.accent, BODY, strong=True)
            y += px(26)
            for action in ACTIONS:
                if action.heading == name:
                    brush.text(action.keys[0], (x, y), theme.ink, SMALL, strong=True)
                    room = width - px(88)
                    brush.text(action.words, (x + px(80), y), theme.quiet, SMALL, room=room)
                    y += px(20)
            y += px(14)
    _hints(brush, x, y, width)


def _hints(brush: Paint, x: int, y: int, width: int) -> None:
    brush.text("And", (x, y), brush.theme.accent, BODY, strong=True)
    y += brush.px(26)
    for hint in _HINTS:
        for line in wrapped(hint, pixels_high(SMALL, brush.scale), width - brush.px(16)):
            brush.text(line, (x, y), brush.theme.quiet, SMALL)
            y += brush.px(17)
        y += brush.px(5)
