"""Which controls there are, and where: rails of buttons and sliders, made anew for each layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from pygame import Rect

from swarm_nca.portrait import Rgb
from swarm_nca.viewer import verbs
from swarm_nca.viewer.keys import ACTIONS, Action
from swarm_nca.viewer.overlays import VIEWS, View
from swarm_nca.viewer.samples import picture, sample
from swarm_nca.viewer.theme import Theme, turned
from swarm_nca.viewer.timebar import TimeBar
from swarm_nca.viewer.tools import TOOLS, Tool
from swarm_nca.viewer.widgets import Button, Slider, Widget

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App

_BY_KEY = {action.keys[0]: action for action in ACTIONS}

#: Headings of the left rail and their heights above its top, at a scale of 1.
SECTIONS = {"Hand": 14, "Picture": 132, "Disturb": 336, "Colours": 464}

_RAIL, _SIDE = 184, 16


def widgets(app: App) -> list[Widget]:
    """All buttons and sliders but the time bar."""
    return [*_head(app), *_views(app), *_hand(app), *_pictures(app), *_disturb(app), *_foot(app)]


def timebar(app: App) -> TimeBar:
    """The time bar, at the foot."""
    px, foot = app.layout.px, app.layout.foot
    place = Rect(foot.left + px(24), foot.top + px(6), foot.width - px(48), px(38))
    return TimeBar(place, app.session, app.layout.scale)


def _head(app: App) -> Iterator[Widget]:
    px, head = app.layout.px, app.layout.head
    size, right = px(34), head.right - px(_SIDE)
    icons: tuple[tuple[str, Callable[[], str], Callable[[], bool]], ...] = (
        ("?", lambda: "help", lambda: app.help),
        ("t", lambda: "light" if app.theme.name == "dark" else "dark", bool),
        ("ctrl s", lambda: "save", bool),
        ("o", lambda: "record", lambda: app.recording is not None),
        ("s", lambda: "screenshot", bool),
    )
    for number, (key, icon, active) in enumerate(icons):
        place = Rect(right - size - number * (size + px(4)), 0, size, size)
        place.centery = head.centery
        yield _button(app, key, place, icon, active, quiet=True)


def _views(app: App) -> Iterator[Widget]:
    px, line = app.layout.px, app.layout.views
    gap = px(4)
    width = min(px(92), (line.width - gap * (len(VIEWS) - 1)) // len(VIEWS))
    left = line.centerx - (width * len(VIEWS) + gap * (len(VIEWS) - 1)) // 2
    for number, view in enumerate(VIEWS):
        place = Rect(left + number * (width + gap), line.top, width, line.height)
        yield Button(
            place,
            f"{view.tip}  (v)",
            _viewing(app, view),
            text=view.name,
            active=_is_viewed(app, view),
            quiet=True,
        )


def _hand(app: App) -> Iterator[Widget]:
    px, left, top = app.layout.px, *_corner(app, "Hand")
    gap = px(6)
    width = (px(_RAIL) - 3 * gap) // 4
    for number, tool in enumerate(TOOLS):
        place = Rect(left + number * (width + gap), top, width, px(38))
        yield _button(app, tool.key, place, _named(tool.icon), _is_held(app, tool))
    low, high = app.BRUSH
    yield Slider(
        Rect(left, top + px(48), px(_RAIL), px(34)),
        "How wide the pen is; eraser and damage are wider  ([ and ])",
        "Brush",
        lambda: (app.brush - low) / (high - low),
        lambda share: setattr(app, "brush", round(low + share * (high - low), 1)),
        lambda: f"{app.brush:.1f} px",
    )


def _pictures(app: App) -> Iterator[Widget]:
    px, left, top = app.layout.px, *_corner(app, "Picture")
    names = app.session.rule.classes.names
    columns = 5 if len(names) <= 15 else 9
    gap = px(4)
    size = (px(_RAIL) - gap * (columns - 1)) // columns
    for number, name in enumerate(names):
        row, column = divmod(number, columns)
        place = Rect(left + column * (size + gap), top + row * (size + gap), size, size)
        key = f"  ({name})" if len(names) == 10 and number < 10 else ""
        tip = f"Change the picture into {name}; cells keep what they hold. Again: another{key}"
        if sample(name, 0) is None:
            yield Button(
                place, f"{name}: no picture of it offline", _mutating(app, number), text=name
            )
        else:
            yield Button(
                place,
                tip,
                _mutating(app, number),
                picture=_thumbnail(app, name),
                active=_is_labelled(app, number),
            )
    top += -(-len(names) // columns) * (size + gap) + px(8)
    half = (px(_RAIL) - px(6)) // 2
    fill, clear = Rect(left, top, half, px(34)), Rect(left + half + px(6), top, half, px(34))
    yield _button(app, "f", fill, _named("fill"))
    yield _button(app, "c", clear, _named("clear"))
    top += px(42)
    width = (px(_RAIL) - 4 * gap) // 5
    for number, side in enumerate(app.SIDES):
        place = Rect(left + number * (width + gap), top, width, px(28))
        tip = f"A new canvas of {side} × {side} pixels  (k)"
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
    yield Slider(
        Rect(left, top, px(_RAIL), px(34)),
        "The share of messages between cells that get lost  (l and L)",
        "Lost messages",
        lambda: app.session.world.links.drop,
        lambda share: verbs.lose(app, share),
        lambda: f"{app.session.world.links.drop:.0%}",
    )
    yield Slider(
        Rect(left, top + px(42), px(_RAIL) - px(46), px(34)),
        "How strong a jolt is  (b and B)",
        "Jolt",
        lambda: app.jolt / 2,
        lambda share: setattr(app, "jolt", max(0.1, round(2 * share, 1))),
        lambda: f"{app.jolt:.1f}",
    )
    place = Rect(left + px(_RAIL) - px(38), top + px(42), px(38), px(34))
    yield _button(app, "j", place, _named("jolt"))
    _, low = _corner(app, "Colours")
    yield Slider(
        Rect(left, low, px(_RAIL), px(34)),
        "Turn the classes' colours to ones you can tell apart  (h and H)",
        "Hue",
        lambda: app.hue,
        lambda share: setattr(app, "hue", round(share, 3) % 1.0),
        lambda: f"{app.hue * 360:.0f}°",
    )


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
    yield _button(app, "r", again, _named("restart"))
    last = len(app.SPEEDS) - 1
    yield Slider(
        Rect(again.right + px(24), top + px(3), px(200), px(34)),
        "How fast time runs, from one step in sixty frames to all there is time for  (+ and -)",
        "Speed",
        lambda: app.speed / last,
        lambda share: setattr(app, "speed", round(share * last)),
        lambda: _pace(app.SPEEDS[app.speed]),
    )


def _pace(speed: float) -> str:
    return "unlimited" if speed == inf else f"{speed:g} per second"


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
) -> Button:
    action: Action = _BY_KEY[key]
    return Button(place, action.tip, lambda: action.do(app), icon, active=active, quiet=quiet)


def _named(name: str) -> Callable[[], str]:
    return lambda: name


def _is_held(app: App, tool: Tool) -> Callable[[], bool]:
    return lambda: app.tool is tool


def _viewing(app: App, view: View) -> Callable[[], None]:
    return lambda: setattr(app, "view", view)


def _is_viewed(app: App, view: View) -> Callable[[], bool]:
    return lambda: app.view is view


def _mutating(app: App, number: int) -> Callable[[], None]:
    return lambda: app.mutate(number)


def _is_labelled(app: App, number: int) -> Callable[[], bool]:
    return lambda: int(app.session.alone.label[0]) == number


def _resizing(app: App, side: int) -> Callable[[], None]:
    return lambda: app.resize_canvas(side)


def _is_sized(app: App, side: int) -> Callable[[], bool]:
    return lambda: app.extent == (side, side)


def _thumbnail(app: App, name: str) -> Callable[[], Rgb]:
    classes = app.session.rule.classes
    color = classes.colors[classes.names.index(name)]
    return lambda: _inked(name, app.samples.get(name, 0), app.theme, turned(color, app.hue))


@lru_cache(maxsize=512)
def _inked(name: str, which: int, theme: Theme, color: tuple[int, int, int]) -> Rgb:
    """A sample in its class's colour."""
    source = sample(name, which)
    grey = None if source is None else picture(source)
    if grey is None:
        return np.full((1, 1, 3), theme.paper, np.uint8)
    paper, pen = np.array(theme.paper, np.float32), np.array(color, np.float32)
    return (paper + (pen - paper) * grey[:, :, None]).astype(np.uint8)
