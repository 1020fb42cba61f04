"""The controls and their places: buttons and sliders, rebuilt for each layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from pygame import Rect

from swarm_nca.render import Rgb
from swarm_nca.viewer import commands, edits
from swarm_nca.viewer.dials import DIALS
from swarm_nca.viewer.faults import Fault, faults_of
from swarm_nca.viewer.keys import ACTIONS, Action
from swarm_nca.viewer.overlays import View
from swarm_nca.viewer.samples import picture, sample
from swarm_nca.viewer.starts import Start, starts_of
from swarm_nca.viewer.theme import Color, Theme, name_colors
from swarm_nca.viewer.timebar import TimeBar
from swarm_nca.viewer.tools import TOOLS, Tool
from swarm_nca.viewer.widgets import Button, Slider, Widget

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App

_BY_KEY = {action.keys[0]: action for action in ACTIONS}

#: Headings of the left rail and their distances from its top, at a scale of 1.
SECTIONS = {"Tools": 10, "Picture": 116, "Canvas": 216, "Disturb": 312, "Colours": 498}

#: The rail's width and margin, and the height of all pictures together.
_RAIL, _SIDE, _PICTURES = 184, 16, 72


def sections(app: App) -> dict[str, int]:
    """The headings of the left rail for the session's rule, and their distances from its top."""
    if app.session.rule.readout.class_names:
        return SECTIONS
    renamed = {"Picture": "Start"}
    return {renamed.get(name, name): top for name, top in SECTIONS.items() if name != "Colours"}


def widgets(app: App) -> list[Widget]:
    """All buttons and sliders except the time bar."""
    left = [*_tools(app), *_pictures(app), *_canvas(app), *_disturb(app)]
    if app.session.rule.readout.class_names:
        left += _colours(app)
    return [*_head(app), *_views(app), *left, *_foot(app)]


def timebar(app: App) -> TimeBar:
    """The time bar, at the foot."""
    px, foot = app.layout.px, app.layout.foot
    place = Rect(foot.left + px(24), foot.top + px(6), foot.width - px(48), px(38))
    return TimeBar(place, app.session, app.layout.scale, lambda: app.span)


def _head(app: App) -> Iterator[Widget]:
    px, head = app.layout.px, app.layout.head
    size, right = px(34), head.right - px(_SIDE)
    icons: tuple[tuple[str, Callable[[], str], Callable[[], bool]], ...] = (
        ("?", lambda: "help", lambda: app.help),
        ("t", lambda: "light" if app.theme.name == "dark" else "dark", bool),
        ("ctrl p", lambda: "open", bool),
        ("ctrl s", lambda: "save", bool),
        ("o", lambda: "record", lambda: app.recording),
        ("s", lambda: "screenshot", bool),
        ("a", lambda: "beside", lambda: app.beside is not None),
        *((("w", lambda: "worlds", bool),) if len(app.session.world) > 1 else ()),
    )
    for number, (key, icon, active) in enumerate(icons):
        place = Rect(right - size - number * (size + px(4)), 0, size, size)
        place.centery = head.centery
        yield _button(app, key, place, icon, active, quiet=True)


def _views(app: App) -> Iterator[Widget]:
    px, line = app.layout.px, app.layout.views
    gap, views = px(4), app.views
    width = min(px(92), (line.width - gap * (len(views) - 1)) // len(views))
    left = line.centerx - (width * len(views) + gap * (len(views) - 1)) // 2
    for number, view in enumerate(views):
        place = Rect(left + number * (width + gap), line.top, width, line.height)
        yield Button(
            place,
            f"{view.tip}  (v)",
            _viewing(app, view),
            text=view.name,
            active=_is_viewed(app, view),
            quiet=True,
        )


def _tools(app: App) -> Iterator[Widget]:
    px, left, top = app.layout.px, *_corner(app, "Tools")
    gap = px(6)
    width = (px(_RAIL) - 3 * gap) // 4
    for number, tool in enumerate(TOOLS):
        place = Rect(left + number * (width + gap), top, width, px(34))
        yield _button(app, tool.key, place, _named(tool.icon), _is_held(app, tool))
    yield _dial(app, "brush", Rect(left, top + px(41), px(_RAIL), px(34)), "[ and ]")


def _pictures(app: App) -> Iterator[Widget]:
    px, left, top = app.layout.px, *_corner(app, "Picture")
    names = app.session.rule.readout.class_names
    if not names:
        yield from _starts(app)
        return
    columns = 5 if len(names) <= 10 else 9
    gap = px(4)
    size = (px(_RAIL) - gap * (columns - 1)) // columns
    rows = -(-len(names) // columns)
    height = min(size + px(4), (px(_PICTURES) - gap * (rows - 1)) // rows)
    for number, name in enumerate(names):
        row, column = divmod(number, columns)
        place = Rect(left + column * (size + gap), top + row * (height + gap), size, height)
        key = f"  ({name})" if len(names) == 10 and number < 10 else ""
        again = f"Press again: another {name}{key}"
        tip = f"Change the picture to {name}; cells keep their states. {again}"
        if sample(name, 0) is None:
            yield Button(place, f"{name}: no built-in picture", _mutating(app, number), text=name)
        else:
            yield Button(
                place,
                tip,
                _mutating(app, number),
                picture=_thumbnail(app, name),
                color=_color(app, number),
                active=_is_labelled(app, number),
            )


def _starts(app: App) -> Iterator[Widget]:
    """The start buttons of a rule without classes."""
    px, left, top = app.layout.px, *_corner(app, "Picture")
    half = (px(_RAIL) - px(6)) // 2
    for number, start in enumerate(starts_of(app.session.rule)):
        place = Rect(left + number % 2 * (half + px(6)), top + number // 2 * px(38), half, px(32))
        yield Button(place, start.tip, _starting(app, start), text=start.name)


def _canvas(app: App) -> Iterator[Widget]:
    px, left, top = app.layout.px, *_corner(app, "Canvas")
    gap = px(4)
    fourth = (px(_RAIL) - 3 * px(6)) // 4
    row: tuple[tuple[str, str, Callable[[], bool]], ...] = (
        ("f", "fill", bool),
        ("c", "clear", bool),
        ("ctrl z", "undo", lambda: not app.trail.undoable),
        ("ctrl y", "redo", lambda: not app.trail.redoable),
    )
    for number, (key, icon, idle) in enumerate(row):
        place = Rect(left + number * (fourth + px(6)), top, fourth, px(32))
        yield _button(app, key, place, _named(icon), idle=idle)
    top += px(38)
    width = (px(_RAIL) - 4 * gap) // 5
    for number, side in enumerate(app.SIDES):
        place = Rect(left + number * (width + gap), top, width, px(28))
        tip = f"New canvas of {side} × {side} pixels; undo brings this one back  (k)"
        yield Button(
            place,
            tip,
            _resizing(app, side),
            text=str(side),
            active=_is_sized(app, side),
            quiet=True,
        )


def _disturb(app: App) -> Iterator[Widget]:
    px, left, top = app.layout.px, *_corner(app, "Disturb")
    yield _dial(app, "strength", Rect(left, top, px(_RAIL), px(34)), "b and B")
    faults = faults_of(app.session.rule)
    gap, columns = px(6), -(-len(faults) // 2)
    width, height = (px(_RAIL) - gap * (columns - 1)) // columns, px(32)
    for number, fault in enumerate(faults):
        row, column = divmod(number, columns)
        corner = (left + column * (width + gap), top + px(40) + row * (height + gap))
        yield _fault(app, fault, Rect(corner, (width, height)))
    # The longer name gets more room.
    low, firing, noise = top + px(118), px(101), px(_RAIL) - px(109)
    yield _dial(app, "fire rate", Rect(left, low, firing, px(34)), "u and U")
    yield _dial(app, "noise", Rect(left + px(_RAIL) - noise, low, noise, px(34)), "g and G")


def _colours(app: App) -> Iterator[Widget]:
    px, left, top = app.layout.px, *_corner(app, "Colours")
    yield _dial(app, "hue", Rect(left, top, px(_RAIL), px(34)), "h and H")


def _foot(app: App) -> Iterator[Widget]:
    px, foot = app.layout.px, app.layout.foot
    top, size = foot.top + px(52), px(40)
    left = foot.left + px(24)
    play = Rect(left, top, px(64), size)
    yield _button(
        app, "space", play, lambda: "pause" if app.playing else "play", lambda: app.playing
    )
    yield _button(app, ".", Rect(play.right + px(6), top, size, size), _named("step"))
    again = Rect(play.right + px(12) + size, top, size, size)
    yield _button(app, "home", again, _named("begin"))
    last = len(app.SPEEDS) - 1
    yield Slider(
        Rect(again.right + px(24), top + px(3), px(200), px(34)),
        "Simulation speed: one step per 60 frames up to as fast as possible  (+ and -)",
        "Speed",
        lambda: app.speed / last,
        lambda share: setattr(app, "speed", round(share * last)),
        lambda: _pace(app.SPEEDS[app.speed]),
    )
    left = foot.left + px(640)
    films: tuple[tuple[str, str, Callable[[], bool]], ...] = (
        ("(", "mark in", lambda: app.span.first is not None),
        (")", "mark out", lambda: app.span.last is not None),
        ("O", "film", bool),
    )
    for key, name, active in films:
        place = Rect(left, top + px(3), px(34), px(34))
        yield _button(app, key, place, _named(name), active)
        left += px(40)
    gif = _BY_KEY["ctrl o"]
    place = Rect(left, top + px(3), px(40), px(34))
    yield Button(place, gif.tip, lambda: gif.do(app), text="GIF")


def _pace(speed: float) -> str:
    return "as fast as possible" if speed == inf else f"{speed:g} steps per second"


def _corner(app: App, section: str) -> tuple[int, int]:
    px, rail = app.layout.px, app.layout.left
    return rail.left + px(_SIDE), rail.top + px(SECTIONS[section] + 20)


def _button(
    app: App,
    key: str,
    place: Rect,
    icon: Callable[[], str],
    active: Callable[[], bool] = bool,
    quiet: bool = False,
    idle: Callable[[], bool] = bool,
) -> Button:
    action: Action = _BY_KEY[key]
    return Button(
        place, action.tip, lambda: action.do(app), icon, active=active, quiet=quiet, idle=idle
    )


def _dial(app: App, name: str, place: Rect, keys: str) -> Slider:
    dial = DIALS[name]
    return Slider(
        place,
        f"{dial.tip}  ({keys})",
        dial.label,
        lambda: dial.share(app),
        lambda share: dial.set_share(app, share),
        lambda: dial.shown(dial.read(app)),
    )


def _fault(app: App, fault: Fault, place: Rect) -> Button:
    return Button(
        place,
        f"{fault.words}  ({fault.key})",
        lambda: fault.strike(app),
        _named(fault.icon),
        active=lambda: fault.lasts(app),
    )


def _named(name: str) -> Callable[[], str]:
    return lambda: name


def _is_held(app: App, tool: Tool) -> Callable[[], bool]:
    return lambda: app.tool is tool


def _viewing(app: App, view: View) -> Callable[[], None]:
    def choose() -> None:
        if app.view is view and view.name == "Channel":
            commands.next_channel(1)(app)
        app.view = view

    return choose


def _is_viewed(app: App, view: View) -> Callable[[], bool]:
    return lambda: app.view is view


def _mutating(app: App, number: int) -> Callable[[], None]:
    return lambda: app.mutate(number)


def _starting(app: App, start: Start) -> Callable[[], None]:
    return lambda: edits.begin(app, start)


def _is_labelled(app: App, number: int) -> Callable[[], bool]:
    return lambda: int(app.session.alone.label[0]) == number


def _resizing(app: App, side: int) -> Callable[[], None]:
    return lambda: app.resize_canvas(side)


def _is_sized(app: App, side: int) -> Callable[[], bool]:
    return lambda: app.extent == (side, side)


def _thumbnail(app: App, name: str) -> Callable[[], Rgb]:
    return lambda: _inked(name, app.samples.get(name, 0), app.theme)


def _color(app: App, number: int) -> Callable[[], Color]:
    readout = app.session.rule.readout

    def color() -> Color:
        red, green, blue = name_colors(readout, app.hue, app.theme.paper)[number].tolist()
        return red, green, blue

    return color


@lru_cache(maxsize=512)
def _inked(name: str, which: int, theme: Theme) -> Rgb:
    """A sample drawn in the theme's colours, uint8 [H, W, 3]."""
    source = sample(name, which)
    grey = None if source is None else picture(source)
    if grey is None:
        return np.full((1, 1, 3), theme.paper, np.uint8)
    paper, pen = np.array(theme.paper, np.float32), np.array(theme.ink, np.float32)
    return (paper + (pen - paper) * grey[:, :, None]).astype(np.uint8)
