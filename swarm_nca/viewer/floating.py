"""Boxes above the picture: notices, tooltips, a film's progress, the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pygame
from pygame import Rect, Surface

from swarm_nca.viewer.bits import TIP, weights_of
from swarm_nca.viewer.inspector import TIPS, rooms, value_at
from swarm_nca.viewer.keys import ACTIONS
from swarm_nca.viewer.lettering import BODY, LARGE, SMALL, pixels_high, wrapped
from swarm_nca.viewer.paint import Paint

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App

#: The headings in each column of the help, and its hints on mouse, touch and files.
_COLUMNS = (("Time", "World", "Save"), ("Tools", "View"), ("Disturb",))
_HINTS = (
    "0 – 9: change the picture to that class.",
    "Right button or shift: erase. Middle: inspect.",
    "Wheel: zoom; with shift: size of the brush.",
    "Zoomed: drag with the middle button or space.",
    "Touch: draw with several fingers.",
    "Drop a picture or a scenario to open it.",
    "Drag the time bar to go back. An edit in the past starts a new branch.",
)

#: Widths of tooltips: the first one that hides nothing, else the one that hides least.
_ROOMS = (300, 176, 560)

#: Tooltips of the panels at the right.
_VOTE = "Number of cells that show each class; silent cells show no class"
_CELLS = "Number of alive cells, and their share of all cells"
_COURSE = "Number of alive cells, and mean absolute value of the states"
_CURVES = (
    "Accuracy: share of cells that are right, if the label is known. Largest vote: share of cells "
    "that show the most common class of their piece, which is a group of connected cells. "
    "Undecided: share of cells whose class channels are all below the rule's threshold. "
    "Magnitude: mean absolute value of the states. Below: the votes of all classes, stacked"
)


def explanation(app: App) -> tuple[str, Rect] | None:
    """The tooltip for the pointer's place and the rectangle it explains; None without one."""
    point = app.pointer
    widget = app.widget_at(point)
    if widget is app.timebar:
        return app.timebar.told(point), widget.place
    if widget is not None:
        return widget.tip, widget.place
    head, description = app.layout.head, app.session.opening.description
    title = Rect(head.left, head.top, head.width // 2, head.height)
    if description and title.collidepoint(point):
        return description, title
    vote, curves, cell = app.rail
    classes = app.session.rule.readout.class_names
    places = [(vote, _VOTE), (curves, _CURVES)] if classes else [(vote, _CELLS), (curves, _COURSE)]
    if app.witness is not None:
        parts = rooms(cell, app.layout.scale)
        look = app.looks[app.witness.of]
        found = value_at(look, app.witness, parts, app.layout.scale, point)
        if found is not None:
            words, place = found
            return words[0].upper() + words[1:], place
        places += [(getattr(parts, name), words) for name, words in TIPS.items()]
    elif weights_of(app.session.rule):
        places.append((cell, TIP))
    for place, words in places:
        if place.collidepoint(point):
            return words, place
    return None if app.touchable else _tile(app)


def _tile(app: App) -> tuple[str, Rect] | None:
    number = app.tile_at(app.pointer)
    if number is None:
        return None
    meaning = app.looks[app.pane_at(app.pointer)].means(number)
    text = f"Channel {number}, {meaning}: click to show only this channel"
    return text, app.layout.stage


def tip(app: App, brush: Paint, text: str, near: Rect) -> None:
    """Paint a tooltip beside the rectangle it explains, off that rectangle and off the canvas."""
    px = app.layout.px
    avoided = [near, *app.pictures]
    found: list[tuple[int, int, Rect, list[str]]] = []
    for room in _ROOMS:
        lines = wrapped(text, pixels_high(SMALL, brush.scale), px(room))
        width = max(brush.width(line, SMALL) for line in lines)
        size = (width + px(20), px(16) * len(lines) + px(12))
        for place in _around(app, size, near):
            hidden = sum(_shared(place, other) for other in avoided)
            found.append((hidden, len(found), place, lines))
    *_, place, lines = min(found)
    brush.box(place, app.theme.ink, 6)
    for number, line in enumerate(lines):
        y = place.top + px(14) + px(16) * number
        brush.text(line, (place.left + px(10), y), app.theme.panel, SMALL)


def _around(app: App, size: tuple[int, int], near: Rect) -> list[Rect]:
    """Places for a box below, above, right and left of a rectangle, within the window."""
    window, gap = app.layout.window, app.layout.px(6)
    across = app.pointer[0] if near.width > app.layout.px(400) else near.centerx
    places = [Rect((0, 0), size) for _ in range(4)]
    places[0].midtop = (across, near.bottom + gap)
    places[1].midbottom = (across, near.top - gap)
    places[2].midleft = (near.right + gap, near.centery)
    places[3].midright = (near.left - gap, near.centery)
    return [place.clamp(window.inflate(-gap, -gap)) for place in places]


def _shared(one: Rect, other: Rect) -> int:
    """Number of pixels that two rectangles share."""
    both = one.clip(other)
    return both.width * both.height


def notice(app: App, brush: Paint, middle: tuple[int, int]) -> None:
    """Paint the app's notice below the canvas, in at most two lines."""
    stage, px = app.layout.stage, app.layout.px
    room = stage.width - px(32)
    first, *others = wrapped(app.notice, pixels_high(SMALL, brush.scale), room)
    lines = [first, " ".join(others)] if others else [first]
    width = min(max(brush.width(line, SMALL) for line in lines), room)
    place = Rect(0, 0, width + px(32), px(16) * len(lines) + px(4))
    place.center = (middle[0], (stage.bottom + app.layout.foot.top) // 2)
    brush.box(place, app.theme.ink, 8)
    for number, line in enumerate(lines):
        y = place.top + px(10) + px(16) * number
        middle = (place.centerx, y)
        brush.text(line, middle, app.theme.panel, SMALL, "center", room=room)


def progress(app: App, brush: Paint, middle: tuple[int, int]) -> None:
    """Paint the progress of the film being made."""
    px, film = brush.px, app.film
    if film is None:
        return
    place = Rect(0, 0, px(320), px(34))
    place.midbottom = (middle[0], app.layout.stage.bottom + px(36))
    brush.box(place, app.theme.ink, 8)
    track = Rect(place.left + px(16), place.bottom - px(10), place.width - px(32), px(3))
    brush.bar(track, app.theme.faint)
    done = round(track.width * film.progress)
    brush.bar(Rect(track.topleft, (done, track.height)), app.theme.accent)
    text = f"Filming steps {film.first:,} – {film.last:,}"
    y = place.top + px(13)
    brush.text(text, (track.left, y), app.theme.panel, SMALL)
    brush.text(f"{film.progress:.0%}", (track.right, y), app.theme.panel, SMALL, "right")


def guide(app: App, brush: Paint) -> None:
    """Paint the help: every key, and hints on mouse, touch and files."""
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
        x, y = left + number * width, top + px(40)
        for name in names:
            brush.text(name, (x, y), theme.accent, BODY, strong=True)
            y += px(23)
            for action in ACTIONS:
                if action.heading == name:
                    brush.text(action.keys[0], (x, y), theme.ink, SMALL, strong=True)
                    room = width - px(88)
                    brush.text(action.words, (x + px(80), y), theme.quiet, SMALL, room=room)
                    y += px(18)
            y += px(13)
    _hints(brush, x, y, width)


def _hints(brush: Paint, x: int, y: int, width: int) -> None:
    brush.text("More", (x, y), brush.theme.accent, BODY, strong=True)
    y += brush.px(26)
    for hint in _HINTS:
        for line in wrapped(hint, pixels_high(SMALL, brush.scale), width - brush.px(16)):
            brush.text(line, (x, y), brush.theme.quiet, SMALL)
            y += brush.px(17)
        y += brush.px(5)
