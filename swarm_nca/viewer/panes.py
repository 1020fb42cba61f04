"""The canvas of one rule, or of two side by side with their names, for a window or a film."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pygame import Rect

from swarm_nca.recording.moments import verdict
from swarm_nca.render import tally
from swarm_nca.viewer.camera import WHOLE, Camera
from swarm_nca.viewer.layout import TITLE
from swarm_nca.viewer.lettering import BODY, SMALL
from swarm_nca.viewer.letters import VIEWS as LETTERED
from swarm_nca.viewer.letters import letters
from swarm_nca.viewer.marks import marks
from swarm_nca.viewer.overlays import Look, View
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.pieces import Piece, judged
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.theme import Color, Theme, ink_on
from swarm_nca.viewer.tiles import paint_tiles


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
    paint: Paint,
    view: View,
    looks: Sequence[Look],
    panes: Sequence[Rect],
    framed: bool = True,
    camera: Camera = WHOLE,
) -> list[Rect]:
    """Paint each rule's world in the middle of its pane; returns the places of the pictures.

    One picture stands on paper with a hairline around it.

    Args:
        camera: which part of a picture is painted, and how large.
        framed: whether the view is one picture; otherwise all channels are painted as tiles.
    """
    places = []
    for look, pane in zip(looks, panes, strict=True):
        if not framed:
            places.append(paint_tiles(paint, look, pane))
            continue
        rows, columns = look.world.picture().shape
        place, margin = camera.place(pane, rows, columns), paint.px(6)
        visible = place.clip(pane)
        paint.box(visible.inflate(margin, margin), paint.theme.paper, 4, paint.theme.line)
        paint.part(view.draw(look), place, visible)
        if view.name in LETTERED:
            letters(paint, look, place, visible)
        marks(paint, look, place, visible)
        places.append(place)
    return places


def names(
    paint: Paint, sessions: Sequence[Session], looks: Sequence[Look], places: Sequence[Rect]
) -> None:
    """Paint above each canvas its rule's name and the verdict of its cells.

    Args:
        places: of the visible parts of the canvases.
    """
    for session, look, place in zip(sessions, looks, places, strict=True):
        y = place.top - paint.px(TITLE / 2 + 3)
        status = verdict(look.world, 0, look.rule.shown_above)
        if look.rule.readout.class_names and not status.startswith("all "):
            found = judged(look.world, look.rule.shown_above)
            status = _agreement(found) if len(found) > 1 else status
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


def answer(paint: Paint, look: Look, middle: tuple[int, int], room: int) -> None:
    """Paint in one line the most common class and its number of cells, or how many pieces agree.

    Args:
        room: the width of the line.
    """
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
    count = int(counts[most])
    found = judged(look.world, look.rule.shown_above) if count < cells else []
    if len(found) > 1:
        _pieces(paint, look, found, middle, room)
        return
    text = f"All {cells:,} cells show" if count == cells else f"{count:,} of {cells:,} cells show"
    _said(paint, text, [_Chip(look, most)], middle)


def _pieces(
    paint: Paint, look: Look, found: Sequence[Piece], middle: tuple[int, int], room: int
) -> None:
    """How many pieces agree, and the class of each one; of too many, only the number."""
    chips = [_Chip(look, piece.winner, piece.agrees) for piece in found]
    wide = paint.width(_agreement(found)) + sum(chip.width(paint) for chip in chips)
    _said(paint, _agreement(found), chips if wide <= room else [], middle)


def _agreement(found: Sequence[Piece]) -> str:
    return f"{sum(piece.agrees for piece in found):,} of {len(found):,} pieces agree"


class _Chip(NamedTuple):
    """A class in its colour; only framed in it where not all cells show the class."""

    look: Look
    number: int
    sure: bool = True

    @property
    def name(self) -> str:
        if self.number < 0:
            return "–"
        return self.look.rule.readout.names[self.number] + ("" if self.sure else "?")

    def width(self, paint: Paint) -> int:
        return paint.width(self.name, strong=True) + paint.px(16) + paint.px(5)

    def paint(self, paint: Paint, left: int, middle: int) -> None:
        color: Color = tuple(self.look.palette[self.number].tolist())
        chip = Rect(left, 0, self.width(paint) - paint.px(5), paint.px(22))
        chip.centery = middle
        paint.box(chip, color if self.sure else paint.theme.desk, 5, color)
        ink = ink_on(color) if self.sure else paint.theme.ink
        paint.text(self.name, chip.center, ink, BODY, "center", strong=True)


def _said(paint: Paint, text: str, chips: Sequence[_Chip], middle: tuple[int, int]) -> None:
    gap = paint.px(9) if chips else 0
    wide = paint.width(text) + gap + sum(chip.width(paint) for chip in chips)
    left = middle[0] - wide // 2
    left += paint.text(text, (left, middle[1]), paint.theme.ink) + gap
    for chip in chips:
        chip.paint(paint, left, middle[1])
        left += chip.width(paint)
