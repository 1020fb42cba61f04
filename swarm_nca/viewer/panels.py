"""What is shown beside the canvas: the swarm's vote, and curves of what was measured."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pygame
from pygame import Rect

from swarm_nca.portrait import tally
from swarm_nca.viewer.history import History
from swarm_nca.viewer.lettering import SMALL
from swarm_nca.viewer.overlays import Look
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.theme import Color

#: Steps that the curves show.
WINDOW = 300

_ROWS = 12


def heading(paint: Paint, place: Rect, text: str, right: str = "") -> int:
    """A panel's title, with a remark at the right; returns where the panel's content begins."""
    y = place.top + paint.px(8)
    paint.text(text, (place.left, y), paint.theme.ink, SMALL, strong=True)
    if right:
        paint.text(right, (place.right, y), paint.theme.quiet, SMALL, "right")
    return place.top + paint.px(24)


def votes(paint: Paint, place: Rect, look: Look) -> None:
    """A bar per class, as long as its share of all cells; the undecided last."""
    counts = tally(look.world, shown_above=look.rule.shown_above)
    cells = int(counts.sum())
    top = heading(paint, place, "The vote", f"{cells:,} cells")
    names = (*look.rule.classes.names, "undecided")
    columns = -(-len(names) // _ROWS)
    rows = -(-len(names) // columns)
    gap = paint.px(12)
    width = (place.width - gap * (columns - 1)) // columns
    pitch = min(paint.px(17), (place.bottom - top) // rows)
    most = int(counts[:-1].argmax()) if counts[:-1].any() else -1
    narrow = all(len(name) <= 2 for name in names[:-1])
    name_room = paint.px(22 if narrow else 78 if columns == 1 else 60)
    for number, (name, count) in enumerate(zip(names, counts.tolist(), strict=True)):
        column, row = divmod(number, rows)
        left, y = place.left + column * (width + gap), top + row * pitch + pitch // 2
        chosen = number == most
        ink = paint.theme.ink if chosen else paint.theme.quiet
        told = "–" if narrow and number == len(names) - 1 else name
        paint.text(told, (left, y), ink, SMALL, strong=chosen, room=name_room)
        color: Color = tuple(look.palette[number].tolist())
        bar = Rect(left + name_room, 0, width - name_room - paint.px(44), paint.px(9))
        bar.centery = y
        paint.box(bar, paint.theme.track, 2)
        filled = round(bar.width * count / max(1, cells))
        if filled:
            paint.box(Rect(bar.left, bar.top, max(filled, 3), bar.height), color, 2)
        if count:
            paint.text(f"{count:,}", (left + width, y), ink, SMALL, "right", strong=chosen)


def curves(paint: Paint, place: Rect, session: Session) -> None:
    """Shares of the last steps above, the magnitude of the states below."""
    last = max(session.reached, WINDOW)
    first = last - WINDOW
    rows = session.history.between(first, last)
    top = heading(paint, place, "Over time", f"steps {first:,} – {last:,}")
    legend = paint.px(18)
    upper = Rect(place.left, top + legend, place.width, 0)
    upper.height = (place.bottom - upper.top - legend - paint.px(10)) * 2 // 3
    lower = Rect(place.left, upper.bottom + legend + paint.px(6), place.width, 0)
    lower.height = place.bottom - lower.top
    theme = paint.theme
    colors = (theme.accent, theme.good, theme.faint, theme.ink)
    steps = rows[:, 0]
    names = History.NAMES
    values = {name: rows[:, 1 + number] for number, name in enumerate(names)}
    _grid(paint, upper, (0.0, 0.5, 1.0), 1.0)
    for name, color in zip(names[:3], colors, strict=False):
        _curve(paint, upper, steps - first, values[name], 1.0, color)
    _legend(paint, (place.left, top + legend // 2), values, names[:3], colors, "{:.0%}")
    high = float(np.nanmax(values["magnitude"], initial=0.1)) * 1.15
    _grid(paint, lower, (0.0, high), high)
    _curve(paint, lower, steps - first, values["magnitude"], high, theme.ink)
    middle = lower.top - legend // 2
    _legend(paint, (place.left, middle), values, names[3:], colors[3:], "{:.2f}")
    if session.step < session.reached and session.step >= first:
        x = place.left + round((session.step - first) / WINDOW * place.width)
        paint.line((x, upper.top), (x, lower.bottom), theme.accent)


def _legend(
    paint: Paint,
    place: tuple[int, int],
    values: dict[str, npt.NDArray[np.float64]],
    names: tuple[str, ...],
    colors: tuple[Color, ...],
    form: str,
) -> None:
    x, y = place
    for name, color in zip(names, colors, strict=False):
        known = len(values[name]) and np.isfinite(values[name][-1])
        said = form.format(values[name][-1]) if known else "–"
        paint.bar(Rect(x, y - paint.px(1), paint.px(9), paint.px(2)), color)
        x += paint.px(12)
        x += paint.text(name, (x, y), paint.theme.quiet, SMALL - 1) + paint.px(4)
        x += paint.text(said, (x, y), paint.theme.ink, SMALL - 1) + paint.px(8)


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
) -> None:
    known = np.isfinite(values)
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
            if paint.scale > 0.9:
                lower = [(x, y + 1) for x, y in points]
                pygame.draw.aalines(paint.surface, color, False, lower)
