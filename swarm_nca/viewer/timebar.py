"""The time bar: steps taken, perturbations, and expectations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pygame import Rect

from swarm_nca.measure.wording import bounds, printed
from swarm_nca.recording import Expectation
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.span import Span

#: Minimum number of steps shown, so that the first steps do not move too fast.
LEAST = 300

Point = tuple[int, int]


@dataclass(frozen=True)
class TimeBar:
    """A track from step 0 to the latest step, or to the scenario's end.

    Attributes:
        span: returns the span marked to be filmed.
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
        """The tooltip."""
        return "Drag to go back in time; an edit in the past starts a new branch"

    def x(self, step: float) -> int:
        """The horizontal place of a step."""
        return self.place.left + round(step / self.last * (self.place.width - 1))

    def step_at(self, point: Point) -> int:
        """The step at a point."""
        share = (point[0] - self.place.left) / max(1, self.place.width - 1)
        return round(min(max(share, 0.0), 1.0) * self.last)

    def press(self, point: Point) -> None:
        """Go to the step at a point, at most the latest one taken."""
        self.session.seek(self.step_at(point))

    def drag(self, point: Point) -> None:
        """Go to the step at a point."""
        self.press(point)

    def draw(self, paint: Paint, hovered: bool) -> None:
        """Paint the track; perturbations are marked above it, expectations below."""
        theme, place, session = paint.theme, self.place, self.session
        y = place.centery
        track = Rect(place.left, y - paint.px(3), place.width, paint.px(6))
        paint.box(track, theme.track, 3)
        paint.filled(track, self.x(session.reached) - track.left, theme.faint, 3)
        paint.filled(track, self.x(session.step) - track.left, theme.accent, 3)
        self._span(paint, track)
        self._edits(paint, track)
        self._expectations(paint, track)
        radius = 8 if hovered else 7
        paint.disc((self.x(session.step), y), radius, theme.accent)
        paint.disc((self.x(session.step), y), radius - 2.5, theme.panel)

    def _span(self, paint: Paint, track: Rect) -> None:
        """Paint brackets at the marks, and a line between them."""
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

    def _edits(self, paint: Paint, track: Rect) -> None:
        for x in {self.x(step) for step in self.session.plan.touched}:
            paint.bar(
                Rect(x, track.top - paint.px(5), max(1, paint.px(1.5)), paint.px(4)),
                paint.theme.quiet,
            )
        for edit in self.session.plan.foreseen:
            color = paint.theme.ink if edit.at <= self.session.step else paint.theme.faint
            x, y = self.x(edit.at), track.top - paint.px(6)
            paint.bar(Rect(x - paint.px(1), y, paint.px(2), paint.px(5)), color)
            paint.disc((x, y - paint.px(2)), 3.5, color)

    def _expectations(self, paint: Paint, track: Rect) -> None:
        theme = paint.theme
        expect, met = self.session.opening.expect, self.session.expectations
        for wanted, result in zip(expect, met, strict=True):
            x, y = self.x(wanted.span(0)[0]), track.bottom + paint.px(8)
            color = theme.faint if result is None else theme.good if result.passed else theme.bad
            paint.disc((x, y), 3.5, color)
            if result is None:
                paint.disc((x, y), 2.2, theme.panel)

    def told(self, point: Point) -> str:
        """The tooltip at a point: a perturbation, an expectation, or the bar's own."""
        near = 6 * self.scale
        lines = [
            f"step {edit.at}: {edit.perturbation.kind}"
            for edit in self.session.plan.foreseen
            if abs(self.x(edit.at) - point[0]) <= near
        ]
        expect, met = self.session.opening.expect, self.session.expectations
        for wanted, result in zip(expect, met, strict=True):
            if abs(self.x(wanted.span(0)[0]) - point[0]) <= near:
                state = "pending"
                if result is not None:
                    value = printed(wanted.metric, result.value)
                    state = f"{'passed' if result.passed else 'failed'} with {value}"
                ends = bounds(wanted.metric, wanted.min, wanted.max)
                lines.append(f"{wanted.metric} {ends} at step {wanted.at}: {state}")
        return "; ".join(lines[:3]) or f"Step {self.step_at(point):,}. {self.tip}"


def standing(results: Sequence[Expectation | None]) -> str:
    """How many expectations are passed, failed and pending: those not yet due are pending."""
    pending = sum(result is None for result in results)
    passed = sum(result is not None and result.passed for result in results)
    counts = {"passed": passed, "failed": len(results) - pending - passed, "pending": pending}
    return "expectations: " + ", ".join(f"{n} {word}" for word, n in counts.items() if n)
