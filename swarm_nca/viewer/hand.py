"""The hand that touches the app: pointer, keyboard and window events, and strokes in the making."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import pygame
from pygame.event import Event

from swarm_nca.viewer import verbs
from swarm_nca.viewer.keys import ACTIONS, key_of
from swarm_nca.viewer.layout import layout_of
from swarm_nca.viewer.tools import ERASER, INSPECT, Tool
from swarm_nca.viewer.widgets import Widget

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App


class Hand:
    """What the pointer holds, and what events do to an app."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._widget: Widget | None = None
        self._tool: Tool | None = None
        self._pane = 0
        self._line: list[tuple[float, float]] = []

    def handle(self, event: Event) -> None:
        """One event; those of other kinds do nothing."""
        handler = _HANDLERS.get(event.type)
        if handler is not None:
            handler(self, event)

    def flush(self, keep: bool = False) -> None:
        """Let the line drawn since the last picture take effect; `keep` also a single point."""
        app, tool = self._app, self._tool
        if tool is None or tool.deed is None or (len(self._line) < 2 and not keep):
            return
        radius = round(app.brush * tool.wider, 2)
        # Nobody knows what a picture is that somebody draws on.
        label = -1 if int(app.session.alone.label[0]) >= 0 else None
        with contextlib.suppress(ValueError):  # a line that runs beside the canvas draws nothing
            app.session.edit(tool.deed(self._line, radius, label))
        self._line = self._line[-1:]

    def _quit(self, event: Event) -> None:
        self._app.running = False

    def _key(self, event: Event) -> None:
        key = key_of(event)
        for action in ACTIONS:
            if key in action.keys:
                action.do(self._app)
                return
        if len(key) == 1 and key in "0123456789":
            self._app.mutate(int(key))

    def _wheel(self, event: Event) -> None:
        verbs.nudge("brush", 1 if event.y > 0 else -1)(self._app)

    def _resized(self, event: Event) -> None:
        self._app.arrange(layout_of((max(event.x, 320), max(event.y, 240))))

    def _dropped(self, event: Event) -> None:
        self._app.drop(event.file)

    def _pressed(self, event: Event) -> None:
        app = self._app
        app.pointer = event.pos
        if app.help:
            app.help = False
            return
        if event.button == 1:
            self._widget = app.widget_at(event.pos)
            if self._widget is not None:
                if self._widget is app.timebar:
                    app.playing = False
                self._widget.press(event.pos)
                return
        # A stroke may begin a little beside the canvas, where it has room.
        near = app.layout.stage.inflate(8, 8).collidepoint(event.pos)
        if event.button in (1, 2, 3) and app.touchable and near:
            self._touch(event)

    def _touch(self, event: Event) -> None:
        app = self._app
        shift = pygame.display.get_init() and bool(pygame.key.get_mods() & pygame.KMOD_SHIFT)
        erases = event.button == 3 or (event.button == 1 and shift)
        tool = INSPECT if event.button == 2 else ERASER if erases else app.tool
        self._pane = app.pane_at(event.pos)
        place = app.place_of(event.pos, self._pane)
        if tool is INSPECT:
            app.question(place, self._pane)
            return
        self._tool, self._line = tool, [place]
        self.flush(keep=True)

    def _moved(self, event: Event) -> None:
        self._app.pointer = event.pos
        if self._widget is not None:
            self._widget.drag(event.pos)
        elif self._tool is not None:
            self._line.append(self._app.place_of(event.pos, self._pane))

    def _released(self, event: Event) -> None:
        self.flush()
        self._widget = self._tool = None
        self._line = []


_HANDLERS: dict[int, Callable[[Hand, Event], None]] = {
    pygame.QUIT: Hand._quit,
    pygame.KEYDOWN: Hand._key,
    pygame.MOUSEBUTTONDOWN: Hand._pressed,
    pygame.MOUSEMOTION: Hand._moved,
    pygame.MOUSEBUTTONUP: Hand._released,
    pygame.MOUSEWHEEL: Hand._wheel,
    pygame.WINDOWRESIZED: Hand._resized,
    pygame.DROPFILE: Hand._dropped,
}
