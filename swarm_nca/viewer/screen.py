"""The whole picture: bars and rails, the canvas between them, and what floats above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pygame
from pygame import Rect, Surface

from swarm_nca.portrait import Rgb
from swarm_nca.recording.channels import diverging
from swarm_nca.viewer import controls, stage
from swarm_nca.viewer.inspector import inspector
from swarm_nca.viewer.keys import ACTIONS
from swarm_nca.viewer.lettering import BODY, LARGE, SMALL, wrapped, written
from swarm_nca.viewer.messages import ramp, share_of
from swarm_nca.viewer.overlays import Look
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.panels import curves, votes

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App


def paint(app: App, surface: Surface) -> None:
    """Everything, on a surface of the window's size."""
    layout, theme, looks = app.layout, app.theme, app.looks
    brush = Paint(surface, theme, layout.scale)
    surface.fill(theme.desk)
    for bar in (layout.head, layout.left, layout.right, layout.foot):
        brush.bar(bar, theme.panel)
    brush.line(layout.head.bottomleft, layout.head.bottomright, theme.line)
    brush.line(layout.left.topright, layout.left.bottomright, theme.line)
    brush.line(layout.right.topleft, layout.right.bottomleft, theme.line)
    brush.line(layout.foot.topleft, layout.foot.topright, theme.line)
    _head(app, brush)
    _canvas(app, brush, looks)
    _sections(app, brush)
    _right(app, brush, looks)
    over = None if app.help else app.widget_at(app.pointer)
    for widget in app.widgets:
        widget.draw(brush, widget is over)
    _foot(app, brush)
    if app.help:
        _help(app, brush)
    elif over is not None:
        told = app.timebar.told(app.pointer) if over is app.timebar else over.tip
        _tip(app, brush, told, over.place)


def _head(app: App, brush: Paint) -> None:
    head, px, session = app.layout.head, app.layout.px, app.session
    left = head.left + px(24)
    left += brush.text("Swarm", (left, head.centery), size=LARGE, strong=True) + px(14)
    rules = " beside ".join(stage.rule_title(one) for one in session.side_by_side)
    brush.text(
        f"{session.opening.name}   ·   rule {rules}",
        (left, head.centery),
        brush.theme.quiet,
        BODY,
        room=head.width // 2,
    )


def _sections(app: App, brush: Paint) -> None:
    rail, px = app.layout.left, app.layout.px
    for name, top in controls.SECTIONS.items():
        brush.text(name, (rail.left + px(16), rail.top + px(top + 8)), size=SMALL, strong=True)


def _right(app: App, brush: Paint, looks: Sequence[Look]) -> None:
    rail, px = app.layout.right, app.layout.px
    place = Rect(rail.left + px(16), rail.top + px(14), rail.width - px(36), 0)
    space, gap = rail.height - px(28), px(16)
    # Curves take the room that a cell which nobody questions does not need.
    most, share = (38, 40) if app.witness is None else (34, 32)
    votes(brush, Rect(place.topleft, (place.width, space * most // 100 - gap)), looks)
    top = place.top + space * most // 100
    curves(brush, Rect(place.left, top, place.width, space * share // 100 - gap), app.session)
    top += space * share // 100
    of = 0 if app.witness is None else app.witness.of
    under = stage.rule_title(app.session.side_by_side[of]) if len(looks) > 1 else ""
    place = Rect(place.left, top, place.width, rail.bottom - top - px(8))
    inspector(brush, place, looks[of], app.witness, under)


def _canvas(app: App, brush: Paint, looks: Sequence[Look]) -> None:
    px, theme = app.layout.px, app.theme
    sessions = app.session.side_by_side
    panes = app.layout.panes(len(sessions))
    places = stage.canvases(brush, app.view, looks, panes, app.touchable)
    if len(sessions) > 1:
        stage.names(brush, sessions, looks, places)
    if app.touchable:
        _witness(app, brush, places)
        _cursor(app, brush, places)
        for place in places if app.session.waiting else ():
            brush.text("Draw something", place.center, theme.faint, LARGE, "center")
    foot = (app.layout.stage.centerx, app.layout.stage.bottom + px(15))
    if app.reel is not None:
        _progress(app, brush, foot)
    elif app.notice:
        _notice(app, brush, foot)
    elif app.view.name == "Channel":
        _channel_bar(app, brush, foot)
    elif app.view.name == "Messages":
        _message_bar(app, brush, foot)
    elif app.view.name == "Tiles":
        free, count = app.session.rule.free_channels, app.session.rule.channels
        told = f"channels 0 – {free - 1} are free, {free} – {count - 1} are the classes"
        brush.text(told, foot, theme.quiet, SMALL, "center")
    else:
        brush.text(app.view.tip, foot, theme.quiet, SMALL, "center")


def _witness(app: App, brush: Paint, places: Sequence[Rect]) -> None:
    """A frame around the cell that is questioned, a fainter one around the other rule's."""
    if app.witness is None:
        return
    row, column = divmod(app.witness.site, app.extent[1])
    width = max(2, brush.px(2))
    for number, place in enumerate(places):
        size = place.width / app.extent[1]
        cell = Rect(place.left + column * size, place.top + row * size, round(size), round(size))
        color = app.theme.accent if number == app.witness.of else app.theme.faint
        pygame.draw.rect(brush.surface, color, cell.inflate(2 * width, 2 * width), width)


def _cursor(app: App, brush: Paint, places: Sequence[Rect]) -> None:
    """A circle as large as the brush, on every canvas in the same place."""
    under = next((place for place in places if place.collidepoint(app.pointer)), None)
    if app.tool.deed is None or under is None or app.help:
        return
    radius = app.brush * app.tool.wider * under.width / app.extent[1]
    circle = getattr(pygame.draw, "aacircle", pygame.draw.circle)  # pygame has no smooth one
    for place in places:
        center = (app.pointer[0] + place.left - under.left, app.pointer[1] + place.top - under.top)
        circle(brush.surface, app.theme.quiet, center, max(3, round(radius)), 1)


def _channel_bar(app: App, brush: Paint, middle: tuple[int, int]) -> None:
    free, classes = app.session.rule.free_channels, app.session.rule.classes.names
    told = f"channel {app.channel}"
    if app.channel >= free:
        told += f", class {classes[app.channel - free]}"
    colors = diverging(np.tan(np.linspace(-0.49, 0.49, 100) * np.pi))
    ticks = {f"{tick:+g}" if tick else "0": np.arctan(tick) / np.pi + 0.5 for tick in (-2, 0, 2)}
    place = _scale(brush, middle, colors, ticks, told)
    brush.text("↑ ↓", (place.right + brush.px(12), place.centery), app.theme.quiet, SMALL)


def _message_bar(app: App, brush: Paint, middle: tuple[int, int]) -> None:
    ticks = {f"{tick}": float(share_of(np.array(tick))) for tick in (0, 1, 3, 10)}
    colors = ramp(app.theme, np.linspace(0, 1, 100))
    place = _scale(brush, middle, colors, ticks, "loudness of what a cell hears")
    lost = app.session.world.links.drop
    if lost:
        told = f"{lost:.0%} lost: not drawn"
        brush.text(told, (place.right + brush.px(12), place.centery), app.theme.quiet, SMALL)


def _scale(
    brush: Paint, middle: tuple[int, int], colors: Rgb, ticks: Mapping[str, float], told: str
) -> Rect:
    """A colour bar: what it shows at its left, and ticks, each at a share of its length."""
    place = Rect(0, 0, brush.px(200), brush.px(8))
    place.center = (middle[0] + brush.px(50), middle[1] - brush.px(4))
    brush.pixels(colors[None], place)
    for tick, share in ticks.items():
        x = place.left + round(share * place.width)
        y = place.bottom + brush.px(7)
        brush.text(tick, (x, y), brush.theme.quiet, SMALL - 1, "center")
    left = (place.left - brush.px(12), place.centery)
    brush.text(told, left, brush.theme.ink, SMALL, "right")
    return place


def _foot(app: App, brush: Paint) -> None:
    px, foot, session, theme = app.layout.px, app.layout.foot, app.session, app.theme
    y = foot.top + px(72)
    told = f"step {session.step:,}"
    if session.waiting:
        told += ", waiting for a first cell"
    elif session.step < session.reached:
        told += f" of {session.reached:,}: the past"
    x = foot.left + px(440)
    brush.text(told, (x, y - px(8)), theme.ink, BODY, strong=True)
    told = f"{app.rate:,.0f} steps/s" if app.playing else "paused"
    brush.text(told, (x, y + px(10)), theme.quiet, SMALL)
    _span(app, brush, (foot.left + px(812), y))
    expectations = session.expectations
    right = foot.right - px(24)
    for number, one in enumerate(reversed(expectations)):
        color = theme.faint if one is None else theme.good if one.passed else theme.bad
        center = (right - px(6) - number * px(16), y)
        brush.disc(center, 5, color)
        if one is None:
            brush.disc(center, 3.5, theme.panel)
    if expectations:
        right -= len(expectations) * px(16) + px(8)
        passed = sum(one is not None and one.passed for one in expectations)
        said = f"{passed} of {len(expectations)} expectations passed"
        brush.text(said, (right, y), theme.quiet, SMALL, "right")


def _span(app: App, brush: Paint, place: tuple[int, int]) -> None:
    """What a press on the film's button would film."""
    first, last = app.span.bounds(app.session)
    what = "recording" if app.recording else "marked" if app.span.marked else "just happened"
    brush.text(what, (place[0], place[1] - brush.px(8)), brush.theme.quiet, SMALL)
    told = f"steps {first:,} – {last:,}"
    brush.text(told, (place[0], place[1] + brush.px(10)), brush.theme.quiet, SMALL)


def _progress(app: App, brush: Paint, middle: tuple[int, int]) -> None:
    """How far the film in the making has come."""
    px, reel = brush.px, app.reel
    if reel is None:
        return
    place = Rect(0, 0, px(320), px(34))
    place.midbottom = (middle[0], app.layout.stage.bottom + px(28))
    brush.box(place, app.theme.ink, 8)
    track = Rect(place.left + px(16), place.bottom - px(10), place.width - px(32), px(3))
    brush.bar(track, app.theme.faint)
    brush.bar(
        Rect(track.topleft, (round(track.width * reel.progress), track.height)), app.theme.accent
    )
    told = f"Filming steps {reel.first:,} – {reel.last:,}"
    y = place.top + px(13)
    brush.text(told, (track.left, y), app.theme.panel, SMALL)
    brush.text(f"{reel.progress:.0%}", (track.right, y), app.theme.panel, SMALL, "right")


def _notice(app: App, brush: Paint, middle: tuple[int, int]) -> None:
    stage, px = app.layout.stage, app.layout.px
    size = max(8, px(BODY))
    lines = wrapped(app.notice, size, stage.width - px(80))[:3]
    width = max(written(line, size, app.theme.panel).get_width() for line in lines)
    place = Rect(0, 0, width + px(32), px(18) * len(lines) + px(10))
    place.midbottom = (middle[0], stage.bottom + px(28))
    brush.box(place, app.theme.ink, 8)
    for number, line in enumerate(lines):
        y = place.top + px(14) + px(18) * number
        brush.text(line, (place.centerx, y), app.theme.panel, BODY, "center")


def _tip(app: App, brush: Paint, told: str, near: Rect) -> None:
    px, window = app.layout.px, app.layout.window
    size = max(8, px(SMALL))
    lines = wrapped(told, size, px(300))
    width = max(written(line, size, app.theme.panel).get_width() for line in lines)
    place = Rect(0, 0, width + px(20), px(16) * len(lines) + px(12))
    place.midtop = (near.centerx, near.bottom + px(6))
    if near.right <= app.layout.left.right:  # the left rail: beside it, or it hides the rail
        place.midleft = (app.layout.left.right + px(8), near.centery)
    if near.height < px(40) and near.width > px(400):  # the time bar: beside the pointer
        place.midbottom = (app.pointer[0], near.top - px(2))
    if place.bottom > window.bottom:
        place.bottom = near.top - px(6)
    place.clamp_ip(window.inflate(-px(12), -px(12)))
    brush.box(place, app.theme.ink, 6)
    for number, line in enumerate(lines):
        y = place.top + px(14) + px(16) * number
        brush.text(line, (place.left + px(10), y), app.theme.panel, SMALL)


def _help(app: App, brush: Paint) -> None:
    px, window, theme = app.layout.px, app.layout.window, app.theme
    shade = Surface(window.size, pygame.SRCALPHA)
    shade.fill((*theme.desk, 225))
    brush.surface.blit(shade, (0, 0))
    place = Rect(0, 0, px(1040), px(620))
    place.center = window.center
    brush.box(place, theme.panel, 12, theme.line)
    left, top = place.left + px(36), place.top + px(40)
    brush.text("Draw on the canvas and watch the cells agree", (left, top), size=LARGE, strong=True)
    headings = list(dict.fromkeys(action.heading for action in ACTIONS))
    columns = (("Time", "Keep"), ("Hand", "View", "World"), ("Disturb",))
    width = (place.width - px(72)) // len(columns)
    for number, names in enumerate(columns):
        x, y = left + number * width, top + px(48)
        for name in (name for name in names if name in headings):
            brush.text(name, (x, y), theme.accent, BODY, strong=True)
            y += px(26)
            for action in ACTIONS:
                if action.heading == name:
                    brush.text(action.keys[0], (x, y), theme.ink, SMALL, strong=True)
                    room = width - px(96)
                    brush.text(action.words, (x + px(80), y), theme.quiet, SMALL, room=room)
                    y += px(20)
            y += px(14)
        if number == 2:
            _hints(brush, x, y, width)


def _hints(brush: Paint, x: int, y: int, width: int) -> None:
    brush.text("And", (x, y), brush.theme.accent, BODY, strong=True)
    hints = (
        "0 – 9 change the picture into that class.",
        "The right button, or shift, erases; the middle button questions a cell.",
        "The wheel makes the brush wider or finer.",
        "Drop a picture, or a scenario, on the window.",
        "Drag on the time bar to go back; touch the canvas there to branch off.",
    )
    y += brush.px(26)
    for hint in hints:
        for line in wrapped(hint, max(8, brush.px(SMALL)), width - brush.px(16)):
            brush.text(line, (x, y), brush.theme.quiet, SMALL)
            y += brush.px(17)
        y += brush.px(5)
