"""Films: replays a span of a session's steps and paints each one.

The film works on a copy of the session, a few pictures per frame of the window, so the session can
go on meanwhile. Past steps are replayed from keyframes.
"""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING

from pygame import Rect, Surface

from swarm_nca.render import Rgb
from swarm_nca.viewer import panes
from swarm_nca.viewer.lettering import BODY, SMALL
from swarm_nca.viewer.paint import Paint, pixels_of
from swarm_nca.viewer.saving import moving_bytes

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App

#: Maximum number of pictures in a film; longer spans show every second step, every third, …
MOST = 240

#: Milliseconds that a picture stays, and the last one; steps for which an edit is named.
_STAYS, _ENDS, _NEWS = 33, 1_000, 24

#: Side of one canvas, and of each of two; the margin, and the lines above and below, in pixels.
_ALONE, _TWO, _MARGIN, _HEAD, _FOOT = 420, 308, 16, 40, 40


class Film:
    """A film of some steps of a session, in the view shown when the film starts.

    Args:
        app: the session and its view settings.
        first, last: the steps, both included.
        kind: `.webp` or `.gif`.
    """

    def __init__(self, app: App, first: int, last: int, kind: str) -> None:
        self.first, self.last, self.kind = first, last, kind
        self._view, self._session = app.view, app.session.copy()
        self._theme, self._hue, self._channel = app.theme, app.hue, app.channel
        self._touchable = app.touchable
        self._stride = -(-(last - first + 1) // MOST)
        self._frames: list[Rgb] = []
        self._session.seek(first)

    @property
    def done(self) -> bool:
        """Whether all pictures are painted."""
        return self._session.step >= self.last and bool(self._frames)

    @property
    def progress(self) -> float:
        """The share of steps painted, in [0, 1]."""
        return (self._session.step - self.first) / max(1, self.last - self.first)

    def work(self, seconds: float = inf) -> None:
        """Paint more pictures, for about so many seconds.

        Raises:
            ValueError: no cell is alive before the last step, so the film cannot go on.
        """
        until = time.perf_counter() + seconds
        while not self.done:
            if self._frames and not self._session.advance():
                raise ValueError(f"no cell is alive at step {self._session.step}")
            step = self._session.step
            if (step - self.first) % self._stride == 0 or step == self.last:
                self._frames.append(self._picture())
            if time.perf_counter() > until:
                return

    def bytes(self) -> bytes:
        """The film as the bytes of a file."""
        stays = [_STAYS] * (len(self._frames) - 1) + [_ENDS]
        return moving_bytes(self._frames, self.kind, stays)

    def _picture(self) -> Rgb:
        sessions = self._session.side_by_side
        side = _ALONE if len(sessions) == 1 else _TWO
        detail = max(1, side // max(self._session.alone.picture().shape))
        looks = panes.looks_of(sessions, self._theme, self._hue, self._channel, detail)
        width = len(looks) * (side + _MARGIN) + _MARGIN
        surface = Surface((width, _HEAD + side + _FOOT))
        paint = Paint(surface, self._theme, 1.0)
        surface.fill(self._theme.panel)
        rects = [
            Rect(_MARGIN + number * (side + _MARGIN), _HEAD, side, side)
            for number in range(len(looks))
        ]
        places = panes.canvases(paint, self._view, looks, rects, self._touchable)
        panes.names(paint, sessions, looks, places if self._touchable else rects)
        self._time(paint, Rect(_MARGIN, _HEAD + side, width - 2 * _MARGIN, _FOOT))
        return pixels_of(surface)

    def _time(self, paint: Paint, place: Rect) -> None:
        """The step, the latest edit, and a progress bar."""
        theme, step = self._theme, self._session.step
        y = place.top + 18
        paint.text(f"step {step:,}", (place.left, y), theme.ink, BODY)
        recent = [edit for edit in self._session.plan if step - _NEWS < edit.at <= step]
        if recent:
            kind = recent[-1].perturbation.kind
            paint.text(kind, (place.right, y), theme.accent, SMALL, "right")
        track = Rect(place.left, place.bottom - 10, place.width, 3)
        paint.bar(track, theme.track)
        paint.bar(Rect(track.topleft, (round(track.width * self.progress), 3)), theme.accent)
