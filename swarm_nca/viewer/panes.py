"""The stage: one canvas, or two side by side under their rules' names, in a window or in a film."""

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
    """The worlds shown of one or two rules, looked at in one way; see `Look`."""
    return tuple(
        Look(
            one.alone,
            one.rule,
            one.fired_rows,
            theme,
            hue,
            min(channel, one.rule.channels - 1),
            one.seed,
            detail,
        )
        for one in sessions
    )


def canvases(
    paint: Paint, view: View, looks: Sequence[Look], panes: Sequence[Rect], framed: bool = True
) -> list[Rect]:
    """What each rule's world looks like, in the middle of its room; returns where that is.

    Args:
        framed: paper and a hairline around it, for views that fill the canvas.
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
    """Above each of several canvases its rule, and what most of its cells say."""
    for session, look, place in zip(sessions, looks, places, strict=True):
        y = place.top - paint.px(TITLE / 2 + 3)
        told = verdict(look.world, 0, look.rule.shown_above)
        behind = sessions[0].step - session.step
        if behind:
            told = f"catching up: step {session.step:,} of {sessions[0].step:,}"
        width = paint.text(told, (place.right, y), paint.theme.quiet, SMALL, "right")
        room = max(0, place.width - width - paint.px(12))
        name = rule_title(session)
        paint.text(name, (place.left, y), paint.theme.ink, BODY, strong=True, room=room)


def rule_title(session: Session) -> str:
    """A rule's name without its folder and ending."""
    return session.opening.title


def answer(paint: Paint, look: Look, middle: tuple[int, int]) -> None:
    """In one line what the swarm says: a class, and how many of its cells are for it."""
    counts = tally(look.world, shown_above=look.rule.shown_above)
    cells, most = int(counts.sum()), int(counts[:-1].argmax())
    if not cells:
        return
    if not look.rule.readout.class_names:
        told = f"{look.rule.readout.caption(counts)}, of {cells:,} cells"
        paint.text(told, middle, paint.theme.ink, BODY, "center")
        return
    if not counts[most]:
        told = "Nobody has said anything yet"
        paint.text(told, middle, paint.theme.quiet, BODY, "center")
        return
    color: Color = tuple(look.palette[most].tolist())
    name, count = look.rule.readout.names[most], int(counts[most])
    told = f"All {cells:,} cells say" if count == cells else f"{count:,} of {cells:,} cells say"
    gap, wide = paint.px(9), paint.width(name, strong=True) + paint.px(16)
    left = middle[0] - (paint.width(told) + gap + wide) // 2
    left += paint.text(told, (left, middle[1]), paint.theme.ink) + gap
    chip = Rect(left, 0, wide, paint.px(22))
    chip.centery = middle[1]
    paint.box(chip, color, 5)
    paint.text(name, chip.center, ink_on(color), BODY, "center", strong=True)


def tile_at(look: Look, pane: Rect, point: tuple[int, int]) -> int | None:
    """The channel whose tile is under a point of a canvas's room, where it shows tiles."""
    rows, columns, gap = tiling(look)
    high, wide = (side + gap for side in look.world.picture().shape)
    place = fitted(pane, rows * high - gap, columns * wide - gap)
    if not place.collidepoint(point):
        return None
    down = (point[1] - place.top) / place.height * (rows * high - gap)
    across = (point[0] - place.left) / place.width * (columns * wide - gap)
    number = int(down // high) * columns + int(across // wide)
    return number if number < look.rule.channels else None
