"""The whole picture: bars and rails, the canvas between them, and what floats above."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pygame
from pygame import Rect, Surface

from swarm_nca.recording.channels import diverging
from swarm_nca.viewer import controls
from swarm_nca.viewer.inspector import inspector
from swarm_nca.viewer.keys import ACTIONS
from swarm_nca.viewer.lettering import BODY, LARGE, SMALL, wrapped, written
from swarm_nca.viewer.overlays import Look
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.panels import curves, votes

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App


def paint(app: App, surface: Surface) -> None:
    """Everything, on a surface of the window's size."""
    layout, theme, look = app.layout, app.theme, app.look
    brush = Paint(surface, theme, layout.scale)
    surface.fill(theme.desk)
    for bar in (layout.head, layout.left, layout.right, layout.foot):
        brush.bar(bar, theme.panel)
    brush.line(layout.head.bottomleft, layout.head.bottomright, theme.line)
    brush.line(layout.left.topright, layout.left.bottomright, theme.line)
    brush.line(layout.right.topleft, layout.right.bottomleft, theme.line)
    brush.line(layout.foot.topleft, layout.foot.topright, theme.line)
    _head(app, brush)
    _canvas(app, brush, look)
    _sections(app, brush)
    _right(app, brush, look)
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
    opening = session.opening
    rule = opening.rule_name.replace("\\", "/").rsplit("/", 1)[-1]
    brush.text(
        f"{opening.name}   ·   rule {rule.rsplit('.', 1)[0]}",
        (left, head.centery),
        brush.theme.quiet,
        BODY,
        room=head.width // 2,
    )


def _sections(app: App, brush: Paint) -> None:
    rail, px = app.layout.left, app.layout.px
    for name, top in controls.SECTIONS.items():
        brush.text(name, (rail.left + px(16), rail.top + px(top + 8)), size=SMALL, strong=True)


def _right(app: App, brush: Paint, look: Look) -> None:
    rail, px = app.layout.right, app.layout.px
    place = Rect(rail.left + px(16), rail.top + px(14), rail.width - px(36), 0)
    space, gap = rail.height - px(28), px(16)
    # Curves take the room that a cell which nobody questions does not need.
    share = 38 if app.witness is None else 26
    votes(brush, Rect(place.topleft, (place.width, space * 38 // 100 - gap)), look)
    top = place.top + space * 38 // 100
    curves(brush, Rect(place.left, top, place.width, space * share // 100 - gap), app.session)
    top += space * share // 100
    inspector(
        brush, Rect(place.left, top, place.width, rail.bottom - top - px(8)), look, app.witness
    )


def _canvas(app: App, brush: Paint, look: Look) -> None:
    stage, px, theme = app.layout.stage, app.layout.px, app.theme
    rgb = app.view.draw(look)
    place = app.canvas if app.touchable else app.layout.canvas(*rgb.shape[:2])
    if app.touchable:
        brush.box(place.inflate(px(6), px(6)), theme.paper, 4, theme.line)
    brush.pixels(rgb, place)
    if app.touchable:
        _witness(app, brush, place)
        _cursor(app, brush, place)
        if app.session.waiting:
            brush.text("Draw something", place.center, theme.faint, LARGE, "center")
    foot = (stage.centerx, stage.bottom + px(15))
    if app.notice:
        _notice(app, brush, foot)
    elif app.view.name == "Channel":
        _color_bar(app, brush, foot)
    elif app.view.name == "Tiles":
        free, count = app.session.rule.free_channels, app.session.rule.channels
        told = f"channels 0 – {free - 1} are free, {free} – {count - 1} are the classes"
        brush.text(told, foot, theme.quiet, SMALL, "center")
    else:
        brush.text(app.view.tip, foot, theme.quiet, SMALL, "center")


def _witness(app: App, brush: Paint, place: Rect) -> None:
    if app.witness is None:
        return
    row, column = divmod(app.witness.site, app.extent[1])
    size = place.width / app.extent[1]
    cell = Rect(place.left + column * size, place.top + row * size, round(size), round(size))
    width = max(2, brush.px(2))
    pygame.draw.rect(brush.surface, app.theme.accent, cell.inflate(2 * width, 2 * width), width)


def _cursor(app: App, brush: Paint, place: Rect) -> None:
    if app.tool.deed is None or not place.collidepoint(app.pointer) or app.help:
        return
    radius = app.brush * app.tool.wider * place.width / app.extent[1]
    circle = getattr(pygame.draw, "aacircle", pygame.draw.circle)  # pygame has no smooth one
    circle(brush.surface, app.theme.quiet, app.pointer, max(3, round(radius)), 1)


def _color_bar(app: App, brush: Paint, middle: tuple[int, int]) -> None:
    ticks = (-2.0, 0.0, 2.0)
    place = Rect(0, 0, brush.px(200), brush.px(8))
    place.center = (middle[0] + brush.px(50), middle[1] - brush.px(4))
    share = np.linspace(-0.49, 0.49, 100)
    brush.pixels(diverging(np.tan(share * np.pi))[None], place)
    for tick in ticks:
        x = place.left + round((np.arctan(tick) / np.pi + 0.5) * place.width)
        told = f"{tick:+g}" if tick else "0"
        brush.text(told, (x, place.bottom + brush.px(7)), app.theme.quiet, SMALL - 1, "center")
    free, names = app.session.rule.free_channels, app.session.rule.classes.names
    told = f"channel {app.channel}"
    if app.channel >= free:
        told += f", class {names[app.channel - free]}"
    y = place.centery
    brush.text(told, (place.left - brush.px(12), y), app.theme.ink, SMALL, "right")
    brush.text("↑ ↓", (place.right + brush.px(12), y), app.theme.quiet, SMALL)


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
    place = Rect(0, 0, px(1040), px(540))
    place.center = window.center
    brush.box(place, theme.panel, 12, theme.line)
    left, top = place.left + px(36), place.top + px(40)
    brush.text("Draw on the canvas and watch the cells agree", (left, top), size=LARGE, strong=True)
    headings = list(dict.fromkeys(action.heading for action in ACTIONS))
    columns = (("Time", "Keep"), ("Hand", "View"), ("World",))
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
