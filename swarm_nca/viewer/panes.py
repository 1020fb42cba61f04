"""The canvas of one rule, or of two side by side with their names, for a window or a film."""

from __future__ import annotations

from collections.abc import Sequence

from pygame import Rect

from swarm_nca.recording.moments import verdict
from swarm_nca.render import tally
from swarm_nca.viewer.layout import TITLE, fitted
from swarm_nca.viewer.lettering import BODY, SMALL
from swarm_nca.viewer.overlays import Look, View, tiling
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.theme import Color, Theme, ink_on


def looks_of(
    sessions: Sequence[Session], theme: Theme, hue: float, channel: int, detail: int
) -> tuple[Look, ...]:
    """The worlds shown of one or two rules with the same view settings; see `Look`."""
    return tuple(
        Look(
            session.alone,
            session.rule,
            session.fired_rows,
            theme,
            hue,
            min(channel, session.rule.channels - 1),
            session.seed,
            detail,
        )
        for session in sessions
    )


def canvases(
    paint: Paint, view: View, looks: Sequence[Look], panes: Sequence[Rect], framed: bool = True
) -> list[Rect]:
    """Paint each rule's world in the middle of its pane; returns the places of the pictures.

    Args:
        framed: paint paper and a hairline around the picture, for views that fill the canvas.
    """
    places = []
    for look, pane in zip(looks, panes, strict=True):
        rgb = view.draw(look)
        extent = look.world.picture().shape if framed else rgb.shape
        place = fitted(pane, extent[0], extent[1])
        if framed:
            margin = paint.px(6)
            paint.box(place.inflate(margin, margin), paint.theme.paper, 4, paint.theme.line)
        paint.pixels(rgb, place)
        places.append(place)
    return places


def names(
    paint: Paint, sessions: Sequence[Session], looks: Sequence[Look], places: Sequence[Rect]
) -> None:
    """Paint above each canvas its rule's name and the verdict of its cells."""
    for session, look, place in zip(sessions, looks, places, strict=True):
        y = place.top - paint.px(TITLE / 2 + 3)
        status = verdict(look.world, 0, look.rule.shown_above)
        behind = sessions[0].step - session.step
        if behind:
            status = f"catching up: step {session.step:,} of {sessions[0].step:,}"
        width = paint.text(status, (place.right, y), paint.theme.quiet, SMALL, "right")
        room = max(0, place.width - width - paint.px(12))
        name = rule_title(session)
        paint.text(name, (place.left, y), paint.theme.ink, BODY, strong=True, room=room)


def rule_title(session: Session) -> str:
    """A rule's name without its folder and ending."""
    return session.opening.title


def answer(paint: Paint, look: Look, middle: tuple[int, int]) -> None:
    """Paint in one line the most common class and its number of cells."""
    counts = tally(look.world, shown_above=look.rule.shown_above)
    cells, most = int(counts.sum()), int(counts[:-1].argmax())
    if not cells:
        return
    if not look.rule.readout.class_names:
        caption = f"{look.rule.readout.caption(counts)}, of {cells:,} cells"
        paint.text(caption, middle, paint.theme.ink, BODY, "center")
        return
    if not counts[most]:
        paint.text("No cell shows a class yet", middle, paint.theme.quiet, BODY, "center")
        return
    color: Color = tuple(look.palette[most].tolist())
    name, count = look.rule.readout.names[most], int(counts[most])
    text = f"All {cells:,} cells show" if count == cells else f"{count:,} of {cells:,} cells show"
    gap, wide = paint.px(9), paint.width(name, strong=True) + paint.px(16)
    left = middle[0] - (paint.width(text) + gap + wide) // 2
    left += paint.text(text, (left, middle[1]), paint.theme.ink) + gap
    chip = Rect(left, 0, wide, paint.px(22))
    chip.centery = middle[1]
    paint.box(chip, color, 5)
    paint.text(name, chip.center, ink_on(color), BODY, "center", strong=True)


def tile_at(look: Look, pane: Rect, point: tuple[int, int]) -> int | None:
    """The channel whose tile is under a point of a pane that shows tiles."""
    rows, columns, gap = tiling(look)
    high, wide = (side + gap for side in look.world.picture().shape)
    place = fitted(pane, rows * high - gap, columns * wide - gap)
    if not place.collidepoint(point):
        return None
    down = (point[1] - place.top) / place.height * (rows * high - gap)
    across = (point[0] - place.left) / place.width * (columns * wide - gap)
    number = int(down // high) * columns + int(across // wide)
    return number if number < look.rule.channels else None
