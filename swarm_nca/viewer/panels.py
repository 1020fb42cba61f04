"""Panels beside the canvas: the vote, and curves of measured values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pygame
from pygame import Rect

from swarm_nca.render import SILENT, tally
from swarm_nca.viewer.area import area
from swarm_nca.viewer.history import History
from swarm_nca.viewer.lettering import LARGE, SMALL
from swarm_nca.viewer.overlays import Look
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.pieces import pieces_of
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.theme import Color

#: Number of steps shown by the curves.
WINDOW = 300

_ROWS = 12

#: Steps from one dash of a curve to the next.
_DASH = 10

#: The text for an unknown value.
_UNKNOWN = "–"


def heading(paint: Paint, place: Rect, text: str, right: str = "") -> int:
    """Paint a panel's title and a remark at the right; returns the top of the panel's content."""
    y = place.top + paint.px(8)
    paint.text(text, (place.left, y), paint.theme.ink, SMALL, strong=True)
    if right:
        paint.text(right, (place.right, y), paint.theme.quiet, SMALL, "right")
    return place.top + paint.px(24)


def votes(paint: Paint, place: Rect, looks: Sequence[Look]) -> None:
    """A bar per class, as long as its share of all cells; silent cells last.

    The bars of a second rule are dashed, below those of the first.
    """
    look = looks[0]
    if not look.rule.readout.class_names:
        living(paint, place, looks)
        return
    tallies = [tally(each.world, shown_above=each.rule.shown_above) for each in looks]
    counts = tallies[0]
    cells = int(counts.sum())
    pieces = int(pieces_of(look.world).max(initial=-1)) + 1
    several = f" in {pieces:,} pieces" if pieces > 1 else ""
    top = heading(paint, place, "The vote", f"{cells:,} cells{several}")
    names = (*look.rule.classes.names, SILENT)
    columns = -(-len(names) // _ROWS)
    rows = -(-len(names) // columns)
    gap = paint.px(12)
    width = (place.width - gap * (columns - 1)) // columns
    pitch = min(paint.px(17), (place.bottom - top) // rows)
    most = int(counts[:-1].argmax()) if counts[:-1].any() else -1
    # With several columns, only the bar of silent cells makes room for the word "silent".
    widest = max(paint.width(name, SMALL, True) for name in names[: None if columns == 1 else -1])
    name_room = min(widest + paint.px(6), width * 2 // 5)
    longest = " · ".join([f"{cells:,}"] * len(looks))
    count_room = min(paint.width(longest, SMALL, True) + paint.px(6), width // 2)
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
        lengths = [round(bar.width * int(each[number]) / max(1, cells)) for each in tallies]
        lengths = [max(length, 3) if length else 0 for length in lengths]
        if len(looks) == 1:
            paint.filled(bar, lengths[0], color, 2)
        else:
            half = Rect(bar.left, bar.top, lengths[0], (bar.height - max(1, paint.px(1))) // 2)
            paint.bar(half, color)
            lower = Rect(bar.left, 0, lengths[1], half.height)
            lower.bottom = bar.bottom
            paint.dashes(lower, color)
        if any(each[number] for each in tallies):
            text = " · ".join(f"{int(each[number]):,}" for each in tallies)
            paint.text(text, (left + width, y), ink, SMALL, "right", strong=chosen)


def living(paint: Paint, place: Rect, looks: Sequence[Look]) -> None:
    """The number of alive cells and a bar for their share, one line per rule."""
    tallies = [tally(each.world, shown_above=each.rule.shown_above) for each in looks]
    cells = int(tallies[0].sum())
    top = heading(paint, place, "The cells", f"{cells:,} cells")
    for number, (look, counts) in enumerate(zip(looks, tallies, strict=True)):
        y = top + paint.px(18) + number * paint.px(58)
        caption, alive = look.rule.readout.caption(counts), int(counts[:-1].sum())
        paint.text(caption, (place.left, y), paint.theme.ink, LARGE, strong=True)
        share = alive / max(1, cells)
        paint.text(f"{share:.1%}", (place.right, y), paint.theme.quiet, SMALL, "right")
        bar = Rect(place.left, y + paint.px(17), place.width, paint.px(9))
        paint.box(bar, paint.theme.track, 2)
        paint.filled(bar, max(round(bar.width * share), 3 if alive else 0), paint.theme.accent, 2)


def curves(paint: Paint, place: Rect, session: Session, looks: Sequence[Look]) -> None:
    """Measured values and votes of the last steps: shares above, magnitude and votes below.

    The curves of a second rule are dashed, and its votes stand below those of the first.
    """
    if not session.rule.readout.class_names:
        course(paint, place, session)
        return
    first, last = window(session)
    top = heading(paint, place, "Over time", f"steps {first:,} – {last:,}")
    sessions, theme = session.side_by_side, paint.theme
    colors = (theme.accent, theme.good, theme.faint, theme.ink)
    legend, apart = paint.px(16), paint.px(5)
    for number, each in enumerate(sessions):
        texts = [_percent(each.values[name]) for name in History.NAMES[:3]]
        texts.append(_size(each.values[History.NAMES[3]]))
        entries = list(zip(History.NAMES, texts, colors, strict=True))
        for line in (entries[:2], entries[2:]):
            _legend(paint, Rect(place.left, top + legend // 2, place.width, 0), line, number > 0)
            top += legend
    top += apart
    spare = max(0, place.bottom - top - legend - 2 * apart)
    upper = Rect(place.left, top, place.width, spare * 38 // 100)
    lower = Rect(place.left, upper.bottom + apart, place.width, spare * 22 // 100)
    below = Rect(place.left, lower.bottom + apart + legend, place.width, 0)
    below.height = place.bottom - below.top
    _measured_curves(paint, upper, lower, sessions, first, colors)
    caption = (place.left, below.top - legend // 2 - paint.px(1))
    paint.text("votes: share of each class", caption, theme.quiet, SMALL)
    each_high = below.height // len(sessions)
    for number, each in enumerate(sessions):
        steps, votes = each.history.votes(first, last, each.shown)
        room = Rect(below.left, below.top + number * each_high, below.width, each_high)
        room.height -= paint.px(2) if number + 1 < len(sessions) else 0
        area(paint, room, steps - first, votes, looks[number].palette, WINDOW)
    if session.step < session.reached:
        x = place.left + round((session.step - first) / WINDOW * place.width)
        for room in (upper, lower, below):
            paint.line((x, room.top), (x, room.bottom), theme.accent)


def window(session: Session) -> tuple[int, int]:
    """The first and the last step of the curves: those around the step shown."""
    last = max(min(session.reached, session.step + WINDOW // 2), WINDOW)
    return last - WINDOW, last


def _measured_curves(
    paint: Paint,
    upper: Rect,
    lower: Rect,
    sessions: Sequence[Session],
    first: int,
    colors: Sequence[Color],
) -> None:
    """Accuracy, largest vote and undecided cells above, the magnitude of the states below."""
    names, last = History.NAMES, first + WINDOW
    tables = [each.history.between(first, last, each.shown) for each in sessions]
    magnitudes = [table[:, 1 + names.index("magnitude")] for table in tables]
    # Infinite magnitudes, of a rule that diverges, do not count for the scale.
    high = 1.15 * max(float(np.max(size[np.isfinite(size)], initial=0.1)) for size in magnitudes)
    _grid(paint, upper, (0.0, 0.5, 1.0), 1.0)
    _grid(paint, lower, (0.0, high), high)
    for number, rows in enumerate(tables):
        steps, dashed_from = rows[:, 0] - first, first if number else None
        values = {name: rows[:, 1 + column] for column, name in enumerate(names)}
        for name, color in zip(names[:3], colors, strict=False):
            _curve(paint, upper, steps, values[name], 1.0, color, dashed_from)
        _curve(paint, lower, steps, values["magnitude"], high, colors[3], dashed_from)


def course(paint: Paint, place: Rect, session: Session) -> None:
    """Curves for rules without classes: alive cells above, the magnitude of the states below.

    For bits the magnitude equals the share of alive cells and is left out. The curves of a second
    rule are dashed.
    """
    (first, last), theme = window(session), paint.theme
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
        tables = [each.history.between(first, last, each.shown) for each in session.side_by_side]
        seen = [table[:, column] * times for table in tables]
        known = [float(np.max(values[np.isfinite(values)], initial=0.0)) for values in seen]
        high = 1.15 * max(*known, 1.0 if times > 1 else 0.1)
        _grid(paint, room, (0.0, high), high)
        for number, values in enumerate(seen):
            steps, dashed_from = tables[number][:, 0] - first, first if number else None
            _curve(paint, room, steps, values, high, color, dashed_from)
            value = session.side_by_side[number].values[measure] * times
            text = f"{value:,.0f}" if times > 1 and np.isfinite(value) else _size(value)
            half = Rect(place.left + number * place.width // 2, y, place.width // 2, 0)
            _legend(paint, half, [(name, text, color)], number > 0)
        if session.step < session.reached:
            x = place.left + round((session.step - first) / WINDOW * place.width)
            paint.line((x, room.top), (x, room.bottom), theme.accent)


def _percent(share: float) -> str:
    return f"{share:.0%}" if np.isfinite(share) else _UNKNOWN


def _size(value: float) -> str:
    """A magnitude in few characters: the values of a rule that diverges are very large."""
    if not np.isfinite(value):
        return _UNKNOWN
    return f"{value:.2f}" if value < 1_000 else f"{value:.0e}"


def _legend(
    paint: Paint, place: Rect, entries: Sequence[tuple[str, str, Color]], dashed: bool
) -> None:
    """Names and values on one line, each entry in its own share of the line."""
    y = place.top
    for number, (name, value, color) in enumerate(entries):
        x = place.left + number * place.width // max(2, len(entries))
        line = Rect(x, y - paint.px(1), paint.px(9), paint.px(2))
        if dashed:
            line.width = paint.px(4)
            paint.bar(line, color)
            line.move_ip(paint.px(6), 0)
        paint.bar(line, color)
        x += paint.px(13)
        x += paint.text(name, (x, y), paint.theme.quiet, SMALL) + paint.px(4)
        paint.text(value, (x, y), paint.theme.ink, SMALL)


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
        # Dashes depend on the step, so that they move with the curve.
        known &= (steps + dashed_from) % _DASH < 0.6 * _DASH
    if not known.any():
        return
    across = place.left + steps / WINDOW * (place.width - 1)
    down = place.bottom - 1 - np.clip(values / high, 0, 1) * (place.height - 1)
    # One line per stretch without gaps.
    edges = np.flatnonzero(np.diff(known.astype(np.int8))) + 1
    for stretch in np.split(np.arange(len(values)), edges):
        if known[stretch[0]] and len(stretch) > 1:
            points = np.stack([across[stretch], down[stretch]], axis=1).tolist()
            pygame.draw.aalines(paint.surface, color, False, points)
            for lower in range(1, max(1, paint.px(1.5))):
                thicker = [(x, y + lower) for x, y in points]
                pygame.draw.aalines(paint.surface, color, False, thicker)
