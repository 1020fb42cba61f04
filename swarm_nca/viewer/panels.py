"""What is shown beside the canvas: the swarm's vote, and curves of what was measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pygame
from pygame import Rect

from swarm_nca.render import SILENT, tally
from swarm_nca.viewer.history import History
from swarm_nca.viewer.lettering import LARGE, SMALL
from swarm_nca.viewer.overlays import Look
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.theme import Color

#: Steps that the curves show.
WINDOW = 300

_ROWS = 12

#: Steps from one dash of a curve to the next.
_DASH = 10

#: What stands where a value is not known; the widest values that stand on one line, for what is
#: right is decided; and the smallest letters.
_UNKNOWN, _WIDEST, _FINEST = "–", ("100%", "100%", "0%"), 6


def heading(paint: Paint, place: Rect, text: str, right: str = "") -> int:
    """A panel's title, with a remark at the right; returns where the panel's content begins."""
    y = place.top + paint.px(8)
    paint.text(text, (place.left, y), paint.theme.ink, SMALL, strong=True)
    if right:
        paint.text(right, (place.right, y), paint.theme.quiet, SMALL, "right")
    return place.top + paint.px(24)


def votes(paint: Paint, place: Rect, looks: Sequence[Look]) -> None:
    """A bar per class, as long as its share of all cells; the silent last.

    Of two rules the second's bars are dashed, below the first's.
    """
    look = looks[0]
    if not look.rule.readout.class_names:
        living(paint, place, looks)
        return
    tallies = [tally(one.world, shown_above=one.rule.shown_above) for one in looks]
    counts = tallies[0]
    cells = int(counts.sum())
    top = heading(paint, place, "The vote", f"{cells:,} cells")
    names = (*look.rule.classes.names, SILENT)
    columns = -(-len(names) // _ROWS)
    rows = -(-len(names) // columns)
    gap = paint.px(12)
    width = (place.width - gap * (columns - 1)) // columns
    pitch = min(paint.px(17), (place.bottom - top) // rows)
    most = int(counts[:-1].argmax()) if counts[:-1].any() else -1
    # Of several columns only the last one's bar of silent cells makes room for that word.
    widest = max(paint.width(name, SMALL, True) for name in names[: None if columns == 1 else -1])
    name_room = min(widest + paint.px(6), width * 2 // 5)
    told = " · ".join([f"{cells:,}"] * len(looks))
    count_room = min(paint.width(told, SMALL, True) + paint.px(6), width // 2)
    for number, name in enumerate(names):
        column, row = divmod(number, rows)
        left, y = place.left + column * (width + gap), top + row * pitch + pitch // 2
        chosen = number == most
        ink = paint.theme.ink if chosen else paint.theme.quiet
        quiet_room = paint.width(name, SMALL) + paint.px(6) if name == SILENT else 0
        room = max(name_room, quiet_room)
        paint.text(name, (left, y), ink, SMALL, strong=chosen, room=room)
        color: Color = tuple(look.palette[number].tolist())
        bar = Rect(left + room, 0, width - room - count_room, paint.px(9))
        bar.centery = y
        paint.box(bar, paint.theme.track, 2)
        lengths = [round(bar.width * int(one[number]) / max(1, cells)) for one in tallies]
        lengths = [max(length, 3) if length else 0 for length in lengths]
        if len(looks) == 1:
            paint.filled(bar, lengths[0], color, 2)
        else:
            half = Rect(bar.left, bar.top, lengths[0], (bar.height - max(1, paint.px(1))) // 2)
            paint.bar(half, color)
            lower = Rect(bar.left, 0, lengths[1], half.height)
            lower.bottom = bar.bottom
            paint.dashes(lower, color)
        if any(one[number] for one in tallies):
            told = " · ".join(f"{int(one[number]):,}" for one in tallies)
            paint.text(told, (left + width, y), ink, SMALL, "right", strong=chosen)


def living(paint: Paint, place: Rect, looks: Sequence[Look]) -> None:
    """How many cells are alive, and a bar as long as their share; a line for each rule."""
    tallies = [tally(one.world, shown_above=one.rule.shown_above) for one in looks]
    cells = int(tallies[0].sum())
    top = heading(paint, place, "The cells", f"{cells:,} cells")
    for number, (look, counts) in enumerate(zip(looks, tallies, strict=True)):
        y = top + paint.px(18) + number * paint.px(58)
        told, alive = look.rule.readout.caption(counts), int(counts[:-1].sum())
        paint.text(told, (place.left, y), paint.theme.ink, LARGE, strong=True)
        share = alive / max(1, cells)
        paint.text(f"{share:.1%}", (place.right, y), paint.theme.quiet, SMALL, "right")
        bar = Rect(place.left, y + paint.px(17), place.width, paint.px(9))
        paint.box(bar, paint.theme.track, 2)
        paint.filled(bar, max(round(bar.width * share), 3 if alive else 0), paint.theme.accent, 2)


def curves(paint: Paint, place: Rect, session: Session) -> None:
    """Shares of the last steps above, the magnitude of the states below.

    Of two rules the second's curves are dashed. The numbers beside the names are of the moment
    shown, which is in the middle where one has gone back far.
    """
    if not session.rule.readout.class_names:
        course(paint, place, session)
        return
    last = max(min(session.reached, session.step + WINDOW // 2), WINDOW)
    first = last - WINDOW
    sessions = session.side_by_side
    top = heading(paint, place, "Over time", f"steps {first:,} – {last:,}")
    legend = paint.px(18)
    upper = Rect(place.left, top + legend * len(sessions), place.width, 0)
    upper.height = (place.bottom - upper.top - legend - paint.px(10)) * 2 // 3
    lower = Rect(place.left, upper.bottom + legend + paint.px(6), place.width, 0)
    lower.height = place.bottom - lower.top
    theme = paint.theme
    colors = (theme.accent, theme.good, theme.faint, theme.ink)
    names = History.NAMES
    tables = [one.history.between(first, last, one.shown) for one in sessions]
    magnitudes = [table[:, 1 + names.index("magnitude")] for table in tables]
    # A rule that blows up has magnitudes beyond all numbers; the others still have a scale.
    high = 1.15 * max(float(np.max(one[np.isfinite(one)], initial=0.1)) for one in magnitudes)
    _grid(paint, upper, (0.0, 0.5, 1.0), 1.0)
    _grid(paint, lower, (0.0, high), high)
    for number, rows in enumerate(tables):
        steps, dashed_from = rows[:, 0] - first, first if number else None
        values = {name: rows[:, 1 + column] for column, name in enumerate(names)}
        for name, color in zip(names[:3], colors, strict=False):
            _curve(paint, upper, steps, values[name], 1.0, color, dashed_from)
        _curve(paint, lower, steps, values["magnitude"], high, theme.ink, dashed_from)
        y = top + legend // 2 + number * legend
        now = sessions[number].values
        told = [_percent(now[name]) for name in names[:3]] + [_size(now[names[3]])]
        entries = list(zip(names, told, colors, strict=True))
        _legend(paint, Rect(place.left, y, place.width, 0), entries[:3], number > 0)
        half = Rect(place.left, lower.top - legend // 2, place.width // 2, 0)
        half.left += number * half.width
        _legend(paint, half, entries[3:], number > 0)
    if session.step < session.reached:
        x = place.left + round((session.step - first) / WINDOW * place.width)
        paint.line((x, upper.top), (x, lower.bottom), theme.accent)


def course(paint: Paint, place: Rect, session: Session) -> None:
    """Of rules without classes: the cells alive above, the magnitude of the states below.

    Of bits the magnitude is the share of those alive, and is left out. Of two rules the second's
    curves are dashed.
    """
    last = max(min(session.reached, session.step + WINDOW // 2), WINDOW)
    first, theme = last - WINDOW, paint.theme
    top = heading(paint, place, "Over time", f"steps {first:,} – {last:,}")
    entries = [("alive", "largest vote", theme.good, session.alone.cells)]
    if session.rule.readout.kind != "bit":
        entries.append(("magnitude", "magnitude", theme.ink, 1))
    legend, apart = paint.px(18), paint.px(8)
    height = (place.bottom - top) // len(entries) - legend - apart
    for row, (name, measure, color, times) in enumerate(entries):
        y = top + row * (height + legend + apart) + legend // 2
        room = Rect(place.left, y + legend // 2, place.width, height)
        column = 1 + History.NAMES.index(measure)
        tables = [one.history.between(first, last, one.shown) for one in session.side_by_side]
        seen = [table[:, column] * times for table in tables]
        known = [float(np.max(one[np.isfinite(one)], initial=0.0)) for one in seen]
        high = 1.15 * max(*known, 1.0 if times > 1 else 0.1)
        _grid(paint, room, (0.0, high), high)
        for number, values in enumerate(seen):
            steps, dashed_from = tables[number][:, 0] - first, first if number else None
            _curve(paint, room, steps, values, high, color, dashed_from)
            one = session.side_by_side[number]
            value = one.values[measure] * times
            told = f"{value:,.0f}" if times > 1 and np.isfinite(value) else _size(value)
            half = Rect(place.left, y, place.width // 2, 0)
            half.left += number * half.width
            _legend(paint, half, [(name, told, color)], number > 0)
        if session.step < session.reached:
            x = place.left + round((session.step - first) / WINDOW * place.width)
            paint.line((x, room.top), (x, room.bottom), theme.accent)


def _percent(share: float) -> str:
    return f"{share:.0%}" if np.isfinite(share) else _UNKNOWN


def _size(value: float) -> str:
    """A magnitude: a rule that blows up has ones that would fill a line."""
    if not np.isfinite(value):
        return _UNKNOWN
    return f"{value:.2f}" if value < 1_000 else f"{value:.0e}"


def _legend(
    paint: Paint, place: Rect, entries: Sequence[tuple[str, str, Color]], dashed: bool
) -> None:
    """Names and values on one line, in letters so small that even the widest values have room."""
    stroke, near, apart = paint.px(11), paint.px(3), paint.px(7)
    widest, size = _WIDEST[: len(entries)], float(SMALL - 1)

    def needed() -> int:
        words = (*widest, *(name for name, _, _ in entries))
        return sum(paint.width(one, size) for one in words) + (stroke + near) * len(entries)

    while needed() + apart * (len(entries) - 1) > place.width and size > _FINEST:
        size -= 0.5
    x, y = place.topleft
    for name, value, color in entries:
        line = Rect(x, y - paint.px(1), paint.px(9), paint.px(2))
        if dashed:
            line.width = paint.px(4)
            paint.bar(line, color)
            line.move_ip(paint.px(6), 0)
        paint.bar(line, color)
        x += stroke
        x += paint.text(name, (x, y), paint.theme.quiet, size) + near
        x += paint.text(value, (x, y), paint.theme.ink, size) + apart


def _grid(paint: Paint, place: Rect, levels: tuple[float, ...], high: float) -> None:
    for level in levels:
        y = place.bottom - 1 - round(level / high * (place.height - 1))
        paint.line((place.left, y), (place.right, y), paint.theme.line)


def _curve(
    paint: Paint,
    place: Rect,
    steps: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    high: float,
    color: Color,
    dashed_from: int | None = None,
) -> None:
    known = np.isfinite(values)
    if dashed_from is not None:
        # By the step itself, so that dashes move along with the curve.
        known &= (steps + dashed_from) % _DASH < 0.6 * _DASH
    if not known.any():
        return
    across = place.left + steps / WINDOW * (place.width - 1)
    down = place.bottom - 1 - np.clip(values / high, 0, 1) * (place.height - 1)
    # One stroke per stretch without gaps.
    edges = np.flatnonzero(np.diff(known.astype(np.int8))) + 1
    for stretch in np.split(np.arange(len(values)), edges):
        if known[stretch[0]] and len(stretch) > 1:
            points = np.stack([across[stretch], down[stretch]], axis=1).tolist()
            pygame.draw.aalines(paint.surface, color, False, points)
            for lower in range(1, max(1, paint.px(1.5))):
                thicker = [(x, y + lower) for x, y in points]
                pygame.draw.aalines(paint.surface, color, False, thicker)
