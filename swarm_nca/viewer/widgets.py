"""Widgets: a button and a slider. They store only their place; all state is in the app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pygame import Rect

from swarm_nca.render import Rgb
from swarm_nca.viewer.lettering import BODY, SMALL
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.theme import Color, blend

Point = tuple[int, int]


class Widget(Protocol):
    """A control on the window."""

    @property
    def place(self) -> Rect:
        """Its rectangle on the window."""

    @property
    def tip(self) -> str:
        """The tooltip: its effect, and its key in brackets."""

    def draw(self, paint: Paint, hovered: bool) -> None:
        """Paint the widget."""

    def press(self, point: Point) -> None:
        """Handle a press of the pointer."""

    def drag(self, point: Point) -> None:
        """Handle a move of the pressed pointer."""


@dataclass(frozen=True, eq=False)
class Button:
    """Calls its action when pressed; is highlighted while `active()`.

    Attributes:
        icon: returns the icon's name, which may change.
        text: instead of an icon.
        picture: instead of both: returns a picture in the theme's colours.
        color: returns the colour of the bar below the picture.
        quiet: no box behind it unless active or hovered.
        idle: whether a press has no effect now; the icon is faint then.
    """

    place: Rect
    tip: str
    action: Callable[[], None]
    icon: Callable[[], str] | None = None
    text: str = ""
    picture: Callable[[], Rgb] | None = None
    color: Callable[[], Color] | None = None
    active: Callable[[], bool] = bool
    quiet: bool = False
    idle: Callable[[], bool] = bool

    def draw(self, paint: Paint, hovered: bool) -> None:
        """Paint the button."""
        theme, active = paint.theme, self.active()
        face = theme.accent if active and self.picture is None else theme.raised
        if hovered:
            face = blend(face, theme.ink, 0.1)
        ink = theme.panel if active else theme.faint if self.idle() else theme.ink
        if self.picture is not None:
            self._pictured(paint, self.picture(), active, hovered)
            return
        if active or hovered or not self.quiet:
            paint.box(self.place, face, 6)
        if self.icon is not None:
            paint.icon(self.icon(), self.place.center, ink, 19)
        else:
            middle = (self.place.centerx, self.place.centery)
            paint.text(self.text, middle, ink, BODY, "center", room=self.place.width)

    def _pictured(self, paint: Paint, rgb: Rgb, active: bool, hovered: bool) -> None:
        theme, place = paint.theme, self.place
        margin = paint.px(3 if place.width > paint.px(24) else 1)
        paint.box(place, theme.paper, 5, theme.accent if active or hovered else theme.line)
        if active:
            paint.box(place.inflate(-paint.px(2), -paint.px(2)), theme.paper, 4, theme.accent)
        bar = 0 if self.color is None else paint.px(4)
        side = min(place.width, place.height - bar) - 2 * margin
        room = Rect(0, place.top + margin - bool(bar), side, side)
        room.centerx = place.centerx
        paint.pixels(rgb, room)
        if self.color is not None:
            strip = Rect(0, 0, place.width - 2 * margin - paint.px(4), bar)
            strip.midbottom = (place.centerx, place.bottom - margin)
            paint.box(strip, self.color(), 2)

    def press(self, point: Point) -> None:
        """Call the action."""
        self.action()

    def drag(self, point: Point) -> None:
        """No effect: a button acts once per press."""


@dataclass(frozen=True, eq=False)
class Slider:
    """Shows a share in [0, 1] and sets it by dragging.

    Attributes:
        label: the name of the setting.
        shown: returns the value as text.
    """

    place: Rect
    tip: str
    label: str
    get: Callable[[], float]
    set: Callable[[float], None]
    shown: Callable[[], str]

    def draw(self, paint: Paint, hovered: bool) -> None:
        """Paint label and value above, the track below."""
        theme, place = paint.theme, self.place
        middle = place.top + paint.px(8)
        paint.text(self.label, (place.left, middle), theme.quiet, SMALL)
        paint.text(self.shown(), (place.right, middle), theme.ink, SMALL, "right")
        y, knob = place.bottom - paint.px(8), paint.px(7 if hovered else 6)
        left, length = self._track(paint.px(6))
        track = Rect(left, y - paint.px(2), length, paint.px(4))
        paint.box(track, theme.track, 2)
        x = left + round(length * min(max(self.get(), 0.0), 1.0))
        paint.filled(track, x - left, theme.accent, 2)
        paint.disc((x, y), knob / paint.scale, theme.accent)
        paint.disc((x, y), (knob - paint.px(2)) / paint.scale, theme.panel)

    def press(self, point: Point) -> None:
        """Set the share at the pointer's place."""
        left, length = self._track(6)
        self.set(min(max((point[0] - left) / max(1, length), 0.0), 1.0))

    def drag(self, point: Point) -> None:
        """Set the share at the pointer's place."""
        self.press(point)

    def _track(self, margin: int) -> tuple[int, int]:
        return self.place.left + margin, self.place.width - 2 * margin
