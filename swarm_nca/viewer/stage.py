"""The stage: one canvas, or two side by side under their rules' names, in a window or in a film."""

from __future__ import annotations

from collections.abc import Sequence

from pygame import Rect

from swarm_nca.portrait import tally
from swarm_nca.viewer.layout import TITLE, fitted
from swarm_nca.viewer.lettering import BODY, SMALL
from swarm_nca.viewer.overlays import Look, View
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.theme import Theme


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
        told = verdict(look)
        behind = sessions[0].step - session.step
        if behind:
            told = f"catching up: step {session.step:,} of {sessions[0].step:,}"
        width = paint.text(told, (place.right, y), paint.theme.quiet, SMALL, "right")
        room = max(0, place.width - width - paint.px(12))
        name = rule_title(session)
        paint.text(name, (place.left, y), paint.theme.ink, BODY, strong=True, room=room)


def rule_title(session: Session) -> str:
    """A rule's name without its folder and ending."""
    name = session.opening.rule_name.replace("\\", "/").rsplit("/", 1)[-1]
    return name.removesuffix(".safetensors").removesuffix(".json")


def verdict(look: Look) -> str:
    """What most cells say, and what share of them does."""
    counts = tally(look.world, shown_above=look.rule.shown_above)
    cells, most = int(counts.sum()), int(counts[:-1].argmax())
    if not counts[most]:
        return "undecided" if cells else ""
    return f"{look.rule.classes.names[most]}  {int(counts[most]) / cells:.0%}"
