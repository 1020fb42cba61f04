"""Input: mouse, fingers, keyboard and window events, and strokes not yet finished."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pygame
from pygame.event import Event

from swarm_nca.viewer import commands, edits
from swarm_nca.viewer.keys import ACTIONS, key_of
from swarm_nca.viewer.layout import layout_of
from swarm_nca.viewer.picker import LINES, Picker, line_at, panel_of
from swarm_nca.viewer.tools import ERASER, INSPECT, Tool
from swarm_nca.viewer.widgets import Point, Widget

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App

#: The mouse's number among the pointers; the touch id of a touchpad that only moves the mouse.
_MOUSE, _TOUCHPAD = -1, -1

#: The place of a pointer outside the window.
_AWAY = (-1, -1)


@dataclass
class Grip:
    """What the mouse, or one of several fingers, is dragging.

    Attributes:
        widget: a control being dragged.
        tool: the tool used on the canvas with the number `pane`.
        line: the (row, column) passed since the last picture.
        hold: where the picture was last held, to move it; `panned` once it was moved.
    """

    widget: Widget | None = None
    tool: Tool | None = None
    pane: int = 0
    line: list[tuple[float, float]] = field(default_factory=list)
    hold: Point | None = None
    panned: bool = False


class Hand:
    """Applies events to an app; remembers what each pointer is dragging."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._grips: dict[int, Grip] = {}
        # Whether the space bar is down, and whether that has paused or started the session.
        self._space = self._paused = False

    def handle(self, event: Event) -> None:
        """Handle one event; other kinds have no effect."""
        handler = _HANDLERS.get(event.type)
        if handler is not None:
            handler(self, event)

    def flush(self) -> None:
        """Apply the lines drawn since the last picture."""
        for grip in self._grips.values():
            if len(grip.line) > 1:
                self._use(grip)

    def _use(self, grip: Grip) -> None:
        app, tool = self._app, grip.tool
        if tool is None or tool.deed is None:
            return
        radius = round(app.brush * tool.wider, 2)
        # An edited picture has no known label.
        label = -1 if int(app.session.alone.label[0]) >= 0 else None
        with contextlib.suppress(ValueError):  # a line outside the canvas draws nothing
            deed = tool.deed(grip.line, radius, label)
            with app.trail.change(app.session, deed.kind):
                app.session.edit(deed)
        grip.line = grip.line[-1:]

    # ------------------------------------------------- keyboard and window

    def _quit(self, event: Event) -> None:
        self._app.running = False

    def _key(self, event: Event) -> None:
        key = key_of(event)
        self._app.trail.end()
        if self._app.picker is not None:
            self._pick(self._app.picker, key)
            return
        self._space = self._paused = key == "space"
        for action in ACTIONS:
            if key in action.keys:
                action.do(self._app)
                return
        if len(key) == 1 and key in "0123456789":
            self._app.mutate(int(key))

    def _pick(self, picker: Picker, key: str) -> None:
        """Keys while the list of rules and scenarios is open."""
        moves = {"up": -1, "down": 1, "page up": -LINES, "page down": LINES}
        if key in moves:
            picker.move(moves[key])
        elif key in ("home", "end"):
            picker.move(len(picker.entries) * (1 if key == "end" else -1))
        elif key == "enter":
            commands.pick(self._app)
        elif key in ("escape", "ctrl p"):
            self._app.picker = None
        elif key == "delete":
            picker.erase()
        elif len(key) == 1 or key == "space":
            picker.type(" " if key == "space" else key)

    def _key_up(self, event: Event) -> None:
        if event.key == pygame.K_SPACE:
            self._space = self._paused = False

    def _wheel(self, event: Event) -> None:
        app, direction = self._app, 1 if event.y > 0 else -1
        if app.picker is not None:
            app.picker.move(-direction)
            return
        over = app.zoomable and app.layout.stage.collidepoint(app.pointer)
        if over and not _held(pygame.KMOD_SHIFT):
            app.zoom(direction, app.pointer)
        else:
            commands.nudge("brush", direction)(app)

    def _resized(self, event: Event) -> None:
        self._app.arrange(layout_of((max(event.x, 320), max(event.y, 240))))

    def _dropped(self, event: Event) -> None:
        edits.drop(self._app, event.file)

    # -------------------------------------------------- mouse and fingers

    def _pressed(self, event: Event) -> None:
        if not getattr(event, "touch", False):  # a finger also sends its own events
            self._press(_MOUSE, event.pos, event.button)

    def _moved(self, event: Event) -> None:
        if not getattr(event, "touch", False):
            self._move(_MOUSE, event.pos)

    def _released(self, event: Event) -> None:
        if not getattr(event, "touch", False):
            self._release(_MOUSE)

    def _finger_down(self, event: Event) -> None:
        if event.touch_id != _TOUCHPAD:
            self._press(event.finger_id, self._under(event), 1)

    def _finger_moved(self, event: Event) -> None:
        if event.finger_id in self._grips:
            self._move(event.finger_id, self._under(event))

    def _finger_up(self, event: Event) -> None:
        if event.finger_id in self._grips:
            self._release(event.finger_id)
            self._app.pointer = _AWAY

    def _under(self, event: Event) -> Point:
        """A finger's place in pixels; the event gives it as a share of the window's sides."""
        width, height = self._app.layout.window.size
        return round(event.x * width), round(event.y * height)

    def _press(self, pointer: int, point: Point, button: int) -> None:
        app = self._app
        app.pointer = point
        if app.help:
            app.help = False
            return
        if app.picker is not None:
            number = line_at(app.picker, app.layout, point)
            if number is not None:
                app.picker.chosen = number
                commands.pick(app)
            elif not panel_of(app.layout).collidepoint(point):
                app.picker = None
            return
        app.trail.begin()
        grip = self._grips[pointer] = Grip()
        if button == 1:
            grip.widget = app.widget_at(point)
            if grip.widget is not None:
                if grip.widget is app.timebar:
                    app.playing = False
                grip.widget.press(point)
                return
        # A stroke may begin a little outside the canvas.
        if button not in (1, 2, 3) or not app.layout.stage.inflate(8, 8).collidepoint(point):
            return
        if app.touchable:
            self._touch(grip, point, button)
        else:
            app.choose_tile(point)

    def _touch(self, grip: Grip, point: Point, button: int) -> None:
        app = self._app
        if (
            app.zoomable
            and app.camera.zoom > 1.0
            and (button == 2 or (self._space and button == 1))
        ):
            grip.hold = point
            if self._paused:  # the space bar moves the picture and is not a command
                app.playing, self._paused = not app.playing, False
            return
        erases = button == 3 or (button == 1 and _held(pygame.KMOD_SHIFT))
        grip.tool = INSPECT if button == 2 else ERASER if erases else app.tool
        grip.pane = app.pane_at(point)
        place = app.place_of(point, grip.pane)
        if grip.tool is INSPECT:
            app.question(place, grip.pane)
            return
        grip.line = [place]
        self._use(grip)

    def _move(self, pointer: int, point: Point) -> None:
        app, grip = self._app, self._grips.get(pointer)
        app.pointer = point
        if app.picker is not None:
            number = line_at(app.picker, app.layout, point)
            app.picker.chosen = app.picker.chosen if number is None else number
        if grip is None:
            return
        # The second rule and its canvas may have been removed since the press.
        pane = min(grip.pane, len(app.canvases) - 1)
        if grip.hold is not None:
            app.pan(point[0] - grip.hold[0], point[1] - grip.hold[1])
            grip.hold, grip.panned = point, grip.panned or point != grip.hold
        elif grip.widget is not None:
            grip.widget.drag(point)
        elif grip.tool is INSPECT:
            app.question(app.place_of(point, pane), pane)
        elif grip.tool is not None:
            grip.line.append(app.place_of(point, pane))

    def _release(self, pointer: int) -> None:
        self.flush()
        grip = self._grips.pop(pointer, None)
        if grip is not None and grip.hold is not None and not (grip.panned or self._space):
            pane = self._app.pane_at(grip.hold)  # a click of the middle button
            self._app.question(self._app.place_of(grip.hold, pane), pane)
        if not self._grips:
            self._app.trail.end()


def _held(modifier: int) -> bool:
    """Whether a modifier key is down."""
    return pygame.display.get_init() and bool(pygame.key.get_mods() & modifier)


_HANDLERS: dict[int, Callable[[Hand, Event], None]] = {
    pygame.QUIT: Hand._quit,
    pygame.KEYDOWN: Hand._key,
    pygame.KEYUP: Hand._key_up,
    pygame.MOUSEBUTTONDOWN: Hand._pressed,
    pygame.MOUSEMOTION: Hand._moved,
    pygame.MOUSEBUTTONUP: Hand._released,
    pygame.MOUSEWHEEL: Hand._wheel,
    pygame.FINGERDOWN: Hand._finger_down,
    pygame.FINGERMOTION: Hand._finger_moved,
    pygame.FINGERUP: Hand._finger_up,
    pygame.WINDOWRESIZED: Hand._resized,
    pygame.DROPFILE: Hand._dropped,
}
