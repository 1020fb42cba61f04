"""What the window says, line by line, and the truth about the world shown, counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from pygame import Rect, Surface

from swarm_nca.viewer.app import App
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.session import Session

#: Names in the panel "Over time", in the order in which they stand there.
CURVES = ("accuracy", "largest vote", "undecided", "magnitude")


class Line(NamedTuple):
    """A line of text as it is painted: the words asked for, and where their pixels are.

    `cut` is true where the line was too long for its room.
    """

    text: str
    place: Rect
    cut: bool


@contextmanager
def lines_of() -> Iterator[list[Line]]:
    """Every line of text that is painted meanwhile."""
    lines: list[Line] = []
    paint = Paint.text

    def text(self: Paint, text: str, *rest: Any, **others: Any) -> int:
        before = self.surface
        layer = _Blits(before)
        object.__setattr__(self, "surface", layer)
        try:
            width = paint(self, text, *rest, **others)
        finally:
            object.__setattr__(self, "surface", before)
        (place,) = layer.places
        room = others.get("room")
        size, strong = others.get("size", rest[2] if len(rest) > 2 else 13), others.get("strong")
        cut = room is not None and self.width(text, size, bool(strong)) > room
        lines.append(Line(text, place, cut))
        return width

    with patch.object(Paint, "text", text):
        yield lines


class _Blits:
    """A surface that notes where it is painted on."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self.places: list[Rect] = []

    def blit(self, source: Surface, place: tuple[int, int]) -> None:
        self._surface.blit(source, place)
        self.places.append(Rect(place, source.get_size()))


def window(app: App) -> list[Line]:
    """All that the window says now."""
    with lines_of() as lines:
        app.draw(Surface(app.layout.window.size))
    return lines


def curves_said(lines: list[Line], rules: int = 1) -> list[dict[str, str]]:
    """The numbers beside the curves' names, of each rule."""
    said = [line.text for line in lines]
    said = said[said.index("Over time") :]
    told: list[dict[str, str]] = [{} for _ in range(rules)]
    for name in CURVES:
        numbers = [said[place + 1] for place, text in enumerate(said) if text == name]
        assert len(numbers) == rules, name
        for rule, number in zip(told, numbers, strict=True):
            rule[name] = number
    return told


def votes_said(lines: list[Line], names: tuple[str, ...]) -> dict[str, str]:
    """The panel "The vote": what stands beside each class that has any vote, and beside silent."""
    said = [line.text for line in lines]
    said = said[said.index("The vote") + 2 : said.index("Over time")]
    counts, name = {}, ""
    for text in said:
        if text in (*names, "silent") and name != text and text not in counts:
            name = text
            counts[name] = "0"
        else:
            counts[name] = text
    return counts


class Truth(NamedTuple):
    """What is so in one world: counted cell by cell from states, without any metric's code."""

    cells: int
    votes: dict[str, int]
    curves: dict[str, str]


def truth(session: Session) -> Truth:
    """The truth about the world of a session that is looked at."""
    rule, world = session.rule, session.world
    first = int(world.counts[: session.shown].sum())
    cells = int(world.counts[session.shown])
    states = world.state[first : first + cells].double().numpy()
    label, names = int(world.label[session.shown]), (*rule.classes.names, "silent")
    votes, right, undecided, size = dict.fromkeys(names, 0), 0, 0, 0.0
    for state in states:
        voices = state[rule.free_channels :].tolist()
        best = next((n for n, v in enumerate(voices) if np.isnan(v)), int(np.argmax(voices)))
        votes[names[best] if voices[best] > rule.shown_above else "silent"] += 1
        decided = voices[best] >= rule.undecided_below
        right += decided and best == label
        undecided += not decided
        size += float(np.abs(state).mean())
    spoken = cells > 0 and size != 0
    most = max(count for name, count in votes.items() if name != "silent")
    return Truth(
        cells,
        votes,
        {
            "accuracy": f"{right / cells:.0%}" if spoken and label >= 0 else "–",
            "largest vote": f"{most / cells:.0%}" if cells else "–",
            "undecided": f"{undecided / cells:.0%}" if spoken else "–",
            "magnitude": magnitude(size / cells) if cells else "–",
        },
    )


def magnitude(value: float) -> str:
    """As the panel spells it: two places, or in powers of ten where that would take a line."""
    if not np.isfinite(value):
        return "–"
    return f"{value:.2f}" if value < 1_000 else f"{value:.0e}"
