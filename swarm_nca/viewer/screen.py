"""Paints the whole window: bars, rails, canvas, and the boxes above them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pygame
from pygame import Rect, Surface

from swarm_nca.recording.channels import diverging
from swarm_nca.render import Rgb
from swarm_nca.viewer import controls, floating, panes
from swarm_nca.viewer.inspector import inspector
from swarm_nca.viewer.lettering import BODY, LARGE, SMALL
from swarm_nca.viewer.messages import ramp, share_of
from swarm_nca.viewer.overlays import Look
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.panels import curves, votes
from swarm_nca.viewer.picker import paint_picker
from swarm_nca.viewer.timebar import standing

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App


#: Views with the most common class below the canvas; the others have their tooltip there.
_ANSWERED = ("Classes", "Grey", "Groups", "Bits", "RGBA", "Field")


def paint(app: App, surface: Surface) -> None:
    """Paint the window on a surface of its size."""
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
    over = None if app.help or app.picker is not None else app.widget_at(app.pointer)
    for widget in app.widgets:
        widget.draw(brush, widget is over)
    _foot(app, brush)
    if app.help:
        floating.guide(app, brush)
        return
    if app.picker is not None:
        paint_picker(app.picker, layout, brush)
        return
    explained = floating.explanation(app)
    if explained is not None:
        floating.tip(app, brush, *explained)


def _head(app: App, brush: Paint) -> None:
    head, px, session = app.layout.head, app.layout.px, app.session
    left = head.left + px(24)
    left += brush.text("Swarm", (left, head.centery), size=LARGE, strong=True) + px(14)
    worlds = len(session.world)
    if worlds > 1:
        icons = [widget.place.left for widget in app.widgets if head.contains(widget.place)]
        text = f"world {session.shown + 1} of {worlds}"
        brush.text(text, (min(icons) - px(10), head.centery), size=BODY, align="right")
    rules = " beside ".join(panes.rule_title(each) for each in session.side_by_side)
    brush.text(
        f"{session.opening.name}   ·   rule {rules}",
        (left, head.centery),
        brush.theme.quiet,
        BODY,
        room=head.width // 2,
    )


def _sections(app: App, brush: Paint) -> None:
    rail, px = app.layout.left, app.layout.px
    for name, top in controls.sections(app).items():
        brush.text(name, (rail.left + px(16), rail.top + px(top + 8)), size=SMALL, strong=True)


def _right(app: App, brush: Paint, looks: Sequence[Look]) -> None:
    vote, course, cell = app.rail
    votes(brush, vote, looks)
    curves(brush, course, app.session, looks)
    of = 0 if app.witness is None else app.witness.of
    under = panes.rule_title(app.session.side_by_side[of]) if len(looks) > 1 else ""
    inspector(brush, cell, looks[of], app.witness, under)


def _canvas(app: App, brush: Paint, looks: Sequence[Look]) -> None:
    px, theme = app.layout.px, app.theme
    sessions = app.session.side_by_side
    whole = panes.canvases(brush, app.view, looks, app.panes, app.touchable, app.camera)
    places = [place.clip(pane) for place, pane in zip(whole, app.panes, strict=True)]
    if not app.touchable:
        places = whole
    if len(sessions) == 1:
        _past(app, brush, places[0])
    if len(sessions) > 1:
        panes.names(brush, sessions, looks, places)
    if app.touchable:
        _witness(app, brush, whole, places)
        _cursor(app, brush, whole, places)
        for place in places if app.session.waiting else ():
            brush.text("Draw something", place.center, theme.faint, LARGE, "center")
    room = app.layout.stage
    if app.zoomable and app.camera.zoom > 1.0:
        text, corner = f"zoom {app.camera.zoom:.1f} ×", (room.right, room.bottom + px(19))
        wide = brush.text(text, corner, theme.quiet, SMALL, "right") + px(12)
        room = Rect(room.left + wide, room.top, room.width - 2 * wide, room.height)
    below = max(place.bottom for place in places) + px(17)
    foot = (room.centerx, min(room.bottom + px(19), below))
    if app.film is not None:
        floating.progress(app, brush, foot)
    elif app.notice:
        floating.notice(app, brush, foot)
    elif app.view.name == "Channel":
        _channel_bar(app, brush, looks, foot)
    elif app.view.name == "Messages":
        _message_bar(app, brush, foot)
    elif app.view.name == "Tiles":
        _channel_scale(brush, foot, "value of each channel")
    elif len(looks) == 1 and app.view.name in _ANSWERED:
        panes.answer(brush, looks[0], foot, room.width)
    else:
        brush.text(app.view.tip, foot, theme.quiet, SMALL, "center")


def _past(app: App, brush: Paint, place: Rect) -> None:
    """Paint the past of a world of one row above it, the oldest step at the top."""
    high = place.top - app.layout.stage.top - brush.px(4)
    rgb = app.past(high // max(1, place.height)) if app.touchable else None
    if rgb is None:
        return
    room = Rect(place.left, 0, place.width, len(rgb) * place.height)
    room.bottom = place.top
    brush.pixels(rgb, room)


def _witness(app: App, brush: Paint, whole: Sequence[Rect], places: Sequence[Rect]) -> None:
    """Paint a frame around the inspected cell, and a fainter one on the other rule's canvas."""
    if app.witness is None:
        return
    row, column = divmod(app.witness.site, app.extent[1])
    width = max(2, brush.px(2))
    for number, (place, visible) in enumerate(zip(whole, places, strict=True)):
        size = place.width / app.extent[1]
        cell = Rect(place.left + column * size, place.top + row * size, round(size), round(size))
        color = app.theme.accent if number == app.witness.of else app.theme.faint
        brush.surface.set_clip(visible.inflate(2 * width, 2 * width))
        pygame.draw.rect(brush.surface, color, cell.inflate(2 * width, 2 * width), width)
        brush.surface.set_clip(None)


def _cursor(app: App, brush: Paint, whole: Sequence[Rect], places: Sequence[Rect]) -> None:
    """Paint a circle of the brush's size at the same place of every canvas."""
    under = next((place for place in places if place.collidepoint(app.pointer)), None)
    if app.tool.deed is None or under is None or app.help:
        return
    radius = app.brush * app.tool.wider * whole[0].width / app.extent[1]
    circle = getattr(pygame.draw, "aacircle", pygame.draw.circle)  # pygame has no smooth one
    for place in places:
        center = (app.pointer[0] + place.left - under.left, app.pointer[1] + place.top - under.top)
        brush.surface.set_clip(place)
        circle(brush.surface, app.theme.quiet, center, max(3, round(radius)), 1)
        brush.surface.set_clip(None)


def _channel_bar(app: App, brush: Paint, looks: Sequence[Look], middle: tuple[int, int]) -> None:
    """The scale of a channel; with two rules, number and meaning of the channel may differ."""
    names = dict.fromkeys(f"channel {look.channel}, {look.means(look.channel)}" for look in looks)
    place = _channel_scale(brush, middle, " · ".join(names))
    brush.text("↑ ↓", (place.right + brush.px(12), place.centery), app.theme.quiet, SMALL)


def _channel_scale(brush: Paint, middle: tuple[int, int], text: str) -> Rect:
    """The scale of the colours of channels, with a text at its left."""
    colors = diverging(np.tan(np.linspace(-0.49, 0.49, 100) * np.pi))
    ticks = {f"{tick:+g}" if tick else "0": np.arctan(tick) / np.pi + 0.5 for tick in (-2, 0, 2)}
    return _scale(brush, middle, colors, ticks, text)


def _message_bar(app: App, brush: Paint, middle: tuple[int, int]) -> None:
    ticks = {f"{tick}": float(share_of(np.array(tick))) for tick in (0, 1, 3, 10)}
    colors = ramp(app.theme, np.linspace(0, 1, 100))
    place = _scale(brush, middle, colors, ticks, "magnitude of messages")
    links = app.session.world.links
    if links.drop:
        instead = "not drawn" if links.on_loss == "zeros" else "the last one is heard again"
        text = f"{links.drop:.0%} dropped: {instead}"
        brush.text(text, (place.right + brush.px(12), place.centery), app.theme.quiet, SMALL)


def _scale(
    brush: Paint, middle: tuple[int, int], colors: Rgb, ticks: Mapping[str, float], text: str
) -> Rect:
    """A colour bar with a text at its left and ticks, each at a share of its length."""
    place = Rect(0, 0, brush.px(200), brush.px(8))
    place.center = (middle[0] + brush.px(50), middle[1] - brush.px(4))
    brush.pixels(colors[None], place)
    for tick, share in ticks.items():
        x = place.left + round(share * place.width)
        y = place.bottom + brush.px(7)
        brush.text(tick, (x, y), brush.theme.quiet, SMALL, "center")
    left = (place.left - brush.px(12), place.centery)
    brush.text(text, left, brush.theme.ink, SMALL, "right")
    return place


def _foot(app: App, brush: Paint) -> None:
    px, foot, session, theme = app.layout.px, app.layout.foot, app.session, app.theme
    y = foot.top + px(72)
    x = foot.left + px(440)
    wide = brush.text(f"step {session.step:,}", (x, y - px(8)), theme.ink, BODY, strong=True)
    if session.step < session.reached:
        past = (x + wide + px(7), y - px(8))
        brush.text(f"of {session.reached:,}", past, theme.quiet, SMALL)
    # A headless film has no clock, hence no rate.
    status = "paused" if not app.playing else f"{app.rate:,.0f} steps/s" if app.rate else ""
    if session.waiting:
        status = "waiting for the first cell"
    brush.text(status, (x, y + px(10)), theme.quiet, SMALL, room=px(190))
    _span(app, brush, (foot.left + px(812), y))
    expectations = session.expectations
    right = foot.right - px(24)
    for number, result in enumerate(reversed(expectations)):
        color = theme.faint if result is None else theme.good if result.passed else theme.bad
        center = (right - px(6) - number * px(16), y)
        brush.disc(center, 5, color)
        if result is None:
            brush.disc(center, 3.5, theme.panel)
    if expectations:
        right -= len(expectations) * px(16) + px(8)
        brush.text(standing(expectations), (right, y), theme.quiet, SMALL, "right")


def _span(app: App, brush: Paint, place: tuple[int, int]) -> None:
    """Paint the steps that the film buttons will film."""
    first, last = app.span.bounds(app.session)
    chosen = "Film the marked steps" if app.span.marked else "Film the latest steps"
    title = "Recording" if app.recording else chosen
    brush.text(title, (place[0], place[1] - brush.px(8)), brush.theme.ink, SMALL)
    steps = f"{first:,} – {last:,}"
    brush.text(steps, (place[0], place[1] + brush.px(10)), brush.theme.quiet, SMALL)
