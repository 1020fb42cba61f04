"""The time bar: how far the session has come, what happened when, and what was expected of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pygame import Rect

from swarm_nca.scenario.schema import Expect
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.span import Span

#: Steps that the bar shows at least, so that the beginning does not rush.
LEAST = 300

Point = tuple[int, int]


@dataclass(frozen=True)
class TimeBar:
    """A track from step 0 to the end of what is known or foreseen.

    Attributes:
        span: asks for the stretch that is marked to be filmed.
    """

    place: Rect
    session: Session
    scale: float
    span: Callable[[], Span] = Span

    @property
    def last(self) -> int:
        """The step at the right end."""
        return max(LEAST, self.session.reached, self.session.opening.steps)

    @property
    def tip(self) -> str:
        """What it is for."""
        return "Drag to go back in time; touch the canvas there to branch off"

    def x(self, step: float) -> int:
        """Where a step is."""
        return self.place.left + round(step / self.last * (self.place.width - 1))

    def step_at(self, point: Point) -> int:
        """The step that a point means."""
        share = (point[0] - self.place.left) / max(1, self.place.width - 1)
        return round(min(max(share, 0.0), 1.0) * self.last)

    def press(self, point: Point) -> None:
        """Go there, as far as steps have been taken."""
        self.session.seek(self.step_at(point))

    def drag(self, point: Point) -> None:
        """Go there."""
        self.press(point)

    def draw(self, paint: Paint, hovered: bool) -> None:
        """Paint it: what was reached, marks above for what happens, below for what is expected."""
        theme, place, session = paint.theme, self.place, self.session
        y = place.centery
        track = Rect(place.left, y - paint.px(3), place.width, paint.px(6))
        paint.box(track, theme.track, 3)
        paint.filled(track, self.x(session.reached) - track.left, theme.faint, 3)
        paint.filled(track, self.x(session.step) - track.left, theme.accent, 3)
        self._span(paint, track)
        self._deeds(paint, track)
        self._expectations(paint, track)
        radius = 8 if hovered else 7
        paint.disc((self.x(session.step), y), radius, theme.accent)
        paint.disc((self.x(session.step), y), radius - 2.5, theme.panel)

    def _span(self, paint: Paint, track: Rect) -> None:
        """Brackets at the marks, and a line between them."""
        span = self.span()
        if not span.marked:
            return
        ink, high = paint.theme.ink, paint.px(11)
        first, last = (self.x(step) for step in span.bounds(self.session))
        thick = max(2, paint.px(2))
        top, bottom = track.centery - high, track.centery + high
        for x, toward, there in ((first, 1, span.first), (last, -1, span.last)):
            color = paint.theme.faint if there is None else ink
            paint.bar(Rect(x - thick // 2, top, thick, bottom - top), color)
            for y in (top, bottom - thick):
                hook = Rect(x - thick // 2, y, paint.px(5), thick)
                if toward < 0:
                    hook.right = x + thick // 2
                paint.bar(hook, color)
        paint.bar(Rect(first, bottom - thick, max(0, last - first), thick), ink)

    def _deeds(self, paint: Paint, track: Rect) -> None:
        for x in {self.x(step) for step in self.session.plan.touched}:
            paint.bar(
                Rect(x, track.top - paint.px(5), max(1, paint.px(1.5)), paint.px(4)),
                paint.theme.quiet,
            )
        for deed in self.session.plan.foreseen:
            color = paint.theme.ink if deed.at <= self.session.step else paint.theme.faint
            x, y = self.x(deed.at), track.top - paint.px(6)
            paint.bar(Rect(x - paint.px(1), y, paint.px(2), paint.px(5)), color)
            paint.disc((x, y - paint.px(2)), 3.5, color)

    def _expectations(self, paint: Paint, track: Rect) -> None:
        theme = paint.theme
        expect, met = self.session.opening.expect, self.session.expectations
        for one, result in zip(expect, met, strict=True):
            x, y = self.x(one.at), track.bottom + paint.px(8)
            color = theme.faint if result is None else theme.good if result.passed else theme.bad
            paint.disc((x, y), 3.5, color)
            if result is None:
                paint.disc((x, y), 2.2, theme.panel)

    def told(self, point: Point) -> str:
        """What is under the pointer: a deed, an expectation, or what the bar is for."""
        near = 6 * self.scale
        lines = [
            f"step {deed.at}: {deed.perturbation.kind}"
            for deed in self.session.plan.foreseen
            if abs(self.x(deed.at) - point[0]) <= near
        ]
        expect, met = self.session.opening.expect, self.session.expectations
        for one, result in zip(expect, met, strict=True):
            if abs(self.x(one.at) - point[0]) <= near:
                state = "still to come"
                if result is not None:
                    state = f"{'passed' if result.passed else 'failed'} with {result.value:.2f}"
                what = f"{one.metric} {_wanted(one)} at {one.at}"
                lines.append(f"{what}: {state}")
        return "; ".join(lines[:3]) or f"Step {self.step_at(point):,}. {self.tip}"


def _wanted(one: Expect) -> str:
    low = None if one.min is None else f"≥ {one.min:g}"
    high = None if one.max is None else f"≤ {one.max:g}"
    return " and ".join(bound for bound in (low, high) if bound)
